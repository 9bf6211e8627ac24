"""Bad logs from their files to snapshots."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.datasets import EventLogDataset
from sparkify.errors import TooLittleDataError
from sparkify.pipelines.data_processing import nodes as processing
from sparkify.pipelines.data_processing.diagnosis import LogError
from sparkify.pipelines.feature_engineering import nodes as engineering
from sparkify.pipelines.feature_engineering.customers import LogGapError, LogTooShortError
from sparkify.pipelines.modelling.nodes import split_in_time
from tests import bad_logs
from tests.bad_logs import line, ms
from tests.checked_log import check_log, sum_events_by_day, summarize_log

FIRST_DAY = date(2018, 10, 1)
LAST_SECOND = 86_399
MILLION = 1_000_000


def make_visits(user: str, days: Iterable[int], page: str = "NextSong") -> list[str]:
    """Return a line per day, late in the evening."""
    return [
        line(userId=user, page=page, sessionId=day, itemInSession=0, ts=ms(day, LAST_SECOND - 9))
        for day in days
    ]


CANCELLATION = "Cancellation Confirmation"
# 61 days; cutoffs are days 9, 16, … 51. No user visits `Cancel` before the confirmation.
HISTORIES = {
    "steady": make_visits("steady", range(0, 61, 3)),
    "seen once": make_visits("seen once", [30]),
    "goes on after it": [
        *make_visits("goes on after it", range(0, 61, 2)),
        *make_visits("goes on after it", [19], CANCELLATION),
    ],
    "confirms alone": [
        *make_visits("confirms alone", [0]),
        *make_visits("confirms alone", [45], CANCELLATION),
    ],
    "gone at once": [
        *make_visits("gone at once", [0]),
        *make_visits("gone at once", [3], CANCELLATION),
    ],
    "came last": make_visits("came last", [58, 60]),
}
# By user and cutoff: whether a customer cancels within ten days.
CUSTOMERS = {
    "steady": {9: False, 16: False, 23: False, 30: False, 37: False, 44: False, 51: False},
    "seen once": {37: False, 44: False, 51: False},
    "goes on after it": {9: False, 16: True, **dict.fromkeys((23, 30, 37, 44, 51), False)},
    "confirms alone": {9: False, 16: False, 23: False, 30: False, 37: True, 44: True},
}


def write_sorted(log: Path) -> None:
    log.write_bytes(bad_logs.as_bytes(text for lines in HISTORIES.values() for text in lines))


def write_shuffled(log: Path) -> None:
    """Write part files in reverse, with duplicates and different columns or line ends."""
    log.mkdir()
    for number, lines in enumerate(HISTORIES.values()):
        delivered = [text for place, text in enumerate(lines) for _ in range(1 + place % 3)]
        if number % 3 == 1:
            delivered = [text.replace("{", '{"version": 2, ', 1) for text in delivered]
        end = b"\r\n" if number % 3 == 2 else b"\n"
        backwards = reversed([*delivered, "incomplete"])
        (log / f"part-{number}").write_bytes(end.join(text.encode() for text in backwards))


def make_user_days(log: Path, parameters: dict[str, Any]) -> DataFrame:
    raw = EventLogDataset(filepath=str(log)).load().read_all()
    pages = check_log(raw, parameters["data_processing"]).page_counts
    return engineering.sum_user_days(pages, parameters["feature_engineering"])


def collect_labels(days: DataFrame, parameters: dict[str, Any]) -> dict[str, dict[int, bool]]:
    """Return whether each customer churned, by user and cutoff as a day of the log."""
    labels: dict[str, dict[int, bool]] = defaultdict(dict)
    for row in engineering.label_snapshots(days, parameters["feature_engineering"]).collect():
        labels[row["user_id"]][(row["cutoff"] - FIRST_DAY).days] = row["churned"]
    return labels


@pytest.fixture(scope="module")
def days(
    spark: SparkSession, parameters: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> DataFrame:
    log = tmp_path_factory.mktemp("log") / "log.json"
    write_sorted(log)
    return make_user_days(log, parameters).cache()


def select_users(days: DataFrame, *users: str) -> DataFrame:
    """Return the days of these users."""
    return days.where(F.col("user_id").isin(*users))


def test_a_cancelled_customer_returns_with_the_first_later_event(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    assert collect_labels(days, parameters) == CUSTOMERS


def test_a_cancellation_can_be_final(days: DataFrame, parameters: dict[str, Any]) -> None:
    settings = parameters["feature_engineering"]
    final = settings.model_copy(update={"returning_customers": "final"})
    expected = {**CUSTOMERS, "goes on after it": {9: False, 16: True}}
    assert collect_labels(days, {"feature_engineering": final}) == expected


def test_incomplete_shuffled_and_duplicate_lines_do_not_change_user_days(
    days: DataFrame, parameters: dict[str, Any], tmp_path: Path
) -> None:
    write_shuffled(tmp_path / "log.json")
    messy = make_user_days(tmp_path / "log.json", parameters)
    assert sorted(map(str, messy.collect())) == sorted(map(str, days.collect()))


def test_the_error_for_a_log_without_cancellations_has_the_counts(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    with pytest.raises(TooLittleDataError, match=r"^0 churners in .* and 0 among 2 users on the"):
        split(select_users(days, "steady", "seen once"), parameters)


def test_the_error_for_a_log_in_which_all_cancel_has_a_remedy(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    users = select_users(days, "goes on after it", "confirms alone")
    with pytest.raises(TooLittleDataError, match=r"use a log of more users or days\.$"):
        split(users, parameters)


def test_the_error_for_a_log_without_customers_explains_it(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    with pytest.raises(TooLittleDataError, match="snapshots has no rows: there is no customer"):
        split(select_users(days, "gone at once", "came last"), parameters)


def split(days: DataFrame, parameters: dict[str, Any]) -> None:
    snapshots = engineering.label_snapshots(days, parameters["feature_engineering"])
    features = snapshots.select("user_id", "cutoff")
    settings = (parameters["modelling"], parameters["feature_engineering"])
    split_in_time(features, snapshots, {"missing_pages": {}}, *settings, max_customers=1_000)


def test_a_log_of_one_event_is_too_short(days: DataFrame, parameters: dict[str, Any]) -> None:
    with pytest.raises(LogTooShortError, match="events span 2018-10-31 to 2018-11-01"):
        split(select_users(days, "seen once"), parameters)


@pytest.mark.parametrize("day", [date(2004, 1, 1), date(2099, 12, 31)])
def test_an_event_years_away_is_an_error_instead_of_thousands_of_cutoffs(
    days: DataFrame, parameters: dict[str, Any], day: date
) -> None:
    distant_day = select_users(days, "seen once").withColumns(
        {"day": F.lit(day), "last_ts": F.lit(day).cast("timestamp")}
    )
    with pytest.raises(LogGapError, match="events: no event between") as error:
        collect_labels(days.unionByName(distant_day), parameters)
    assert str(day) in str(error.value)
    assert "data_processing.earliest_event and latest_event" in str(error.value)


def test_a_gap_of_some_weeks_is_allowed(days: DataFrame, parameters: dict[str, Any]) -> None:
    max_days = parameters["feature_engineering"].max_gap_days
    with_gap = select_users(days, "confirms alone").withColumn(
        "day", F.when(F.col("cancellations") > 0, F.lit(FIRST_DAY + timedelta(max_days + 1)))
        .otherwise(F.lit(FIRST_DAY))
    )  # fmt: skip
    assert collect_labels(with_gap, parameters).keys() == {"confirms alone"}


def test_a_user_with_a_million_events_is_aggregated(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    number = F.col("id")
    same = {"user_id": "30", "session_id": "29", "page": "NextSong", "level": "paid", "gender": "M"}
    events = spark.range(MILLION).select(
        *(F.lit(value).alias(name) for name, value in same.items()),
        F.timestamp_millis(F.lit(ms(0)) + number * 2_000).alias("ts"),
        number.alias("item_in_session"),
        F.lit(FIRST_DAY).cast("timestamp").alias("registration"),
        F.lit(100.0).alias("length"),
        F.lit(None).cast("double").alias("revenue"),
    )
    rows = sum_events_by_day(events, parameters["feature_engineering"]).collect()
    assert len(rows) == 24  # two million seconds
    assert sum(row["next_song"] for row in rows) == MILLION
    assert sum(row["listening_ms"] for row in rows) == 100_000 * MILLION
    assert sum(row["sessions"] for row in rows) == 1


@pytest.mark.parametrize("name", bad_logs.EMPTY)
def test_an_empty_log_is_an_error(
    spark: SparkSession, parameters: dict[str, Any], tmp_path: Path, name: str
) -> None:
    bad_logs.EMPTY[name](tmp_path / "log.json")
    log = EventLogDataset(filepath=str(tmp_path / "log.json")).load()
    checks = parameters["data_processing"]
    plan = processing.plan_reading(log, {"checked_events": {}}, checks)
    with pytest.raises(LogError, match="raw_events has no lines: the log is empty"):
        processing.check_events(log, plan, checks)


@pytest.mark.parametrize(
    "name", sorted(bad_logs.WITHOUT_EVENTS.keys() - {"impossible years"})
)  # test_cli.py
def test_the_error_for_a_log_without_events_has_reasons_and_remedies(
    spark: SparkSession, parameters: dict[str, Any], tmp_path: Path, name: str
) -> None:
    write, words = bad_logs.WITHOUT_EVENTS[name]
    write(tmp_path / "log.json")
    raw = EventLogDataset(filepath=str(tmp_path / "log.json")).load().read_all()
    checks = parameters["data_processing"]
    tables = check_log(raw, checks)
    with pytest.raises(LogError, match=words):
        processing.require_usable_log(summarize_log(tables, checks))
