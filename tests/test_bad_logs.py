"""What becomes of a whole log that nobody wants."""

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

USABLE = {"accepted": 1, "rejected_share": 0.0, "max_rejected_share": 0.2}
FIRST_DAY = date(2018, 10, 1)
LAST_SECOND = 86_399
MILLION = 1_000_000


def seen(user: str, days: Iterable[int], page: str = "NextSong") -> list[str]:
    """Return a line per day, late in the evening."""
    return [
        line(userId=user, page=page, sessionId=day, itemInSession=0, ts=ms(day, LAST_SECOND - 9))
        for day in days
    ]


CANCELLATION = "Cancellation Confirmation"
# 61 days; cutoffs are days 9, 16, … 51. Nobody says `Cancel` before the confirmation.
HISTORIES = {
    "steady": seen("steady", range(0, 61, 3)),
    "seen once": seen("seen once", [30]),
    "goes on after it": [
        *seen("goes on after it", range(0, 61, 2)),
        *seen("goes on after it", [19], CANCELLATION),
    ],
    "confirms alone": [*seen("confirms alone", [0]), *seen("confirms alone", [45], CANCELLATION)],
    "gone at once": [*seen("gone at once", [0]), *seen("gone at once", [3], CANCELLATION)],
    "came last": seen("came last", [58, 60]),
}
# Cutoffs at which each was a customer: whether he cancelled within ten days.
CUSTOMERS = {
    "steady": {9: False, 16: False, 23: False, 30: False, 37: False, 44: False, 51: False},
    "seen once": {37: False, 44: False, 51: False},
    "goes on after it": {9: False, 16: True, **dict.fromkeys((23, 30, 37, 44, 51), False)},
    "confirms alone": {9: False, 16: False, 23: False, 30: False, 37: True, 44: True},
}


def write_in_order(log: Path) -> None:
    log.write_bytes(bad_logs.as_bytes(text for lines in HISTORIES.values() for text in lines))


def write_in_a_mess(log: Path) -> None:
    """Write part files backwards, many lines twice, some with other columns or line ends."""
    log.mkdir()
    for number, lines in enumerate(HISTORIES.values()):
        delivered = [text for place, text in enumerate(lines) for _ in range(1 + place % 3)]
        if number % 3 == 1:
            delivered = [text.replace("{", '{"version": 2, ', 1) for text in delivered]
        end = b"\r\n" if number % 3 == 2 else b"\n"
        backwards = reversed([*delivered, "torn"])
        (log / f"part-{number}").write_bytes(end.join(text.encode() for text in backwards))


def user_days(log: Path, parameters: dict[str, Any]) -> DataFrame:
    raw = EventLogDataset(filepath=str(log)).load()
    checked = processing.check_events(raw, parameters["data_processing"])
    repeated = processing.find_repeated_events(checked)
    events = engineering.select_events(checked, repeated, USABLE, parameters["data_processing"])
    return engineering.aggregate_user_days(events, parameters["feature_engineering"])


def customers(days: DataFrame, parameters: dict[str, Any]) -> dict[str, dict[int, bool]]:
    """Return who was a customer at which cutoff, as day of the log, and whether he churned."""
    found: dict[str, dict[int, bool]] = defaultdict(dict)
    for row in engineering.label_snapshots(days, parameters["feature_engineering"]).collect():
        found[row["user_id"]][(row["cutoff"] - FIRST_DAY).days] = row["churned"]
    return found


@pytest.fixture(scope="module")
def days(
    spark: SparkSession, parameters: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> DataFrame:
    log = tmp_path_factory.mktemp("log") / "log.json"
    write_in_order(log)
    return user_days(log, parameters).cache()


def of(days: DataFrame, *users: str) -> DataFrame:
    """Return the days of a log in which there are these users alone."""
    return days.where(F.col("user_id").isin(*users))


def test_a_cancelled_customer_is_one_again_with_the_first_event_after_it(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    assert customers(days, parameters) == CUSTOMERS


def test_a_cancellation_is_final_where_parameters_say_so(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    settings = parameters["feature_engineering"]
    final = settings.model_copy(update={"returning_customers": "final"})
    expected = {**CUSTOMERS, "goes on after it": {9: False, 16: True}}
    assert customers(days, {"feature_engineering": final}) == expected


def test_torn_shuffled_repeated_lines_of_several_schemas_give_the_same_days(
    days: DataFrame, parameters: dict[str, Any], tmp_path: Path
) -> None:
    write_in_a_mess(tmp_path / "log.json")
    messy = user_days(tmp_path / "log.json", parameters)
    assert sorted(map(str, messy.collect())) == sorted(map(str, days.collect()))


def test_a_log_in_which_nobody_cancelled_ends_with_the_counts(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    with pytest.raises(TooLittleDataError, match=r"^0 churners in .* and 0 among 2 users on the"):
        split(of(days, "steady", "seen once"), parameters)


def test_a_log_in_which_all_cancelled_ends_with_the_counts(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    everybody = of(days, "goes on after it", "confirms alone")
    with pytest.raises(TooLittleDataError, match=r"use a log of more users or days\.$"):
        split(everybody, parameters)


def test_a_log_without_a_customer_at_any_cutoff_ends_with_what_that_means(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    with pytest.raises(TooLittleDataError, match="snapshots holds no rows: nobody was a customer"):
        split(of(days, "gone at once", "came last"), parameters)


def split(days: DataFrame, parameters: dict[str, Any]) -> None:
    snapshots = engineering.label_snapshots(days, parameters["feature_engineering"])
    features = snapshots.select("user_id", "cutoff")
    settings = (parameters["modelling"], parameters["feature_engineering"])
    split_in_time(features, snapshots, {"missing_pages": {}}, *settings)


def test_a_log_of_one_event_is_too_short(days: DataFrame, parameters: dict[str, Any]) -> None:
    with pytest.raises(LogTooShortError, match="events span 2018-10-31 to 2018-11-01"):
        split(of(days, "seen once"), parameters)


@pytest.mark.parametrize("stray", [date(2004, 1, 1), date(2099, 12, 31)])
def test_an_event_years_away_is_told_before_it_makes_thousands_of_cutoffs(
    days: DataFrame, parameters: dict[str, Any], stray: date
) -> None:
    years_away = of(days, "seen once").withColumns(
        {"day": F.lit(stray), "last_ts": F.lit(stray).cast("timestamp")}
    )
    with pytest.raises(LogGapError, match="events: no event between") as told:
        customers(days.unionByName(years_away), parameters)
    assert str(stray) in str(told.value)
    assert "data_processing.earliest_event and latest_event" in str(told.value)


def test_a_rest_of_some_weeks_is_no_wrong_clock(
    days: DataFrame, parameters: dict[str, Any]
) -> None:
    most = parameters["feature_engineering"].most_days_without_events
    rested = of(days, "confirms alone").withColumn(
        "day", F.when(F.col("cancellations") > 0, F.lit(FIRST_DAY + timedelta(most + 1)))
        .otherwise(F.lit(FIRST_DAY))
    )  # fmt: skip
    assert customers(rested, parameters).keys() == {"confirms alone"}


def test_a_user_with_a_million_events_counts_like_any_other(
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
    )
    rows = engineering.aggregate_user_days(events, parameters["feature_engineering"]).collect()
    assert len(rows) == 24  # two million seconds
    assert sum(row["next_song"] for row in rows) == MILLION
    assert sum(row["listening_ms"] for row in rows) == 100_000 * MILLION
    assert sum(row["sessions"] for row in rows) == 1


@pytest.mark.parametrize("name", bad_logs.EMPTY)
def test_a_log_without_lines_is_told(
    spark: SparkSession, parameters: dict[str, Any], tmp_path: Path, name: str
) -> None:
    bad_logs.EMPTY[name](tmp_path / "log.json")
    raw = EventLogDataset(filepath=str(tmp_path / "log.json")).load()
    with pytest.raises(LogError, match="raw_events holds no lines: the log is empty"):
        processing.check_events(raw, parameters["data_processing"])


@pytest.mark.parametrize(
    "name", sorted(bad_logs.WITHOUT_EVENTS.keys() - {"years of which no log can be"})
)  # test_cli.py
def test_a_log_without_an_event_is_told_with_the_reason_and_what_to_do(
    spark: SparkSession, parameters: dict[str, Any], tmp_path: Path, name: str
) -> None:
    write, words = bad_logs.WITHOUT_EVENTS[name]
    write(tmp_path / "log.json")
    raw = EventLogDataset(filepath=str(tmp_path / "log.json")).load()
    checks = parameters["data_processing"]
    checked = processing.check_events(raw, checks).localCheckpoint()
    repeated = processing.find_repeated_events(checked)
    counts = processing.count_events(checked, repeated)
    with pytest.raises(LogError, match=words):
        processing.require_usable_log(
            processing.summarize_data_quality(checked, repeated, counts, {}, checks)
        )
