import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.data_processing import nodes, parsing
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
    with pytest.raises(nodes.LogError, match="holds no lines"):
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
        "unknown_columns": ["tag"],
        "unknown_columns_share": 1.0,
        "users": 2,
        "first_event": "2018-10-01T00:01:57Z",
        "last_event": "2018-10-01T00:01:57Z",
    }


@pytest.mark.parametrize("key", ["ts", "userId", "sessionId", "page", "level", "registration"])
def test_a_missing_essential_column_stops_the_run_with_its_name(
    spark: SparkSession, checks: DataProcessingParameters, key: str
) -> None:
    raw = log(spark, line(**{key: ...}), line(**{key: ...}, itemInSession=51))
    with pytest.raises(nodes.LogError, match=rf"essential column {key}\."):
        quality(spark, checks, raw)


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
