from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.feature_engineering.customers import (
    LogTooShortError,
    label_customers,
    list_customers,
    list_cutoffs,
)
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters


@pytest.fixture(scope="module")
def settings(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return parameters["feature_engineering"]


def test_cutoffs_run_weekly_backwards_from_the_last_full_horizon(
    settings: FeatureEngineeringParameters,
) -> None:
    cutoffs = list_cutoffs(date(2018, 10, 30), date(2018, 12, 1), settings)
    assert cutoffs == [date(2018, 11, 21), date(2018, 11, 14), date(2018, 11, 7)]


def test_a_log_too_short_for_one_cutoff_is_an_error(
    settings: FeatureEngineeringParameters,
) -> None:
    with pytest.raises(LogTooShortError, match="10 days"):
        list_cutoffs(date(2018, 11, 20), date(2018, 12, 1), settings)


CUTOFF = date(2018, 11, 1)
# (user, day with events, whether the last event is a cancellation). The 30 days before the cutoff
# begin on 2018-10-02; the horizon of 10 days ends with 2018-11-10.
DAYS = [
    ("seen 31 days before", "2018-10-01", False),
    ("seen 31 days before, and after", "2018-10-01", False),
    ("seen 31 days before, and after", "2018-11-05", False),
    ("seen 30 days before", "2018-10-02", False),
    ("seen the day before", "2018-10-31", False),
    ("seen on the cutoff", "2018-10-31", False),
    ("seen on the cutoff", "2018-11-01", False),
    ("seen on the last day", "2018-10-31", False),
    ("seen on the last day", "2018-11-10", False),
    ("seen on the day after", "2018-10-31", False),
    ("seen on the day after", "2018-11-11", False),
    ("first seen on the cutoff", "2018-11-01", False),
    ("cancelled before", "2018-10-31", True),
    ("cancelled before, returned after", "2018-10-30", True),
    ("cancelled before, returned after", "2018-11-02", False),
    ("cancelled and returned before", "2018-10-20", True),
    ("cancelled and returned before", "2018-10-31", False),
    ("cancels in the horizon", "2018-10-31", False),
    ("cancels in the horizon", "2018-11-03", True),
]
CHURNED = {
    "seen 30 days before": True,
    "seen the day before": True,
    "seen on the cutoff": False,
    "seen on the last day": False,
    "seen on the day after": True,
    "cancelled and returned before": True,
    "cancels in the horizon": False,
}


def user_days(spark: SparkSession, rows: list[tuple[str, str, bool]]) -> DataFrame:
    return spark.createDataFrame(
        [(user, date.fromisoformat(day), "free", ends, int(ends)) for user, day, ends in rows],
        "user_id string, day date, level string, ends_cancelled boolean, cancellations bigint",
    )


@pytest.fixture(scope="module")
def inactivity(settings: FeatureEngineeringParameters) -> FeatureEngineeringParameters:
    return settings.model_copy(update={"outcome": "inactivity"})


def collect_labels(
    days: DataFrame, settings: FeatureEngineeringParameters, cutoff: date = CUTOFF
) -> dict[str, bool]:
    rows = label_customers(days, [cutoff], settings).collect()
    assert {row["cutoff"] for row in rows} <= {cutoff}
    return {row["user_id"]: row["churned"] for row in rows}


def test_an_inactive_customer_was_seen_before_the_cutoff_and_not_in_the_horizon(
    spark: SparkSession, inactivity: FeatureEngineeringParameters
) -> None:
    assert (inactivity.active_within_days, inactivity.horizon_days) == (30, 10)
    assert collect_labels(user_days(spark, DAYS), inactivity) == CHURNED


def test_with_final_a_cancelled_user_is_never_a_customer_again(
    spark: SparkSession, inactivity: FeatureEngineeringParameters
) -> None:
    final = inactivity.model_copy(update={"returning_customers": "final"})
    expected = dict(CHURNED)
    del expected["cancelled and returned before"]
    assert collect_labels(user_days(spark, DAYS), final) == expected


def test_active_within_days_limits_the_customers(
    spark: SparkSession, inactivity: FeatureEngineeringParameters
) -> None:
    days = user_days(spark, DAYS)
    one_day = collect_labels(days, inactivity.model_copy(update={"active_within_days": 1}))
    assert one_day == {user: label for user, label in CHURNED.items() if "30 days" not in user}
    longer = collect_labels(days, inactivity.model_copy(update={"active_within_days": 31}))
    more = {"seen 31 days before": True, "seen 31 days before, and after": False}
    assert longer == {**CHURNED, **more}


def test_a_longer_horizon_includes_later_days(
    spark: SparkSession, inactivity: FeatureEngineeringParameters
) -> None:
    longer = inactivity.model_copy(update={"horizon_days": 11})
    assert collect_labels(user_days(spark, DAYS), longer) == {
        **CHURNED,
        "seen on the day after": False,
    }


def test_later_events_do_not_change_the_customers(
    spark: SparkSession, inactivity: FeatureEngineeringParameters
) -> None:
    days = user_days(spark, DAYS)
    for log in (days, days.where("day < '2018-11-01'")):
        users = {row["user_id"] for row in list_customers(log, [CUTOFF], inactivity).collect()}
        assert users == set(CHURNED)


def test_customers_differ_between_cutoffs(
    spark: SparkSession, inactivity: FeatureEngineeringParameters
) -> None:
    days = user_days(spark, [("a", "2018-10-01", False), ("b", "2018-10-25", False)])
    cutoffs = [date(2018, 10, 20), CUTOFF]
    rows = label_customers(days, cutoffs, inactivity).collect()
    assert {(row["user_id"], row["cutoff"], row["churned"]) for row in rows} == {
        ("a", cutoffs[0], True),
        ("b", CUTOFF, True),
    }
