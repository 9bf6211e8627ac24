import json
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from sparkify.hooks.package_versions import read_package_versions
from sparkify.ml.segments import CustomerSegments, get_likely_segment
from sparkify.ml.shrunken_rates import Rate
from sparkify.pipelines.evaluation.parameters import DecisionParameters, EvaluationParameters
from sparkify.pipelines.evaluation.segment_table import name_segments
from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.feature_engineering.customers import LogTooShortError
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.model_card import add_card
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.scoring import nodes
from sparkify.pipelines.scoring.compatibility import ModelMismatchError
from sparkify.pipelines.scoring.customer_value import value_customers
from sparkify.pipelines.scoring.explanation import get_contributions
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.schemas import CHURN_SCORES, CURRENT_SNAPSHOTS

VERSIONS = read_package_versions()


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


def create_user_days(spark: SparkSession, rows: list[tuple[Any, ...]]) -> DataFrame:
    """Return user days of (user_id, day, level, cancellations), each until just before midnight."""
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


def users_and_cutoffs(snapshots: DataFrame) -> set[tuple[str, date]]:
    return {(row["user_id"], row["cutoff"]) for row in snapshots.collect()}


def test_the_default_cutoff_follows_the_last_full_day(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    current = nodes.list_current_customers(create_user_days(spark, DAYS), settings, None)
    CURRENT_SNAPSHOTS.validate(current)
    assert users_and_cutoffs(current) == {(user, date(2018, 12, 1)) for user in "acd"}


def test_an_earlier_cutoff_has_the_customers_of_that_day(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    cutoff = date(2018, 11, 15)
    current = nodes.list_current_customers(create_user_days(spark, DAYS), settings, cutoff)
    assert users_and_cutoffs(current) == {(user, cutoff) for user in "abd"}


def test_a_downgrade_is_predicted_for_customers_on_the_paid_level(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    downgrade = settings.model_copy(update={"outcome": "downgrade"})
    current = nodes.list_current_customers(create_user_days(spark, DAYS), downgrade, None)
    assert users_and_cutoffs(current) == {("d", date(2018, 12, 1))}
    with pytest.raises(nodes.CutoffError, match="there is no customer on the paid level"):
        nodes.list_current_customers(create_user_days(spark, DAYS[:5]), downgrade, None)


def test_inactivity_is_predicted_for_recently_seen_customers(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    inactivity = settings.model_copy(update={"outcome": "inactivity"})
    current = nodes.list_current_customers(create_user_days(spark, DAYS), inactivity, None)
    CURRENT_SNAPSHOTS.validate(current)
    # d was last seen on 2018-10-02, and b cancelled.
    assert users_and_cutoffs(current) == {(user, date(2018, 12, 1)) for user in "ac"}
    with pytest.raises(nodes.CutoffError) as error:
        nodes.list_current_customers(create_user_days(spark, DAYS), inactivity, date(2018, 11, 5))
    assert str(error.value) == (
        "there is no customer at the cutoff 2018-11-05: no user was seen in the 30 days before it "
        "(feature_engineering.active_within_days), or all who were had cancelled. Choose another "
        "scoring.cutoff or another log."
    )


def test_a_log_without_current_customers_is_an_error(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    with pytest.raises(nodes.CutoffError, match="there is no customer at the cutoff 2018-11-21"):
        nodes.list_current_customers(create_user_days(spark, DAYS[2:4]), settings, None)


@pytest.mark.parametrize("cutoff", ["2018-09-30", "2018-10-01", "2018-12-02"])
def test_a_cutoff_outside_the_log_is_an_error(
    spark: SparkSession, settings: FeatureEngineeringParameters, cutoff: str
) -> None:
    message = (
        f"scoring.cutoff {cutoff} is outside the log: whole days with events go from "
        "2018-10-01 to 2018-11-30. Choose a day after 2018-10-01, up to 2018-12-01"
    )
    with pytest.raises(nodes.CutoffError, match=message):
        nodes.list_current_customers(
            create_user_days(spark, DAYS), settings, date.fromisoformat(cutoff)
        )


def test_a_log_too_short_for_the_windows_is_an_error(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    days = create_user_days(spark, DAYS)
    assert users_and_cutoffs(nodes.list_current_customers(days, settings, date(2018, 10, 29)))
    with pytest.raises(LogTooShortError, match=r"27 days before the cutoff 2018-10-28: .*28 days"):
        nodes.list_current_customers(days, settings, date(2018, 10, 28))


def test_later_days_do_not_change_features_of_an_earlier_cutoff(
    finished: Any, settings: FeatureEngineeringParameters
) -> None:
    days = finished.catalog().load("user_days")
    whole, cut = (
        engineering.compute_features(
            log, nodes.list_current_customers(log, settings, date(2018, 11, 15)), settings
        )
        for log in (days, days.where("day <= '2018-11-15'"))
    )
    assertDataFrameEqual(whole, cut)


Score = Callable[..., tuple[DataFrame, dict[str, Any]]]


@pytest.fixture(scope="module")
def score(inputs: InputParameters, scoring: ScoringParameters) -> Score:
    """Return a function that scores features with a model, with every reason."""
    every_reason = scoring.model_copy(update={"min_contribution_share": 0})
    return partial(nodes.score_customers, inputs=inputs, scoring=every_reason)


@pytest.fixture(scope="module")
def scores(score: Score, current_features: DataFrame, churn_model: PipelineModel) -> DataFrame:
    return score(current_features, churn_model)[0].cache()


def test_scores_are_the_probabilities_of_the_model_with_ranks(
    scores: DataFrame, current_features: DataFrame, churn_model: PipelineModel
) -> None:
    CHURN_SCORES.validate(scores)
    rows = scores.orderBy("rank").toPandas()
    predictions = churn_model.transform(current_features).select("user_id", "probability")
    expected = predictions.orderBy("probability", "user_id", ascending=[False, True]).toPandas()
    assert rows["rank"].tolist() == list(range(1, 81))
    for name in ("user_id", "probability"):
        assert rows[name].tolist() == expected[name].tolist()
    assert (rows["percentile"].iloc[0], rows["percentile"].iloc[-1]) == (98.75, 0)
    levels = current_features.selectExpr("user_id", "if(is_paid = 1, 'paid', 'free') as level")
    assertDataFrameEqual(scores.select("user_id", "level"), levels)


def test_equal_probabilities_are_ranked_by_user(
    spark: SparkSession, current_features: DataFrame, churn_model: PipelineModel, score: Score
) -> None:
    (row,) = current_features.limit(1).collect()
    twins = [{**row.asDict(), "user_id": name} for name in ("2", "10", "1")]
    same = spark.createDataFrame(twins, current_features.schema).repartition(3)
    ranked, _ = score(same, churn_model)
    assert [row["user_id"] for row in ranked.orderBy("rank").collect()] == ["1", "10", "2"]


def test_reasons_are_the_strongest_contributions(
    scores: DataFrame, current_features: DataFrame, churn_model: PipelineModel
) -> None:
    names = ["thumbs_up_per_song", "is_paid", "log_days_since_last_seen"]
    inputs = churn_model.transform(current_features).select("user_id", vector_to_array("inputs"))
    by_user = {row["user_id"]: row for row in scores.collect()}
    for user, values in inputs.collect():
        contributions = get_contributions(churn_model).compute(np.array([values]))[0, :-1]
        expected = sorted(zip(contributions.tolist(), names, strict=True))
        for side, ordered in (("against", expected), ("for", expected[::-1])):
            sign = 1 if side == "for" else -1
            reasons = [(r["contribution"], r["input"]) for r in by_user[user][f"reasons_{side}"]]
            assert reasons == [(value, name) for value, name in ordered if sign * value > 0]


def test_scores_have_the_card_of_the_model_that_made_them(
    current_features: DataFrame, churn_model: PipelineModel, card: dict[str, Any], score: Score
) -> None:
    training_only = {"parameters": {"modelling": {}}, "reference": {"bins": 10}}
    model = add_card(churn_model, {**card, **training_only})
    assert score(current_features, model)[1] == card


def test_a_model_of_other_features_is_an_error(
    churn_model: PipelineModel, settings: FeatureEngineeringParameters
) -> None:
    assert nodes.check_champion(churn_model, VERSIONS, settings) is churn_model
    fewer = {name: page for name, page in settings.pages.items() if name != "thumbs_up"}
    changed = settings.model_copy(update={"pages": fewer})
    with pytest.raises(ModelMismatchError, match="does not have: thumbs_up"):
        nodes.check_champion(churn_model, VERSIONS, changed)


def test_scores_are_archived_under_their_cutoff(scores: DataFrame) -> None:
    history = nodes.archive_scores(scores)
    assert list(history) == ["2018-11-07"]
    assert history["2018-11-07"].columns == ["user_id", "cutoff", "probability"]
    assert history["2018-11-07"].count() == 80


CUTOFF = date(2018, 12, 1)
THUMBS = {
    **{"input": "thumbs", "label": "many thumbs down"},
    **{"reason": "thumbs down", "contribution": 0.51239},
}
AGE = {
    **{"input": "age", "label": "age"},
    **{"reason": "registered 3 days ago", "contribution": -0.25},
}
ACTIONS = {"many thumbs down": "send a playlist", "many adverts": "a month without adverts"}


def create_scores(spark: SparkSession, customers: list[tuple[Any, ...]]) -> DataFrame:
    """Return scores of (user, probability, reasons for, reasons against)."""
    rows = [
        (
            user,
            CUTOFF,
            probability,
            rank,
            50.0,
            "paid",
            1.26,
            "many adverts",
            None,
            reasons,
            against,
        )
        for rank, (user, probability, reasons, against) in enumerate(customers, 1)
    ]
    return spark.createDataFrame(rows, CHURN_SCORES.struct)


@pytest.fixture(scope="module")
def three_scores(spark: SparkSession) -> DataFrame:
    customers = [
        ("007", 0.51239, [THUMBS, {**AGE, "contribution": 0.1}], []),
        ("8", 0.25, [THUMBS], [AGE]),
        ("9", 0.1, [], [AGE]),
    ]
    return create_scores(spark, customers).cache()


Decide = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def decide(evaluation: EvaluationParameters, card: dict[str, Any]) -> Decide:
    """Return the function that decides on contacts that keep $100 with a probability of 0.1."""
    costs = {"contact_success": 0.1, "kept_customer_value": 100}

    def decide_by(threshold: Any, contact_cost: float) -> dict[str, Any]:
        decision = DecisionParameters(threshold=threshold, contact_cost=contact_cost, **costs)
        return nodes.decide_threshold(evaluation.model_copy(update={"decision": decision}), card)

    return decide_by


@pytest.fixture(scope="module")
def decision(decide: Decide) -> dict[str, Any]:
    return decide("f1", 2)


def with_control(scoring: ScoringParameters, share: float, seed: int = 7) -> ScoringParameters:
    return scoring.model_copy(update={"control_share": share, "control_seed": seed})


def list_contacts(
    scores: DataFrame, decision: dict[str, Any], scoring: ScoringParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    values = value_customers(scores, scores, {}, decision, scoring)
    return nodes.list_contacts(scores, values, decision, scoring, ACTIONS)


def test_the_spreadsheet_of_scores_has_a_column_per_reason(
    three_scores: DataFrame,
    card: dict[str, Any],
    decision: dict[str, Any],
    scoring: ScoringParameters,
) -> None:
    two = scoring.model_copy(update={"reasons": 2})
    rows = nodes.flatten_scores(three_scores.orderBy("user_id"), decision, card, two).toPandas()
    first, _, last = rows.to_dict("records")
    assert first == {
        "rank": 1,
        "user_id": "007",
        "cutoff": CUTOFF,
        "probability": 0.5124,
        "level": "paid",
        "days_since_last_seen": 1.3,
        "segment": "many adverts",
        "median_days": "later than 30 days",
        "percentile": 50.0,
        "predicted": True,
        "reason_for_1": "thumbs down",
        "contribution_for_1": 0.512,
        "reason_for_2": "registered 3 days ago",
        "contribution_for_2": 0.1,
        "reason_against_1": None,
        "contribution_against_1": pytest.approx(float("nan"), nan_ok=True),
        "reason_against_2": None,
        "contribution_against_2": pytest.approx(float("nan"), nan_ok=True),
    }
    assert last["reason_for_1"] is None
    assert last["reason_against_1"] == "registered 3 days ago"


def test_contacts_have_their_expected_gain(
    three_scores: DataFrame,
    card: dict[str, Any],
    decision: dict[str, Any],
    scoring: ScoringParameters,
) -> None:
    contacts, control = list_contacts(three_scores, decision, with_control(scoring, 0))
    assert contacts["user_id"].tolist() == ["007", "8"]
    # 0.51239 * 0.1 * 100 - 2 and 0.25 * 0.1 * 100 - 2 dollars.
    assert contacts["expected_gain"].tolist() == pytest.approx([3.1239, 0.5])
    assert contacts["reason_for_1"].tolist() == ["thumbs down", "thumbs down"]
    assert (list(control), len(control)) == ([*contacts, "is_lasting"], 0)
    medians = contacts.assign(median_days=[3.0, None])
    rounded, control = nodes.round_contacts(medians, control, card, scoring)
    assert rounded["median_days"].tolist() == ["3", "later than 30 days"]
    assert rounded["probability"].tolist() == [0.5124, 0.25]
    assert rounded["expected_gain"].tolist() == [3.12, 0.5]
    assert (list(control), len(control)) == ([*rounded, "is_lasting"], 0)


def test_the_action_is_the_first_that_fits_a_reason_or_the_segment(
    spark: SparkSession, decision: dict[str, Any], scoring: ScoringParameters
) -> None:
    customers = [("a", 0.5, [AGE, THUMBS], []), ("b", 0.4, [AGE], []), ("c", 0.3, [], [])]
    without_segment = F.when(F.col("user_id") != "c", F.col("segment"))
    scored = create_scores(spark, customers).withColumn("segment", without_segment)
    contacts, _ = list_contacts(scored, decision, with_control(scoring, 0))
    assert contacts["action"].tolist() == ["send a playlist", "a month without adverts", None]


def test_customers_get_the_name_of_their_most_likely_segment(
    spark: SparkSession, inputs: InputParameters
) -> None:
    rate = Rate("adverts", "adverts", "songs", prior=1.0, overall=0.1)
    stage = CustomerSegments([rate], shares=[0.7, 0.3], segment_rates=[[0.05], [0.5]])
    rows = [("few", 1.0, 100.0), ("many", 60.0, 100.0)]
    customers = spark.createDataFrame(rows, "user_id string, adverts double, songs double")
    names = name_segments(stage, inputs)
    segment = get_likely_segment(PipelineModel([stage]), names).alias("segment")
    named = stage.transform(customers).select("user_id", segment).orderBy("user_id").collect()
    assert [tuple(row) for row in named] == [("few", "low adverts"), ("many", "high adverts")]


def test_a_share_of_the_customers_is_the_control_group(
    spark: SparkSession, decision: dict[str, Any], scoring: ScoringParameters
) -> None:
    many = create_scores(spark, [(str(user), 0.5, [THUMBS], []) for user in range(2_000)])
    contacts, control = list_contacts(many, decision, with_control(scoring, 0.1))
    assert len(contacts) + len(control) == 2_000
    assert not set(contacts["user_id"]) & set(control["user_id"])
    assert 160 < len(control) < 240
    _, again = list_contacts(many.repartition(3), decision, with_control(scoring, 0.1))
    pd.testing.assert_frame_equal(again, control)
    _, other = list_contacts(many, decision, with_control(scoring, 0.1, seed=8))
    assert set(other["user_id"]) != set(control["user_id"])


@pytest.mark.parametrize(
    ("share", "contacted", "warning"),
    [
        (
            0.0001,
            20,
            "control_group is empty: scoring.control_share 0.0001 of 20 listed customers selects "
            "none, so that the effect of contacts cannot be measured. Raise "
            "scoring.control_share.",
        ),
        (
            0.9999,
            0,
            "contacts is empty: scoring.control_share 0.9999 puts all 20 listed customers into "
            "the control group. Lower scoring.control_share.",
        ),
    ],
)
def test_an_empty_group_is_a_warning(
    *,
    spark: SparkSession,
    decision: dict[str, Any],
    scoring: ScoringParameters,
    logged: pytest.LogCaptureFixture,
    share: float,
    contacted: int,
    warning: str,
) -> None:
    few = create_scores(spark, [(str(user), 0.5, [THUMBS], []) for user in range(20)])
    contacts, control = list_contacts(few, decision, with_control(scoring, share))
    assert (len(contacts), len(control)) == (contacted, 20 - contacted)
    assert logged.messages == [warning]


def test_the_summary_counts_contacts_and_expected_churners(
    three_scores: DataFrame,
    card: dict[str, Any],
    decision: dict[str, Any],
    scoring: ScoringParameters,
) -> None:
    lists = list_contacts(three_scores, decision, with_control(scoring, 0))
    summary = nodes.summarize_scores(three_scores, *lists, card, decision, 0)
    json.dumps(summary, allow_nan=False)
    assert (summary["cutoff"], summary["horizon_days"]) == ("2018-12-01", 10)
    assert (summary["outcome"], summary["outcome_phrase"]) == ("cancellation", "cancelled")
    assert (summary["customers"], summary["by_level"]) == (3, {"free": 0, "paid": 3})
    assert (summary["expected_churners"], summary["predicted"]) == (0.9, 2)
    assert (summary["to_contact"], summary["control"], summary["control_share"]) == (2, 0, 0)
    assert (summary["expected_profit"], summary["contact_costs"]) == (3.62, 4)
    assert summary["main_reasons"] == {"many thumbs down": 2}
    assert summary["segments"] == [
        {
            **{"segment": "many adverts", "customers": 3, "expected_churners": 0.9},
            **{"to_contact": 2, "expected_gain": 3.62},
        }
    ]
    assert summary["is_forecast"]
    assert summary["model"]["label"] == "logistic regression (regParam 0.3)"
    assert summary["decision"] == {
        "threshold": 0.2,
        "threshold_by": "f1",
        "contact_cost": 2,
        "contact_success": 0.1,
        "kept_customer_value": 100,
    }


# By the cost of a contact that keeps $100 with a probability of 0.1: listed users, and dollars.
GAINS = {
    1: (["007", "8", "9"], 5.62),
    2.4: (["007", "8"], 2.82),
    5: (["007"], 0.12),
    6: ([], 0.0),
}


@pytest.mark.parametrize("contact_cost", GAINS)
def test_the_list_has_the_customers_with_a_paying_contact(
    three_scores: DataFrame,
    card: dict[str, Any],
    decide: Decide,
    scoring: ScoringParameters,
    contact_cost: float,
) -> None:
    users, gain = GAINS[contact_cost]
    decision = decide("profit", contact_cost)
    contacts, control = list_contacts(three_scores, decision, with_control(scoring, 0))
    summary = nodes.summarize_scores(three_scores, contacts, control, card, decision, 0)
    rows = nodes.flatten_scores(three_scores, decision, card, scoring).toPandas()
    assert contacts["user_id"].tolist() == users
    assert rows.loc[rows["predicted"], "user_id"].tolist() == users
    assert (contacts["expected_gain"] >= 0).all()
    assert summary["expected_profit"] == pytest.approx(gain)
    assert (summary["predicted"], summary["to_contact"]) == (len(users), len(users))
    assert summary["decision"]["threshold"] == pytest.approx(contact_cost / 10)


def test_a_list_has_at_most_the_customers_that_can_be_contacted(
    three_scores: DataFrame,
    card: dict[str, Any],
    decide: Decide,
    scoring: ScoringParameters,
    caplog: pytest.LogCaptureFixture,
) -> None:
    decision = decide("profit", 1)
    two = with_control(scoring, 0).model_copy(update={"max_contacts": 2})
    contacts, control = list_contacts(three_scores, decision, two)
    assert contacts["user_id"].tolist() == ["007", "8"]
    summary = nodes.summarize_scores(three_scores, contacts, control, card, decision, 0)
    assert (summary["predicted"], summary["to_contact"]) == (3, 2)
    assert "the 2 customers with the highest probability of the 3 that reach" in caplog.text


def test_an_empty_list_has_a_summary(
    spark: SparkSession,
    card: dict[str, Any],
    decision: dict[str, Any],
    scoring: ScoringParameters,
) -> None:
    low = create_scores(spark, [("9", 0.1, [], [AGE])])
    lists = list_contacts(low, decision, scoring)
    summary = nodes.summarize_scores(low, *lists, card, decision, 0.1)
    assert (summary["to_contact"], summary["control"], summary["expected_profit"]) == (0, 0, 0.0)
    assert summary["main_reasons"] == {}


def test_scores_of_training_days_are_not_a_forecast(
    three_scores: DataFrame,
    card: dict[str, Any],
    decision: dict[str, Any],
    scoring: ScoringParameters,
    logged: pytest.LogCaptureFixture,
) -> None:
    earlier = three_scores.withColumn("cutoff", F.lit(date(2018, 11, 16)))
    lists = list_contacts(earlier, decision, scoring)
    summary = nodes.summarize_scores(earlier, *lists, card, decision, 0.1)
    assert not summary["is_forecast"]
    assert logged.messages[-1].startswith(
        "churn_model was trained on days after 2018-11-16, so these scores are not a forecast. Load"
    )
