import json
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.data_processing import nodes, parsing
from sparkify.pipelines.data_processing.log_checks import LogError, require_usable_log
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from tests.bad_logs import line


def quoted(text: str) -> str:
    """Return what is kept of a rejected line: the values of fields alone."""
    read = parsing.FIELDS
    event = {key: value if key in read else ... for key, value in json.loads(text).items()}
    spelt = {key: '"…"' if value is ... else json.dumps(value) for key, value in event.items()}
    return (
        "{"
        + ", ".join(f'"{k}":{v}' if v == '"…"' else f'"{k}": {v}' for k, v in spelt.items())
        + "}"
    )


@pytest.fixture(scope="module")
def checks(parameters: dict[str, Any]) -> DataProcessingParameters:
    return parameters["data_processing"]


def log(spark: SparkSession, *lines: str) -> DataFrame:
    return spark.createDataFrame([(text,) for text in lines], "value string")


def checked(spark: SparkSession, checks: DataProcessingParameters, *lines: str) -> list[Any]:
    return nodes.checked_events(log(spark, *lines), checks).collect()


def test_an_accepted_line_becomes_typed_columns(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    (row,) = checked(spark, checks, line())
    assert row.asDict() == {
        "user_id": "30",
        "ts": datetime(2018, 10, 1, 0, 1, 57),
        "session_id": 29,
        "item_in_session": 50,
        "page": "NextSong",
        "level": "paid",
        "registration": datetime(2018, 9, 28, 22, 22, 42),
        "gender": "M",
        "length": 277.89016,
        "line": None,
        "unknown_columns": None,
        "rejection": None,
    }


def test_what_other_services_write_is_accepted(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    texts = [
        line(userId=30),
        line(userId=30.0),
        line(registration=1538173362000.0),
        line(ts=1538352117000.0),
        line(page="404"),
        line(page="true"),
        line(artist="{curly}", song="[square]"),
        line(artist=None, song=None, length=None),
        line(status="ok", artist={"name": "x"}),  # columns that nothing reads
        line(page="A page nobody has heard of"),
        " " + line() + " ",
    ]
    for row in checked(spark, checks, *texts):
        assert row["rejection"] is None
        assert row["user_id"] == "30"
        assert row["ts"] == datetime(2018, 10, 1, 0, 1, 57)
        assert row["registration"] == datetime(2018, 9, 28, 22, 22, 42)


def test_of_equal_lines_the_first_is_kept(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    other = line(itemInSession=51)
    rows = checked(spark, checks, line(), other, line(), line(), "broken", "broken")
    assert Counter(row["rejection"] for row in rows) == {
        None: 2,
        "duplicate": 2,
        "malformed JSON": 2,
    }


def test_unknown_columns_are_named_and_change_nothing(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    (row,) = checked(spark, checks, line(tag="b", country="US"))
    assert row["rejection"] is None
    assert row["unknown_columns"] == ["country", "tag"]


def test_what_no_field_takes_goes_no_further_than_the_raw_log(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    texts = [
        line(ts=0),
        line(userId="")[:-3],
        line(firstName='Col"in', ts=None),
        '{"firstName": "Colin", "lastName":"Freem',
        "{'firstName': 'Colin', 'ts': 5, 'email': 'colin@freem.org'}",
        line(ts=None, friends=["Colin", "Freem"], profile={"name": "Colin", "of": "Freem"}),
    ]
    for row in checked(spark, checks, *texts):
        assert row["rejection"] is not None
        for name in ("Colin", "Freem", "Col", "freem", "Bakersfield", "Mozilla"):
            assert name not in row["line"]


@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_partitions_and_order_change_nothing(
    spark: SparkSession, checks: DataProcessingParameters, partitions: int
) -> None:
    lines = [line(itemInSession=item % 9, userId=str(item % 4)) for item in range(40)] + ["x"]
    expected = sorted(map(str, checked(spark, checks, *lines)))
    shuffled = log(spark, *reversed(lines)).repartition(partitions)
    assert sorted(map(str, nodes.checked_events(shuffled, checks).collect())) == expected


def test_an_empty_log_is_an_error(spark: SparkSession, checks: DataProcessingParameters) -> None:
    with pytest.raises(LogError, match="holds no lines"):
        nodes.checked_events(log(spark), checks)


def quality(
    spark: SparkSession,
    checks: DataProcessingParameters,
    raw: DataFrame,
    record: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return nodes.data_quality(raw, nodes.checked_events(raw, checks), record or {}, checks)


def test_every_line_is_accounted_for(spark: SparkSession, checks: DataProcessingParameters) -> None:
    raw = log(spark, line(), line(), line(userId="31", tag=1), *["broken"] * 4, line(ts=...))
    account = quality(spark, checks, raw)
    assert account == {
        "source": "provided",
        "lines": 8,
        "accepted": 2,
        "rejected": 6,
        "rejections": {
            "duplicate": {"lines": 1, "examples": [quoted(line())]},
            "malformed JSON": {"lines": 4, "examples": ["broken"] * 3},
            "no ts": {"lines": 1, "examples": [quoted(line(ts=...))]},
        },
        "without_user": 0,
        "rejected_share": 0.75,
        "max_rejected_share": 0.2,
        "malformed_lines_look_like": None,
        "fields_without_values": [],
        "unknown_columns": ["tag"],
        "unknown_columns_share": 1.0,
        "users": 2,
        "first_event": "2018-10-01T00:01:57Z",
        "last_event": "2018-10-01T00:01:57Z",
        "pages": {"NextSong": 2},
        "levels": {"paid": 2},
    }


def test_lines_without_a_user_count_apart(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    guests = [line(userId="", itemInSession=number) for number in range(9)]
    account = quality(spark, checks, log(spark, line(), *guests))
    assert (account["lines"], account["rejected"], account["without_user"]) == (10, 9, 9)
    assert account["rejected_share"] == 0


def test_a_level_that_no_parameter_names_is_listed_with_its_lines(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    levels = ["Paid", "Paid", "family", "free"]
    texts = [line(level=level, itemInSession=item) for item, level in enumerate(levels)]
    account = quality(spark, checks, log(spark, *texts))
    assert account["rejections"]["impossible level"]["values"] == {"Paid": 2, "family": 1}
    assert account["levels"] == {"free": 1}


def test_the_most_frequent_pages_are_listed(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    pages = ["Home", "About", "NextSong", "Home"]
    texts = [line(page=page, itemInSession=item) for item, page in enumerate(pages)]
    few = checks.model_copy(update={"max_listed_pages": 2})
    assert quality(spark, few, log(spark, *texts))["pages"] == {"Home": 2, "About": 1}


PRINTED = json.dumps([json.loads(line()), json.loads(line())], indent=2).splitlines()


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([f"[{line()}, {line()}]"], "a JSON array on one line"),
        (PRINTED, "a JSON array over several lines"),
        (PRINTED[1:-1], "JSON objects over several lines"),
        (["ts,userId,page", '1,"30",NextSong', "2018-10-01 00:01:57,31,Home"], "CSV"),
        (['"ts";"userId"', '"1";"30"'], "CSV"),
        (["ts\tuserId", "1\t30"], "CSV"),
        (["one word", "and words, more of them", '{"ts": 1'], None),
        ([line(), "", "x"], None),
    ],
)
def test_another_format_is_recognised_by_its_lines(
    spark: SparkSession, checks: DataProcessingParameters, lines: list[str], found: str | None
) -> None:
    account = quality(spark, checks, log(spark, *lines))
    assert account["malformed_lines_look_like"] == found


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_first_and_last_event_are_utc_whatever_the_machine_s_zone(
    spark: SparkSession,
    checks: DataProcessingParameters,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        account = quality(spark, checks, log(spark, line(), line(ts=1538352117250)))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert account["first_event"] == "2018-10-01T00:01:57Z"
    assert account["last_event"] == "2018-10-01T00:01:57.250000Z"


@pytest.mark.parametrize("key", ["ts", "userId", "sessionId", "page", "level", "registration"])
def test_a_missing_essential_column_is_named(
    spark: SparkSession, checks: DataProcessingParameters, key: str
) -> None:
    raw = log(spark, line(**{key: ...}), line(**{key: ...}, itemInSession=51))
    account = quality(spark, checks, raw)
    assert account["fields_without_values"] == [key]
    with pytest.raises(LogError, match=rf"essential column {key}\."):
        require_usable_log(account)


def test_a_broken_log_s_unknown_columns_are_listed_up_to_a_number(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    raw = log(spark, line(), line(**{f"key {number:04}": 1 for number in range(2_000)}))
    unknown = quality(spark, checks, raw)["unknown_columns"]
    assert len(unknown) == checks.most_unknown_columns
    assert unknown[-1] == f"key {checks.most_unknown_columns - 1:04}"


@pytest.mark.parametrize(
    "days",
    [
        {"earliest_event": "2020-01-01", "latest_event": "2019-01-01"},
        {"earliest_event": "1960-01-01"},
        {"earliest_event": "1970-02-01"},
        {"latest_event": "2200-01-01"},
    ],
)
def test_days_between_which_units_cannot_be_told_apart_are_refused(
    checks: DataProcessingParameters, days: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"earliest_event|latest_event"):
        DataProcessingParameters.model_validate({**checks.model_dump(), **days})


def test_only_the_log_that_was_simulated_is_called_simulated(
    spark: SparkSession, checks: DataProcessingParameters
) -> None:
    raw = log(spark, line(), line(userId="31"))
    record = {"log": nodes.log_digest(raw)}
    assert quality(spark, checks, raw, record)["source"] == "simulated"
    assert quality(spark, checks, raw.orderBy("value"), record)["source"] == "simulated"
    real_in_its_place = log(spark, line(), line(userId="32"))
    assert quality(spark, checks, real_in_its_place, record)["source"] == "provided"


# wc -l; grep -c '"registration":null'; grep -c '"page":"NextSong"'; jq .userId | sort -u | wc -l,
# less the one empty userId of the last file.
GENUINE = {
    "events_5_users.json": (3452, 0, 2766, 5),
    "events_user_87.json": (1003, 0, 767, 1),
    "events_user_113.json": (1895, 0, 1585, 1),
    "events_other_service_2018_11.json": (8056, 286, 6820, 97),
}


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_logs_count_as_pandas_and_grep_count_them(
    spark: SparkSession, checks: DataProcessingParameters, real: Path, name: str
) -> None:
    frame = pd.read_json(real / name, lines=True, convert_dates=False, dtype={"userId": str})
    with_user = frame[frame["registration"].notna()]
    raw = spark.read.text(str(real / name))
    rows = nodes.checked_events(raw, checks).cache()
    account = nodes.data_quality(raw, rows, {}, checks)
    pages = dict(rows.where("rejection is null").groupBy("page").count().collect())
    rows.unpersist()
    rejections = {why: told["lines"] for why, told in account["rejections"].items()}
    lines, without_user, songs, users = GENUINE[name]
    assert account["lines"] == lines == len(frame)
    assert rejections == ({"no user": without_user} if without_user else {})
    assert account["users"] == users == with_user["userId"].nunique()
    assert pages == with_user["page"].value_counts().to_dict()
    assert pages["NextSong"] == songs
    first = pd.to_datetime(with_user["ts"].min(), unit="ms")
    assert account["first_event"] == first.isoformat() + "Z"
