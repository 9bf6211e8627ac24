from datetime import datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.data_processing.completion import assign_levels, assign_sessions

START = datetime(2018, 10, 1)
COLUMNS = "user_id string, ts timestamp, item_in_session bigint, page string, {} string"


def make_events(
    spark: SparkSession, column: str, *rows: tuple[str, float, str, str | None]
) -> DataFrame:
    """Return events of (user, minute, page, value of the column)."""
    events = [
        (user, START + timedelta(minutes=minute), number, page, value)
        for number, (user, minute, page, value) in enumerate(rows)
    ]
    return spark.createDataFrame(events, COLUMNS.format(column))


def collect_column(events: DataFrame, column: str) -> list[Any]:
    return [row[column] for row in events.orderBy("item_in_session").collect()]


def make_session_id(minute: float) -> str:
    return f"since {int((START + timedelta(minutes=minute)).timestamp() * 1_000)}"


def test_a_longer_pause_than_the_gap_begins_a_session(spark: SparkSession) -> None:
    minutes = [0, 30, 60.5, 90.4, 121]
    events = make_events(spark, "session_id", *(("a", minute, "Home", None) for minute in minutes))
    assert collect_column(assign_sessions(events, 30), "session_id") == [
        *[
            make_session_id(0),
            make_session_id(0),
            make_session_id(60.5),
            make_session_id(60.5),
            make_session_id(121),
        ]
    ]


def test_pauses_are_counted_per_customer(spark: SparkSession) -> None:
    rows = [("a", 0, "Home", None), ("b", 20, "Home", None), ("a", 40, "Home", None)]
    events = make_events(spark, "session_id", *rows)
    assert collect_column(assign_sessions(events, 30), "session_id") == [
        make_session_id(0),
        make_session_id(20),
        make_session_id(40),
    ]


def test_session_ids_of_the_log_do_not_change(spark: SparkSession) -> None:
    rows = [("a", 0, "Home", None), ("a", 25, "Home", "s1"), ("a", 50, "Home", None)]
    events = make_events(spark, "session_id", *rows)
    assert collect_column(assign_sessions(events, 30), "session_id") == [
        make_session_id(0),
        "s1",
        make_session_id(50),
    ]


@pytest.mark.parametrize("partitions", [1, 4])
def test_sessions_do_not_depend_on_order_or_partitions(
    spark: SparkSession, partitions: int
) -> None:
    rows = [("a", minute, "Home", None) for minute in (0, 10, 10, 50, 10)]
    events = make_events(spark, "session_id", *rows).orderBy("page").repartition(partitions)
    assert collect_column(assign_sessions(events, 30), "session_id") == [
        *[
            make_session_id(0),
            make_session_id(0),
            make_session_id(0),
            make_session_id(50),
            make_session_id(0),
        ]
    ]


PAGES = {"paid": ("Upgraded",), "free": ("Downgraded",)}


def collect_levels(
    spark: SparkSession, pages: dict[str, tuple[str, ...]], *visited: str
) -> list[Any]:
    events = make_events(spark, "level", *(("a", n, page, None) for n, page in enumerate(visited)))
    return collect_column(assign_levels(events, pages), "level")  # type: ignore[arg-type]


def test_a_level_begins_with_the_event_after_its_page(spark: SparkSession) -> None:
    visited = ["Home", "Upgraded", "Home", "Home", "Downgraded", "Home"]
    assert collect_levels(spark, PAGES, *visited) == [
        "free",
        "free",
        "paid",
        "paid",
        "paid",
        "free",
    ]


def test_the_level_before_the_first_change_is_the_other_level(spark: SparkSession) -> None:
    assert collect_levels(spark, PAGES, "Home", "Downgraded", "Home") == ["paid", "paid", "free"]


@pytest.mark.parametrize(
    ("pages", "level"),
    [(PAGES, "free"), ({"paid": ("Upgraded",)}, "free"), ({"free": ("Downgraded",)}, "paid")],
)
def test_customers_without_a_change_have_the_initial_level(
    spark: SparkSession, pages: dict[str, tuple[str, ...]], level: str
) -> None:
    assert collect_levels(spark, pages, "Home", "Home") == [level, level]


def test_levels_of_the_log_do_not_change(spark: SparkSession) -> None:
    rows = [("a", 0, "Upgraded", "free"), ("a", 1, "Home", None), ("b", 2, "Home", "paid")]
    assert collect_column(assign_levels(make_events(spark, "level", *rows), PAGES), "level") == [
        *["free", "paid", "paid"]
    ]
