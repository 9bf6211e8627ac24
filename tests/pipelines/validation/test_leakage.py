from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.validation import nodes
from sparkify.pipelines.validation.parameters import ValidationParameters

EVERYTHING = InputParameters(rates={}, plain=None, moderator=None)


@pytest.fixture(scope="module")
def validation(parameters: dict[str, Any]) -> ValidationParameters:
    whole: ValidationParameters = parameters["validation"]
    few = {"exposure": ("next_song", "days_since_last_seen"), "folds": 2}
    return whole.model_copy(update={"leakage": whole.leakage.model_copy(update=few)})


def test_features_with_a_weak_signal_cause_no_warning(
    train: DataFrame, validation: ValidationParameters
) -> None:
    audit = nodes.audit_leakage(train, EVERYTHING, validation)
    assert audit["warnings"] == []
    assert audit["rows"] == 160
    assert 0.6 < audit["auc_of_rates"] < 0.8
    assert audit["auc_of_exposure"] < 0.6
    assert audit["identity"]["r2"] < 0.3


def test_a_label_hidden_in_a_sum_is_reported_with_its_terms(
    train: DataFrame, validation: ValidationParameters
) -> None:
    total = F.col("next_song") + F.col("thumbs_up") + 2 * F.col("churned").cast("double")
    audit = nodes.audit_leakage(train.withColumn("total", total), EVERYTHING, validation)
    assert audit["identity"]["terms"] == {"next_song": -0.5, "thumbs_up": -0.5, "total": 0.5}
    (sentence,) = audit["warnings"]
    assert (
        "the label is a sum of its features (-0.5 next_song -0.5 thumbs_up +0.5 total" in sentence
    )


def test_a_history_that_ends_at_the_churn_is_reported(
    train: DataFrame, validation: ValidationParameters
) -> None:
    stopped = F.when(F.col("churned"), F.col("days_since_last_seen") + 9.0)
    clock = train.withColumn(
        "days_since_last_seen", F.coalesce(stopped, F.col("days_since_last_seen"))
    )
    sentences = nodes.audit_leakage(clock, EVERYTHING, validation)["warnings"]
    assert any("days_since_last_seen alone predicts who churned" in one for one in sentences)
    assert any("the history of a churner ends early" in one for one in sentences)


def test_features_that_depend_on_later_events_are_reported(
    train: DataFrame, validation: ValidationParameters
) -> None:
    later = {"deleted": 3, "altered": 0, "invented": 1}
    audit = nodes.audit_leakage(train, EVERYTHING, validation, later)
    assert audit["warnings"] == [
        "Do not trust the forecast: features changed when events at or after the cutoff were "
        "deleted or invented."
    ]


def test_only_features_that_a_model_reads_are_audited(
    train: DataFrame, inputs: InputParameters, validation: ValidationParameters
) -> None:
    hidden = train.withColumn("label_again", F.col("churned").cast("double"))
    assert nodes.audit_leakage(hidden, inputs, validation)["warnings"] == []
    assert nodes.audit_leakage(hidden, EVERYTHING, validation)["warnings"]


@pytest.fixture(scope="module")
def days(spark: SparkSession, parameters: dict[str, Any]) -> DataFrame:
    """Return three users' days around the cutoff 2018-11-07; one user has no days after it."""
    settings = parameters["feature_engineering"]
    counts = [*settings.pages, "other_pages", "cancellations", "sessions", "listening_ms"]
    counts += [f"free_{name}" for name in settings.by_level]
    rows = [
        {"user_id": user, "day": date(2018, 11, day), "level": level, **dict.fromkeys(counts, day)}
        for user, level, active in [
            ("a", "free", [2, 6, 7]),
            ("b", "paid", [1, 9]),
            ("c", "free", [3]),
        ]
        for day in active
    ]
    frame = pd.DataFrame(rows).assign(registration=pd.Timestamp("2018-10-20"))
    frame["last_ts"] = pd.to_datetime(frame["day"]) + pd.Timedelta(hours=9)
    return spark.createDataFrame(frame)


def create_snapshots(spark: SparkSession) -> DataFrame:
    rows = [(user, date(2018, 11, day), False) for user in "abc" for day in (4, 7)]
    return spark.createDataFrame(rows, "user_id string, cutoff date, churned boolean")


def test_the_features_do_not_depend_on_later_events(
    spark: SparkSession, days: DataFrame, parameters: dict[str, Any]
) -> None:
    audit = nodes.change_later_events(
        days, create_snapshots(spark), parameters["feature_engineering"]
    )
    assert audit == {"deleted": 0, "altered": 0, "invented": 0}


def test_features_from_after_the_cutoff_are_detected(
    spark: SparkSession,
    days: DataFrame,
    parameters: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def leaking(user_days: DataFrame, snapshots: DataFrame, _: Any) -> DataFrame:
        songs = user_days.groupBy("user_id").agg(F.sum("next_song").alias("songs"))
        return snapshots.join(songs, on="user_id", how="inner")

    monkeypatch.setattr(engineering, "compute_features", leaking)
    audit = nodes.change_later_events(
        days, create_snapshots(spark), parameters["feature_engineering"]
    )
    assert audit == {"deleted": 4, "altered": 4, "invented": 6}
