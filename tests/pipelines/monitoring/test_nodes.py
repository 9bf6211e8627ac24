import json
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.model_card import add_card
from sparkify.pipelines.monitoring import nodes, realised
from sparkify.pipelines.monitoring.parameters import MonitoringParameters

RATE = {"count": "roll_advert", "per": "next_song", "min_denominator": 20.0}
REFERENCE: dict[str, Any] = {
    "cutoff": "2018-11-07",
    "window_days": 7,
    "max_customers": 1_000,
    "bins": 10,
    "customers": 100,
    "watched": {
        "adverts_per_song": {
            **RATE,
            "kind": "number",
            "edges": [0.05, 0.1, 0.2],
            "counts": [50, 30, 20, 0],
            "mean": 0.08,
        },
        "is_paid": {
            "kind": "level",
            "count": "is_paid",
            "edges": [0.0, 1.0],
            "counts": [60, 40, 0],
            "mean": 0.4,
        },
    },
    "pages": ["NextSong", "Roll Advert"],
    "days": [{"day": f"2018-11-0{day}", "events": 100, "active": 10} for day in range(1, 7)],
    "lines": {"lines": 900, "first_event": "2018-10-01T00:00:00Z", "rejections": {"no user": 9}},
}
QUALITY = {
    "rejected_share": 0.0,
    "max_rejected_share": 0.2,
    "accepted": 990,
    "lines": 1_000,
    "first_event": "2018-10-01T00:00:00Z",
    "rejections": {"no user": {"lines": 10, "examples": []}},
}
METRICS = {
    "holdout": {
        name: {"value": 0.78, "ci95": [0.76, 0.8]} for name in ("auc", "average_precision")
    },
    "train": {"churned": 40},
}


CARD = {
    "label": "xgboost (max depth 2)",
    "calibration": "none",
    "f1_threshold": 0.2,
    "source": "simulated",
    "training": {"fingerprint": "00f1-160"},
}


def test_the_reference_is_that_of_the_model() -> None:
    model = add_card(PipelineModel([]), {**CARD, "reference": REFERENCE})
    assert nodes.extract_reference(model, {"champion": CARD}) == REFERENCE


def test_a_model_without_a_reference_is_an_error() -> None:
    with pytest.raises(nodes.NoReferenceError, match="Train it again with `kedro run`"):
        nodes.extract_reference(add_card(PipelineModel([]), CARD), {"champion": CARD})


@pytest.mark.parametrize(
    "other", [{"label": "linear"}, {"f1_threshold": 0.3}, {"training": {"fingerprint": "0-0"}}]
)
def test_metrics_of_another_model_are_an_error(other: dict[str, Any]) -> None:
    model = add_card(PipelineModel([]), {**CARD, "reference": REFERENCE})
    with pytest.raises(nodes.OtherModelError, match="metrics belong to another model"):
        nodes.extract_reference(model, {"champion": {**CARD, **other}})


@pytest.fixture(scope="module")
def newest(spark: SparkSession) -> dict[str, Any]:
    """Return the description of a hundred customers who hear an advert with every third song."""
    cutoff = date(2018, 12, 1)
    users = [str(number) for number in range(100)]
    features = spark.createDataFrame(
        [(user, cutoff, float(user < "2")) for user in users],
        "user_id string, cutoff date, is_paid double",
    )
    days = [(user, date(2018, 11, 30), 30, 10) for user in users]
    days += [(user, date(2018, 11, 23), 900, 0) for user in users]
    user_days = spark.createDataFrame(
        days, "user_id string, day date, next_song long, roll_advert long"
    )
    events = [
        ("NextSong", date(2018, 11, 30), 60),
        ("Karaoke", date(2018, 11, 24), 2),
        ("Karaoke", date(2018, 11, 23), 5),
        ("Karaoke", date(2018, 12, 1), 1),
    ]
    counts = spark.createDataFrame(events, "page string, day date, events bigint")
    return nodes.describe_newest_snapshot(features, user_days, counts, QUALITY, REFERENCE)


def test_the_newest_snapshot_is_described_in_the_reference_s_bins(newest: dict[str, Any]) -> None:
    assert newest["cutoff"] == "2018-12-01"
    assert newest["customers"] == 100
    advert_rate = newest["watched"]["adverts_per_song"]
    assert advert_rate == {"counts": [0, 0, 0, 100], "mean": pytest.approx(1 / 3)}
    assert newest["watched"]["is_paid"]["counts"] == [88, 12, 0]
    json.dumps(newest, allow_nan=False)


def test_unseen_pages_are_counted_within_the_window(
    newest: dict[str, Any],
) -> None:
    assert newest["unseen_pages"] == {"Karaoke": 2}
    assert [day["day"] for day in newest["days"]] == [f"2018-11-{day}" for day in range(24, 31)]
    assert newest["days"][-1] == {"day": "2018-11-30", "events": 60, "active": 100}


def create_scores(spark: SparkSession, *probabilities: float) -> DataFrame:
    rows = [(str(number), probability) for number, probability in enumerate(probabilities)]
    return spark.createDataFrame(rows, "user_id string, probability double")


@pytest.fixture(scope="module")
def drift(
    spark: SparkSession, newest: dict[str, Any], monitoring: MonitoringParameters
) -> pd.DataFrame:
    """Return the comparison of the above; scores are as at the hold-out."""
    scores = create_scores(spark, *(number / 100 for number in range(100)))
    return nodes.measure_drift(REFERENCE, newest, scores, scores, monitoring)


def test_features_and_scores_are_compared(drift: pd.DataFrame) -> None:
    rows = drift.set_index("feature")
    assert rows.index.tolist() == ["adverts_per_song", "is_paid", "score"]
    assert rows["alarm"].tolist() == [True, True, False]
    assert rows.loc["score", "psi"] == 0
    adverts = rows.loc["adverts_per_song"]
    assert (adverts["statistic"], adverts["reference_mean"]) == (1.0, 0.08)


def test_changed_scores_are_an_alarm(
    spark: SparkSession, newest: dict[str, Any], monitoring: MonitoringParameters
) -> None:
    then = create_scores(spark, *(number / 100 for number in range(100)))
    now = create_scores(spark, *(number / 300 for number in range(100)))
    rows = nodes.measure_drift(REFERENCE, newest, then, now, monitoring).set_index("feature")
    assert rows.loc["score", "alarm"]


def test_the_summary_has_alarms_and_comparisons(
    drift: pd.DataFrame, newest: dict[str, Any], monitoring: MonitoringParameters
) -> None:
    no_scores = pd.DataFrame(columns=realised.COLUMNS)
    summary = nodes.summarize_monitoring(REFERENCE, newest, drift, no_scores, METRICS, monitoring)
    json.dumps(summary, allow_nan=False)
    assert [alarm["name"] for alarm in summary["alarms"]] == [
        *("drift.adverts_per_song", "drift.is_paid"),
        *("volume.events", "volume.quiet_day"),
        "unseen_pages",
    ]
    assert set(summary["alarms"][0]) == {"name", "what", "value", "threshold", "sentence"}
    assert summary["unseen_page_share"] == pytest.approx(2 / 62)
    assert summary["rejections"] == {"no user": {"reference": 0.01, "newest": 0.01}}
    assert (summary["cutoff"], summary["reference_cutoff"]) == ("2018-12-01", "2018-11-07")
    assert [row["feature"] for row in summary["features"]] == drift["feature"].tolist()
    assert summary["realised"] == []
    assert summary["thresholds"]["psi"] == 0.1


def test_past_scores_are_evaluated_in_order_and_may_be_absent(
    spark: SparkSession,
    newest: dict[str, Any],
    parameters: dict[str, Any],
    evaluation: EvaluationParameters,
    monitoring: MonitoringParameters,
) -> None:
    first, second = date(2018, 11, 14), date(2018, 11, 21)
    days = spark.createDataFrame(
        [("0", date(2018, 11, 1), 0, "free"), ("0", date(2018, 11, 22), 1, "free")],
        "user_id string, day date, cancellations long, level string",
    ).withColumn("ends_cancelled", F.col("cancellations") > 0)
    rows = spark.createDataFrame([(user, 0.25) for user in "0123"], ["user_id", "probability"])
    history = {
        str(cutoff): partial(rows.withColumn, "cutoff", F.lit(cutoff)) for cutoff in (second, first)
    }
    settings = FeatureEngineeringParameters.model_validate(parameters["feature_engineering"])
    arguments = newest, METRICS, settings, evaluation, monitoring
    result = nodes.evaluate_past_scores(history, days, *arguments)
    assert result["cutoff"].tolist() == ["2018-11-14", "2018-11-21"]
    assert result["churned"].tolist() == [1, 1]
    assert result["expected"].tolist() == [1.0, 1.0]
    assert result["auc"].tolist() == [0.5, 0.5]
    none = nodes.evaluate_past_scores({}, days, *arguments)
    assert none.columns.tolist() == realised.COLUMNS
    assert none.empty
