from datetime import date
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.campaigns.movements import count_steps, list_week_ends
from sparkify.pipelines.feature_engineering.customers import list_customers
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters

WEEKS = [date(2018, 11, 1), date(2018, 11, 8), date(2018, 11, 15)]
# Quiet is who was not seen for 14 days: on 1 November, whoever was last seen before 18 October.
DAYS = [
    ("always", "2018-10-31", "paid", 0),
    ("always", "2018-11-14", "paid", 0),
    ("goes quiet", "2018-10-20", "free", 0),
    ("comes back", "2018-10-10", "free", 0),
    ("comes back", "2018-11-03", "free", 0),
    ("cancels", "2018-10-31", "paid", 0),
    ("cancels", "2018-11-10", "paid", 1),
    ("new", "2018-11-09", "free", 0),
    ("rejoins", "2018-10-25", "free", 1),
    ("rejoins", "2018-11-14", "free", 0),
]


@pytest.fixture(scope="module")
def user_days(spark: SparkSession) -> DataFrame:
    rows = [(user, date.fromisoformat(day), level, gone) for user, day, level, gone in DAYS]
    schema = "user_id string, day date, level string, cancellations bigint"
    return spark.createDataFrame(rows, schema).withColumns(
        {"ends_cancelled": F.col("cancellations") > 0, "submit_downgrade": F.lit(0)}
    )


def steps(
    user_days: DataFrame, settings: FeatureEngineeringParameters, **changes: Any
) -> list[tuple[Any, ...]]:
    changed = settings.model_copy(update=changes)
    return list(count_steps(user_days, WEEKS, 14, changed).itertuples(index=False, name=None))


def test_customers_are_counted_by_their_state_before_and_after_each_week(
    user_days: DataFrame, settings: FeatureEngineeringParameters
) -> None:
    first, second = WEEKS[1:]
    assert steps(user_days, settings) == [
        (first, "free", "active", "quiet", 1),  # goes quiet
        (first, "free", "cancelled", "cancelled", 1),  # rejoins, not yet
        (first, "free", "quiet", "returned", 1),  # comes back
        (first, "paid", "active", "active", 2),  # always, cancels
        (second, "free", "active", "active", 1),  # comes back
        (second, "free", "cancelled", "returned", 1),  # rejoins
        (second, "free", "new", "active", 1),  # new
        (second, "free", "quiet", "quiet", 1),  # goes quiet
        (second, "paid", "active", "active", 1),  # always
        (second, "paid", "active", "cancelled", 1),  # cancels
    ]


def test_a_cancellation_can_be_final(
    user_days: DataFrame, settings: FeatureEngineeringParameters
) -> None:
    result = steps(user_days, settings, returning_customers="final")
    assert (WEEKS[2], "free", "cancelled", "cancelled", 1) in result
    assert not any(row[2:4] == ("cancelled", "returned") for row in result)


def test_who_is_not_quiet_is_a_customer_of_the_outcome_inactivity(
    user_days: DataFrame, settings: FeatureEngineeringParameters
) -> None:
    changed = settings.model_copy(update={"outcome": "inactivity", "active_within_days": 14})
    customers = list_customers(user_days, WEEKS[1:], changed).count()
    active = [row[-1] for row in steps(user_days, settings) if row[3] in ("active", "returned")]
    assert sum(active) == customers


def test_weeks_end_with_the_log_and_begin_when_a_customer_can_be_quiet() -> None:
    first, end = date(2018, 10, 1), date(2018, 12, 1)
    assert list_week_ends(first, end, silent_after_days=40, weeks=26) == [
        date(2018, 11, 10),
        date(2018, 11, 17),
        date(2018, 11, 24),
        date(2018, 12, 1),
    ]
    assert list_week_ends(first, end, 40, weeks=1) == [date(2018, 11, 24), date(2018, 12, 1)]


def test_a_short_log_has_no_movements(
    user_days: DataFrame, settings: FeatureEngineeringParameters
) -> None:
    result = count_steps(user_days, WEEKS[:1], 14, settings)
    assert result.empty
    assert list(result.columns) == ["week_end", "level", "before", "now", "customers"]
