from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.validation import leakage
from sparkify.pipelines.validation.parameters import ValidationParameters

EVERYTHING = InputParameters(rates={}, plain=None, moderator=None)


@pytest.fixture(scope="module")
def validation(parameters: dict[str, Any]) -> ValidationParameters:
    found: ValidationParameters = parameters["validation"]
    exposure = {"exposure": ("next_song", "days_since_last_seen")}
    return found.model_copy(update={"leakage": found.leakage.model_copy(update=exposure)})


def test_nothing_stands_against_a_table_of_features_that_only_hint(
    train: DataFrame, validation: ValidationParameters
) -> None:
    found = leakage.leakage_audit(train, EVERYTHING, validation)
    assert found["not_to_be_believed"] == []
    assert found["rows"] == 160
    assert 0.6 < found["auc_of_rates"] < 0.8
    assert found["auc_of_exposure"] < 0.6
    assert found["identity"]["r2"] < 0.3


def test_a_label_hidden_in_a_sum_is_found_with_its_terms(
    train: DataFrame, validation: ValidationParameters
) -> None:
    total = F.col("next_song") + F.col("thumbs_up") + 2 * F.col("churned").cast("double")
    found = leakage.leakage_audit(train.withColumn("total", total), EVERYTHING, validation)
    assert found["identity"]["terms"] == {"next_song": -0.5, "thumbs_up": -0.5, "total": 0.5}
    (sentence,) = found["not_to_be_believed"]
    assert (
        "the label is a sum of its features (-0.5 next_song -0.5 thumbs_up +0.5 total" in sentence
    )


def test_a_clock_that_stops_at_the_churn_is_named(
    train: DataFrame, validation: ValidationParameters
) -> None:
    stopped = F.when(F.col("churned"), F.col("days_since_last_seen") + 9.0)
    clock = train.withColumn(
        "days_since_last_seen", F.coalesce(stopped, F.col("days_since_last_seen"))
    )
    sentences = leakage.leakage_audit(clock, EVERYTHING, validation)["not_to_be_believed"]
    assert any("days_since_last_seen alone tells who churned" in told for told in sentences)
    assert any("a churner's clock stops" in told for told in sentences)


def test_features_that_noticed_later_events_are_named(
    train: DataFrame, validation: ValidationParameters
) -> None:
    later = {"deleted": 3, "altered": 0, "invented": 1}
    found = leakage.leakage_audit(train, EVERYTHING, validation, later)
    assert found["not_to_be_believed"] == [
        "Do not believe the forecast: features changed when events at or after the cutoff were "
        "deleted or invented."
    ]


def test_only_what_a_model_looks_at_is_audited(
    train: DataFrame, inputs: InputParameters, validation: ValidationParameters
) -> None:
    hidden = train.withColumn("label_again", F.col("churned").cast("double"))
    assert leakage.leakage_audit(hidden, inputs, validation)["not_to_be_believed"] == []
    assert leakage.leakage_audit(hidden, EVERYTHING, validation)["not_to_be_believed"]


@pytest.fixture(scope="module")
def days(spark: SparkSession, parameters: dict[str, Any]) -> DataFrame:
    """Return three users' days around a cutoff at 2018-11-07; one of them has none after it."""
    settings = parameters["feature_engineering"]
    counts = [*settings.pages, "other_pages", "cancellations", "sessions", "listening_ms"]
    counts += [f"free_{name}" for name in settings.by_level]
    rows = [
        {"user_id": user, "day": date(2018, 11, day), "level": level, **dict.fromkeys(counts, day)}
        for user, level, seen in [
            ("a", "free", [2, 6, 7]),
            ("b", "paid", [1, 9]),
            ("c", "free", [3]),
        ]
        for day in seen
    ]
    frame = pd.DataFrame(rows).assign(registration=pd.Timestamp("2018-10-20"))
    frame["last_ts"] = pd.to_datetime(frame["day"]) + pd.Timedelta(hours=9)
    return spark.createDataFrame(frame)


def snapshots(spark: SparkSession) -> DataFrame:
    rows = [(user, date(2018, 11, day), False) for user in "abc" for day in (4, 7)]
    return spark.createDataFrame(rows, "user_id string, cutoff date, churned boolean")


def test_the_project_s_features_do_not_notice_later_events(
    spark: SparkSession, days: DataFrame, parameters: dict[str, Any]
) -> None:
    found = leakage.later_events(days, snapshots(spark), parameters["feature_engineering"])
    assert found == {"deleted": 0, "altered": 0, "invented": 0}


def test_features_that_look_past_the_cutoff_are_noticed(
    spark: SparkSession,
    days: DataFrame,
    parameters: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def leaking(user_days: DataFrame, snapshots: DataFrame, _: Any) -> DataFrame:
        songs = user_days.groupBy("user_id").agg(F.sum("next_song").alias("songs"))
        return snapshots.join(songs, on="user_id", how="inner")

    monkeypatch.setattr(engineering, "features", leaking)
    found = leakage.later_events(days, snapshots(spark), parameters["feature_engineering"])
    assert found == {"deleted": 4, "altered": 4, "invented": 6}
