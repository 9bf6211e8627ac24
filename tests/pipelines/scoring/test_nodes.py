from datetime import date
from typing import Any

import numpy as np
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.feature_engineering.customers import LogTooShortError
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.model_card import with_card
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.scoring import nodes
from sparkify.pipelines.scoring.compatibility import ModelMismatchError
from sparkify.pipelines.scoring.explanation import get_contributions
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.schemas import CHURN_SCORES, CURRENT_SNAPSHOTS


@pytest.fixture(scope="module")
def settings(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return parameters["feature_engineering"]


# A log from 2018-10-01 to 2018-11-30: b cancels, c comes late, d is on the paid level.
DAYS = [
    ("a", "2018-10-01", "free", 0),
    ("a", "2018-11-30", "free", 0),
    ("b", "2018-10-05", "free", 0),
    ("b", "2018-11-20", "free", 1),
    ("c", "2018-11-29", "free", 0),
    ("d", "2018-10-02", "paid", 0),
]


def user_days(spark: SparkSession, rows: list[tuple[Any, ...]]) -> DataFrame:
    """Return days of (user_id, day, level, cancellations), each used up to its last seconds."""
    return spark.createDataFrame(
        [
            (user, date.fromisoformat(day), level, cancelled, 0, f"{day} 23:59:58")
            for user, day, level, cancelled in rows
        ],
        "user_id string, day date, level string, cancellations bigint, "
        "submit_downgrade bigint, last_ts string",
    ).withColumns(
        {
            "last_ts": F.col("last_ts").cast("timestamp"),
            "ends_cancelled": F.col("cancellations") > 0,
        }
    )


def at(scoring: ScoringParameters, cutoff: str) -> ScoringParameters:
    return scoring.model_copy(update={"cutoff": date.fromisoformat(cutoff)})


def who(snapshots: DataFrame) -> set[tuple[str, date]]:
    return {(row["user_id"], row["cutoff"]) for row in snapshots.collect()}


def test_the_newest_cutoff_follows_the_last_full_day(
    spark: SparkSession, settings: FeatureEngineeringParameters, scoring: ScoringParameters
) -> None:
    current = nodes.current_snapshots(user_days(spark, DAYS), settings, scoring)
    CURRENT_SNAPSHOTS.validate(current)
    assert who(current) == {(user, date(2018, 12, 1)) for user in "acd"}


def test_an_earlier_cutoff_has_the_customers_of_that_day(
    spark: SparkSession, settings: FeatureEngineeringParameters, scoring: ScoringParameters
) -> None:
    current = nodes.current_snapshots(user_days(spark, DAYS), settings, at(scoring, "2018-11-15"))
    assert who(current) == {(user, date(2018, 11, 15)) for user in "abd"}


def test_a_downgrade_is_asked_of_those_on_the_paid_level(
    spark: SparkSession, settings: FeatureEngineeringParameters, scoring: ScoringParameters
) -> None:
    asked = settings.model_copy(update={"outcome": "downgrade"})
    current = nodes.current_snapshots(user_days(spark, DAYS), asked, scoring)
    assert who(current) == {("d", date(2018, 12, 1))}
    with pytest.raises(nodes.CutoffError, match="nobody is a customer on the paid level"):
        nodes.current_snapshots(user_days(spark, DAYS[:5]), asked, scoring)


def test_inactivity_is_asked_of_those_seen_lately(
    spark: SparkSession, settings: FeatureEngineeringParameters, scoring: ScoringParameters
) -> None:
    asked = settings.model_copy(update={"outcome": "inactivity"})
    current = nodes.current_snapshots(user_days(spark, DAYS), asked, scoring)
    CURRENT_SNAPSHOTS.validate(current)
    # d was last seen on 2018-10-02, and b cancelled.
    assert who(current) == {(user, date(2018, 12, 1)) for user in "ac"}
    with pytest.raises(nodes.CutoffError) as told:
        nodes.current_snapshots(user_days(spark, DAYS), asked, at(scoring, "2018-11-05"))
    assert str(told.value) == (
        "nobody is a customer at the cutoff 2018-11-05: nobody was seen in the 30 days before it "
        "(feature_engineering.active_within_days), or all who were had cancelled. Take another "
        "scoring.cutoff or another log."
    )


def test_a_log_whose_customers_all_left_is_an_error(
    spark: SparkSession, settings: FeatureEngineeringParameters, scoring: ScoringParameters
) -> None:
    with pytest.raises(nodes.CutoffError, match="nobody is a customer at the cutoff 2018-11-21"):
        nodes.current_snapshots(user_days(spark, DAYS[2:4]), settings, scoring)


@pytest.mark.parametrize("cutoff", ["2018-09-30", "2018-10-01", "2018-12-02"])
def test_a_cutoff_outside_of_the_log_is_an_error(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    scoring: ScoringParameters,
    cutoff: str,
) -> None:
    message = (
        f"scoring.cutoff {cutoff} lies outside of the log: whole days with events go from "
        "2018-10-01 to 2018-11-30. Take a day after 2018-10-01, up to 2018-12-01"
    )
    with pytest.raises(nodes.CutoffError, match=message):
        nodes.current_snapshots(user_days(spark, DAYS), settings, at(scoring, cutoff))


def test_a_log_too_short_for_the_windows_is_an_error(
    spark: SparkSession, settings: FeatureEngineeringParameters, scoring: ScoringParameters
) -> None:
    days = user_days(spark, DAYS)
    assert who(nodes.current_snapshots(days, settings, at(scoring, "2018-10-29")))
    with pytest.raises(LogTooShortError, match=r"27 days before the cutoff 2018-10-28: .*28 days"):
        nodes.current_snapshots(days, settings, at(scoring, "2018-10-28"))


def test_later_days_change_no_feature_of_an_earlier_cutoff(
    finished: Any, settings: FeatureEngineeringParameters, scoring: ScoringParameters
) -> None:
    days = finished.catalog().load("user_days")
    asked = at(scoring, "2018-11-15")
    whole, cut = (
        engineering.compute_features(log, nodes.current_snapshots(log, settings, asked), settings)
        for log in (days, days.where("day <= '2018-11-15'"))
    )
    assertDataFrameEqual(whole, cut)


@pytest.fixture(scope="module")
def scores(
    current_features: DataFrame,
    churn_model: PipelineModel,
    inputs: InputParameters,
    scoring: ScoringParameters,
    settings: FeatureEngineeringParameters,
) -> DataFrame:
    every = scoring.model_copy(update={"least_of_strongest": 0})
    table, _ = nodes.churn_scores(current_features, churn_model, inputs, every, settings)
    return table.cache()


def test_scores_are_the_model_s_own_ranked(
    scores: DataFrame, current_features: DataFrame, churn_model: PipelineModel
) -> None:
    CHURN_SCORES.validate(scores)
    rows = scores.orderBy("rank").toPandas()
    own = churn_model.transform(current_features).select("user_id", "probability")
    expected = own.orderBy("probability", "user_id", ascending=[False, True]).toPandas()
    assert rows["rank"].tolist() == list(range(1, 81))
    for name in ("user_id", "probability"):
        assert rows[name].tolist() == expected[name].tolist()
    assert (rows["percentile"].iloc[0], rows["percentile"].iloc[-1]) == (98.75, 0)
    levels = current_features.selectExpr("user_id", "if(is_paid = 1, 'paid', 'free') as level")
    assertDataFrameEqual(scores.select("user_id", "level"), levels)


def test_equals_are_ranked_by_user(
    spark: SparkSession,
    current_features: DataFrame,
    churn_model: PipelineModel,
    inputs: InputParameters,
    scoring: ScoringParameters,
    settings: FeatureEngineeringParameters,
) -> None:
    (row,) = current_features.limit(1).collect()
    twins = [{**row.asDict(), "user_id": name} for name in ("2", "10", "1")]
    same = spark.createDataFrame(twins, current_features.schema).repartition(3)
    ranked, _ = nodes.churn_scores(same, churn_model, inputs, scoring, settings)
    assert [row["user_id"] for row in ranked.orderBy("rank").collect()] == ["1", "10", "2"]


def test_reasons_are_the_strongest_contributions(
    scores: DataFrame, current_features: DataFrame, churn_model: PipelineModel
) -> None:
    names = ["thumbs_up_per_song", "is_paid", "log_days_since_last_seen"]
    inputs = churn_model.transform(current_features).select("user_id", vector_to_array("inputs"))
    told = {row["user_id"]: row for row in scores.collect()}
    for user, seen in inputs.collect():
        added = get_contributions(churn_model).contributions(np.array([seen]))[0, :-1]
        expected = sorted(zip(added.tolist(), names, strict=True))
        for side, ordered in (("against", expected), ("for", expected[::-1])):
            sign = 1 if side == "for" else -1
            reasons = [(r["contribution"], r["input"]) for r in told[user][f"reasons_{side}"]]
            assert reasons == [(value, name) for value, name in ordered if sign * value > 0]


def test_scores_have_the_card_of_the_model_that_made_them(
    current_features: DataFrame,
    churn_model: PipelineModel,
    card: dict[str, Any],
    inputs: InputParameters,
    scoring: ScoringParameters,
    settings: FeatureEngineeringParameters,
) -> None:
    long = {"parameters": {"modelling": {}}, "reference": {"bins": 10}}
    model = with_card(churn_model, {**card, **long})
    _, described = nodes.churn_scores(current_features, model, inputs, scoring, settings)
    assert described == card


def test_a_model_of_other_features_is_refused(
    current_features: DataFrame,
    churn_model: PipelineModel,
    inputs: InputParameters,
    scoring: ScoringParameters,
    settings: FeatureEngineeringParameters,
) -> None:
    other = current_features.drop("thumbs_up")
    with pytest.raises(ModelMismatchError, match="does not have: thumbs_up"):
        nodes.churn_scores(other, churn_model, inputs, scoring, settings)


def test_history_keeps_a_cutoff_s_promises_under_its_name(scores: DataFrame) -> None:
    history = nodes.score_history(scores)
    assert list(history) == ["2018-11-07"]
    assert list(history["2018-11-07"]) == ["user_id", "cutoff", "probability"]
    assert len(history["2018-11-07"]) == 80
