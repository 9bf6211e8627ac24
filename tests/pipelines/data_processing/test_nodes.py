import json
import time
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.log_formats.event_log import EventLogFiles
from sparkify.pipelines.data_processing import nodes
from sparkify.pipelines.data_processing.diagnosis import LogError
from sparkify.pipelines.data_processing.fields import FIELDS
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.schemas import CHECKED_RECORDS, EVENT_COUNTS, EVENTS
from sparkify.spark.checksums import digest_log, record_hash
from tests.bad_logs import line
from tests.checked_log import USABLE, check_log, count_log, summarize_log

# How data_quality shows a duplicate: as the event.
EVENT = (
    '{"user_id":"30","ts":"2018-10-01T00:01:57.000Z","session_id":"29","item_in_session":50,'
    '"page":"NextSong","level":"paid","registration":"2018-09-28T22:22:42.000Z","gender":"M",'
    '"length":277.89016}'
)


def quote(text: str) -> str:
    """Return the quote of a rejected record: only fields have values."""
    event = {key: value if key in FIELDS else "…" for key, value in json.loads(text).items()}
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False)


def log(spark: SparkSession, *lines: str) -> DataFrame:
    return spark.createDataFrame([(text,) for text in lines], "value string")


def summarize(
    spark: SparkSession,
    checks: DataProcessingParameters,
    raw: DataFrame,
    record: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return summarize_log(check_log(raw, checks), checks, record)


def test_each_record_becomes_a_row(spark: SparkSession, checks: DataProcessingParameters) -> None:
    checked = nodes.check_records(log(spark, line(), "x"), checks)
    assert CHECKED_RECORDS.validate(checked) is checked
    first, second = checked.orderBy("rejection").collect()
    assert (first["user_id"], first["ts"]) == ("30", datetime(2018, 10, 1, 0, 1, 57))
    assert (second["rejection"], second["line"]) == ("malformed JSON", "x")


def test_the_hash_of_a_record_is_the_hash_of_its_text(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    raw = log(spark, line(), "x", "")
    hashes = [row[0] for row in raw.select(record_hash()).collect()]
    checked = nodes.check_records(raw, checks).select("record_hash").collect()
    assert [row[0] for row in checked] == hashes


def test_the_file_column_is_used_if_the_page_comes_from_a_folder(
    spark: SparkSession, changed: Callable[..., DataProcessingParameters]
) -> None:
    parameters = changed({"page": None}, page_from="folder")
    raw = spark.createDataFrame(
        [(line(), "Home/1"), (line(), "About/1")], "value string, file string"
    )
    pages = nodes.check_records(raw, parameters).select("page").collect()
    assert [row[0] for row in pages] == ["Home", "About"]


def test_equal_records_count_as_one_event(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    other = line(itemInSession=51)
    raw = log(
        spark, line(), other, line(), line(), "broken", "broken", line(ts=None), line(ts=None)
    )
    checked, _, repeated, _, counts = check_log(raw, checks)
    (row,) = repeated.collect()
    assert (row["item_in_session"], row["copies"]) == (50, 3)
    events = nodes.drop_duplicates(checked, repeated)
    assert sorted(row["item_in_session"] for row in events.collect()) == [50, 51]
    assert [row["events"] for row in counts.collect()] == [2]


def test_different_records_with_the_same_hash_are_separate_events(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    raw = log(spark, line(), line(itemInSession=51), line(itemInSession=51))
    checked = nodes.check_records(raw, checks).withColumn("record_hash", F.lit(7).cast("bigint"))
    tables = count_log(checked, checks)
    repeated = tables.repeated_events
    copies = {row["item_in_session"]: row["copies"] for row in repeated.collect()}
    assert copies == {50: 1, 51: 2}
    assert nodes.drop_duplicates(checked, repeated).count() == 2
    quality = summarize_log(tables, checks)
    assert (quality["accepted"], quality["rejections"]["duplicate"]["lines"]) == (2, 1)


def test_events_are_counted_by_day_page_level_and_format(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    texts = [
        line(),
        line(ts=1538352118000, itemInSession=51),
        line(page="Home", itemInSession=52),
        line(level="free", itemInSession=53),
        line(ts="2018-10-02T00:00:00Z", itemInSession=54),
        line(ts=None),
    ]
    counts = check_log(log(spark, *texts), checks).event_counts
    rows = [tuple(row) for row in counts.orderBy("day", "page", "level").collect()]
    days, first = [date(2018, 10, 1), date(2018, 10, 2)], datetime(2018, 10, 1, 0, 1, 57)
    later, last = datetime(2018, 10, 1, 0, 1, 58), datetime(2018, 10, 2)
    assert rows == [
        (days[0], "Home", "paid", "ms", 1, first, first),
        (days[0], "NextSong", "free", "ms", 1, first, first),
        (days[0], "NextSong", "paid", "ms", 2, first, later),
        (days[1], "NextSong", "paid", "iso8601 and ms", 1, last, last),
    ]
    assert EVENT_COUNTS.validate(counts) is counts


@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_the_result_does_not_depend_on_partitions_or_order(
    spark: SparkSession, checks: DataProcessingParameters, partitions: int
) -> None:
    lines = [line(itemInSession=item % 9, userId=str(item % 4)) for item in range(40)] + ["x"]
    expected = check_log(log(spark, *lines), checks)
    tables = check_log(log(spark, *reversed(lines)).repartition(partitions), checks)
    assert tables.record_counts == expected.record_counts
    for table, same in zip(tables, expected, strict=True):
        if isinstance(table, DataFrame):
            assert sorted(map(str, table.collect())) == sorted(map(str, same.collect()))


def test_an_empty_log_is_an_error(spark: SparkSession, checks: DataProcessingParameters) -> None:
    empty = EventLogFiles({}, "auto", lambda _: log(spark))
    plan = nodes.plan_reading(empty, {"checked_events": {}}, checks)
    with pytest.raises(LogError, match="has no lines"):
        nodes.check_events(empty, plan, checks)


def test_data_quality_counts_every_record(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    raw = log(spark, line(), line(), line(userId="31", tag=1), *["broken"] * 4, line(ts=...))
    quality = summarize(spark, checks, raw)
    assert quality == {
        "source": "provided",
        "simulation": {},
        "lines": 8,
        "accepted": 2,
        "rejected": 6,
        "rejections": {
            "duplicate": {"lines": 1, "examples": [EVENT]},
            "malformed JSON": {"lines": 4, "examples": ["broken"] * 3},
            "no ts": {"lines": 1, "examples": [quote(line(ts=...))]},
        },
        "without_user": 0,
        "rejected_share": 0.75,
        "max_rejected_share": 0.2,
        "problems": {
            "malformed JSON": {"lines": 4, "value": None},
            "no ts": {"lines": 1, "value": None},
        },
        "malformed_format": None,
        "fields_without_values": {},
        "files_to_clean": 0,
        "unknown_columns": ["tag"],
        "unknown_columns_share": 1.0,
        "users": 2,
        "first_event": "2018-10-01T00:01:57Z",
        "last_event": "2018-10-01T00:01:57Z",
        "pages": {"NextSong": 2},
        "levels": {"paid": 2},
        "time_formats": {"ms": 2},
    }


def test_records_without_a_user_do_not_affect_the_rejected_share(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    guests = [line(userId="", itemInSession=number) for number in range(9)]
    quality = summarize(spark, checks, log(spark, line(), *guests))
    assert (quality["lines"], quality["rejected"], quality["without_user"]) == (10, 9, 9)
    assert quality["rejected_share"] == 0


def test_unknown_levels_are_listed_with_their_number_of_lines(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    levels = ["Paid", "Paid", "family", "free"]
    texts = [line(level=level, itemInSession=item) for item, level in enumerate(levels)]
    quality = summarize(spark, checks, log(spark, *texts))
    assert quality["rejections"]["impossible level"]["values"] == {"Paid": 2, "family": 1}
    assert quality["levels"] == {"free": 1}


def test_only_the_top_pages_are_listed(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    pages = ["Home", "About", "NextSong", "Home"]
    texts = [line(page=page, itemInSession=item) for item, page in enumerate(pages)]
    two_pages = checks.model_copy(update={"max_listed_pages": 2})
    assert summarize(spark, two_pages, log(spark, *texts))["pages"] == {"Home": 2, "About": 1}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_first_and_last_event_are_utc_in_any_time_zone(
    spark: SparkSession,
    checks: DataProcessingParameters,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        quality = summarize(spark, checks, log(spark, line(), line(ts=1538352117250)))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert quality["first_event"] == "2018-10-01T00:01:57Z"
    assert quality["last_event"] == "2018-10-01T00:01:57.250000Z"


def test_unknown_columns_are_listed_up_to_a_maximum(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    raw = log(spark, line(), line(**{f"key {number:04}": 1 for number in range(2_000)}))
    unknown = summarize(spark, checks, raw)["unknown_columns"]
    assert len(unknown) == checks.max_unknown_columns
    assert unknown[-1] == f"key {checks.max_unknown_columns - 1:04}"


def test_only_the_simulated_log_has_the_source_simulated(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    raw = log(spark, line(), line(userId="31"))
    record = {"log": digest_log(raw), "seed": 455, "users": 2, "days": 61}
    quality = summarize(spark, checks, raw, record)
    assert quality["source"] == "simulated"
    assert quality["simulation"] == {"seed": 455, "users": 2}
    assert summarize(spark, checks, raw.orderBy("value"), record)["source"] == "simulated"
    other = log(spark, line(), line(userId="32"))
    assert summarize(spark, checks, other, record)["source"] == "provided"


# wc -l; grep -c '"registration":null'; grep -c '"page":"NextSong"'; jq .userId | sort -u | wc -l,
# less the one empty userId of the last file.
GENUINE = {
    "events_5_users.json": (3452, 0, 2766, 5),
    "events_user_87.json": (1003, 0, 767, 1),
    "events_user_113.json": (1895, 0, 1585, 1),
    "events_other_service_2018_11.json": (8056, 286, 6820, 97),
}


@pytest.mark.parametrize("name", GENUINE)
def test_counts_of_genuine_logs_match_pandas_and_grep(
    spark: SparkSession, checks: DataProcessingParameters, real: Path, name: str
) -> None:
    frame = pd.read_json(real / name, lines=True, convert_dates=False, dtype={"userId": str})
    with_user = frame[frame["registration"].notna()]
    raw = spark.read.text(str(real / name))
    tables = check_log(raw, checks)
    quality = summarize_log(tables, checks)
    pages = dict(tables.event_counts.groupBy("page").agg(F.sum("events")).collect())
    rejections = {reason: counts["lines"] for reason, counts in quality["rejections"].items()}
    lines, without_user, songs, users = GENUINE[name]
    assert quality["lines"] == lines == len(frame)
    assert rejections == ({"no user": without_user} if without_user else {})
    assert quality["users"] == users == with_user["userId"].nunique()
    assert pages == with_user["page"].value_counts().to_dict()
    assert pages["NextSong"] == songs
    first = pd.to_datetime(with_user["ts"].min(), unit="ms")
    assert quality["first_event"] == first.isoformat() + "Z"


def test_selecting_events_of_a_mostly_rejected_log_is_an_error(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    rejected = {
        **{"lines": 9, "accepted": 1, "rejected": 8, "without_user": 0, "rejected_share": 8 / 9},
        **{"max_rejected_share": 0.2, "fields_without_values": {}, "problems": {}},
        **{"malformed_format": None},
        "rejections": {"no ts": {"lines": 8, "examples": []}},
    }
    unused = spark.range(1)
    with pytest.raises(LogError, match="8 of 9 records rejected"):
        nodes.select_events(unused, unused, rejected, parameters["data_processing"])


def test_events_get_sessions_and_levels_if_the_log_has_none(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    usual = parameters["data_processing"].model_dump()
    lacking = DataProcessingParameters.model_validate(
        {
            **usual,
            "fields": {**usual["fields"], "sessionId": None, "level": None, "registration": None},
            "plan_pages": {"paid": ["Submit Upgrade"], "free": []},
        }
    )
    day = 1538352000000
    records = [
        {"ts": day + minute * 60_000, "userId": "a", "page": page, "itemInSession": minute}
        for minute, page in [(0, "Home"), (10, "Submit Upgrade"), (60, "Home"), (60, "Home")]
    ]
    raw = spark.createDataFrame([(json.dumps(record),) for record in records], "value string")
    checked = nodes.check_records(raw, lacking)
    selected = nodes.select_events(checked, nodes.find_copies(checked), USABLE, lacking)
    rows = [
        (row["session_id"], row["level"], row["registration"])
        for row in EVENTS.validate(selected).orderBy("ts").collect()
    ]
    first, last = f"since {day}", f"since {day + 3_600_000}"
    start = datetime(2018, 10, 1)
    assert rows == [
        (first, "free", start),
        (first, "free", start + timedelta(minutes=10)),
        (last, "paid", start + timedelta(minutes=60)),
    ]


def find_files(
    spark: SparkSession,
    checks: DataProcessingParameters,
    files: dict[str, str],
    earlier: dict[str, Any],
    *forgotten: str,
) -> dict[str, Any]:
    """Return `files_to_clean` of a log with one batch; a file's state is its content."""

    def read(names: Iterable[str]) -> DataFrame:
        rows = [(text, name) for name in names for text in files[name].split("\n")]
        return spark.createDataFrame(rows, "value string, file string")

    table = pd.DataFrame({"user_id": forgotten}) if forgotten else None
    states = {name: {"bytes": len(text), "version": text} for name, text in files.items()}
    return nodes.find_files_to_clean(
        EventLogFiles(states, "auto", read, table),
        {"batches": {"0": states}, "about": {"settings": {"customers": [*forgotten]}}},
        {"files_to_clean": earlier},
        checks,
    )


def test_files_with_customers_to_forget_are_named_until_they_change(
    spark: SparkSession, checks: DataProcessingParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = line(userId="ada"), line(userId="bob")
    files = {"1": f"{ada}\n{bob}\n{ada}", "2": bob, "3": ada[:-9]}  # 3 is truncated
    first = find_files(spark, checks, files, {}, "ada")
    assert first["files"] == {"1": 2, "3": 1}
    with monkeypatch.context() as patch:
        patch.setattr(nodes, "check_records", None)  # nothing is read again
        assert find_files(spark, checks, files, first, "ada") == first
    cleaned = find_files(spark, checks, {"1": bob, "4": ada}, first, "ada")
    assert cleaned["files"] == {"4": 1}
    assert cleaned == find_files(spark, checks, {"1": bob, "4": ada}, {}, "ada")
    assert find_files(spark, checks, files, first, "bob")["files"] == {"1": 1, "2": 1}
    assert find_files(spark, checks, files, first)["files"] == {}
