from datetime import datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.feature_engineering.completion import assign_levels, assign_sessions

START = datetime(2018, 10, 1)
COLUMNS = "user_id string, ts timestamp, item_in_session bigint, page string, {} string"


def table(spark: SparkSession, column: str, *rows: tuple[str, float, str, str | None]) -> DataFrame:
    """Return events of (user, minute, page, value of the column)."""
    events = [
        (user, START + timedelta(minutes=minute), number, page, value)
        for number, (user, minute, page, value) in enumerate(rows)
    ]
    return spark.createDataFrame(events, COLUMNS.format(column))


def found(events: DataFrame, column: str) -> list[Any]:
    return [row[column] for row in events.orderBy("item_in_session").collect()]


def name(minute: float) -> str:
    return f"since {int((START + timedelta(minutes=minute)).timestamp() * 1_000)}"


def test_a_longer_pause_than_the_gap_begins_a_session(spark: SparkSession) -> None:
    minutes = [0, 30, 60.5, 90.4, 121]
    events = table(spark, "session_id", *(("a", minute, "Home", None) for minute in minutes))
    assert found(assign_sessions(events, 30), "session_id") == [
        *[name(0), name(0), name(60.5), name(60.5), name(121)]
    ]


def test_each_customer_s_pauses_are_their_own(spark: SparkSession) -> None:
    rows = [("a", 0, "Home", None), ("b", 20, "Home", None), ("a", 40, "Home", None)]
    events = table(spark, "session_id", *rows)
    assert found(assign_sessions(events, 30), "session_id") == [name(0), name(20), name(40)]


def test_sessions_that_the_log_names_stay_and_are_no_part_of_others(spark: SparkSession) -> None:
    rows = [("a", 0, "Home", None), ("a", 25, "Home", "s1"), ("a", 50, "Home", None)]
    events = table(spark, "session_id", *rows)
    assert found(assign_sessions(events, 30), "session_id") == [name(0), "s1", name(50)]


@pytest.mark.parametrize("partitions", [1, 4])
def test_order_and_partitions_of_the_events_do_not_matter(
    spark: SparkSession, partitions: int
) -> None:
    rows = [("a", minute, "Home", None) for minute in (0, 10, 10, 50, 10)]
    events = table(spark, "session_id", *rows).orderBy("page").repartition(partitions)
    assert found(assign_sessions(events, 30), "session_id") == [
        *[name(0), name(0), name(0), name(50), name(0)]
    ]


PAGES = {"paid": ("Upgraded",), "free": ("Downgraded",)}


def levels(spark: SparkSession, pages: dict[str, tuple[str, ...]], *visited: str) -> list[Any]:
    events = table(spark, "level", *(("a", n, page, None) for n, page in enumerate(visited)))
    return found(assign_levels(events, pages), "level")  # type: ignore[arg-type]


def test_a_level_holds_from_the_event_after_its_page_on(spark: SparkSession) -> None:
    visited = ["Home", "Upgraded", "Home", "Home", "Downgraded", "Home"]
    assert levels(spark, PAGES, *visited) == ["free", "free", "paid", "paid", "paid", "free"]


def test_before_the_first_change_the_level_is_the_other_one(spark: SparkSession) -> None:
    assert levels(spark, PAGES, "Home", "Downgraded", "Home") == ["paid", "paid", "free"]


@pytest.mark.parametrize(
    ("pages", "level"),
    [(PAGES, "free"), ({"paid": ("Upgraded",)}, "free"), ({"free": ("Downgraded",)}, "paid")],
)
def test_without_a_change_the_level_is_where_customers_begin(
    spark: SparkSession, pages: dict[str, tuple[str, ...]], level: str
) -> None:
    assert levels(spark, pages, "Home", "Home") == [level, level]


def test_a_level_that_the_log_names_stays(spark: SparkSession) -> None:
    rows = [("a", 0, "Upgraded", "free"), ("a", 1, "Home", None), ("b", 2, "Home", "paid")]
    assert found(assign_levels(table(spark, "level", *rows), PAGES), "level") == [
        *["free", "paid", "paid"]
    ]
