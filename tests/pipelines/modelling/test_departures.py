from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.departures import (
    find_departures,
    forecast_out_of_fold,
    learn_leaving_curve,
)
from sparkify.schemas import KEYS, OUT_OF_FOLD_PREDICTIONS

CUTOFF = date(2018, 10, 10)
LOG_END = date(2018, 10, 31)


@pytest.fixture(scope="module")
def settings(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return parameters["feature_engineering"]


def create_user_days(spark: SparkSession, days: dict[str, dict[int, int]]) -> DataFrame:
    """Return user days from the number of cancellations, by user and days since the cutoff."""
    rows = [
        (user, CUTOFF + timedelta(days=number), count, 0)
        for user, counts in days.items()
        for number, count in counts.items()
    ]
    return spark.createDataFrame(
        rows, "user_id string, day date, cancellations bigint, submit_downgrade bigint"
    )


def list_departures(departures: DataFrame) -> dict[str, tuple[int | None, int]]:
    rows = departures.select("user_id", "left_on_day", "follow_up_days").collect()
    return {row[0]: (row[1], row[2]) for row in rows}


def test_customers_leave_on_the_day_of_the_first_outcome(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    days = {
        "first day": {-3: 0, 0: 1},
        "twice": {-9: 1, 4: 1, 8: 1},
        "stays": {-1: 0, 5: 0},
        "before the cutoff": {-1: 1},
        "after the log": {-1: 0, 21: 1},
    }
    customers = spark.createDataFrame(
        [(user, CUTOFF) for user in [*days, "without events"]], "user_id string, cutoff date"
    )
    user_days = create_user_days(spark, days)
    assert list_departures(find_departures(customers, user_days, LOG_END, settings)) == {
        "first day": (1, 21),
        "twice": (5, 21),
        "stays": (None, 21),
        "before the cutoff": (None, 21),
        "after the log": (None, 21),
        "without events": (None, 21),
    }


def test_silent_customers_leave_on_the_last_day_of_the_first_silence(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    inactivity = settings.model_copy(update={"outcome": "inactivity"})
    days = {
        "silent from the cutoff": {-1: 0},
        "back after the horizon": {-1: 0, 10: 0},
        "back within it": {-1: 0, 9: 0, 18: 0},
        "silent later": {-1: 0, 4: 0},
        "the log ends first": {-1: 0, 8: 0, 11: 0},
    }
    customers = spark.createDataFrame(
        [(user, CUTOFF) for user in days], "user_id string, cutoff date"
    )
    user_days = create_user_days(spark, days)
    assert list_departures(find_departures(customers, user_days, LOG_END, inactivity)) == {
        "silent from the cutoff": (10, 21),
        "back after the horizon": (10, 21),
        "back within it": (None, 21),
        "silent later": (15, 21),
        "the log ends first": (None, 21),
    }


def test_the_forecast_is_of_one_trial_and_one_repeat(spark: SparkSession) -> None:
    rows = [
        (trial, "linear", repeat, 0, "a", CUTOFF, False, probability)
        for trial, repeat, probability in [(0, 0, 0.1), (1, 0, 0.2), (1, 1, 0.3)]
    ]
    predictions = spark.createDataFrame(rows, OUT_OF_FOLD_PREDICTIONS.struct)
    platt = {"method": "platt", "parameters": {"slope": 1.0, "intercept": 0.0}}
    (row,) = forecast_out_of_fold(predictions, 1, platt).collect()
    assert (row["user_id"], row["probability"]) == ("a", pytest.approx(0.2))


@pytest.mark.parametrize("outcome", ["cancellation", "inactivity"])
def test_a_curve_is_learnt_for_both_outcomes(
    spark: SparkSession, settings: FeatureEngineeringParameters, outcome: str
) -> None:
    # A customer who leaves comes every day until then; the others come every third day.
    days = {
        f"u{number}": (
            {day: int(day == number % 20) for day in range(number % 20 + 1)}
            if number % 4
            else dict.fromkeys(range(0, 21, 3), 0)
        )
        for number in range(80)
    }
    forecasts = spark.createDataFrame(
        [(user, CUTOFF, 0.2 + 0.3 * (number % 2)) for number, user in enumerate(days)],
        "user_id string, cutoff date, probability double",
    )
    changed = settings.model_copy(update={"outcome": outcome})
    curve = learn_leaving_curve(forecasts, create_user_days(spark, days), LOG_END, 15, 4.0, changed)
    assert (curve.horizon_days, curve.days) == (10, 15)
    assert curve.first_day == (10 if outcome == "inactivity" else 1)
    assert set(forecasts.columns) == {*KEYS, "probability"}
