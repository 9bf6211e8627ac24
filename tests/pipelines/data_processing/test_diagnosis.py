from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.data_processing.diagnosis import (
    LogError,
    describe_problems,
    detect_format,
    find_missing_fields,
)
from sparkify.pipelines.data_processing.nodes import require_usable_log
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.schemas import CHECKED_EVENTS
from tests.bad_logs import line

Rows = Callable[..., DataFrame]


@pytest.fixture
def rows(spark: SparkSession, parse: Callable[..., list[dict[str, Any]]]) -> Rows:
    """Return a function: the table that comes of records, parsed without Spark."""

    def table(parameters: DataProcessingParameters, *records: str) -> DataFrame:
        parsed = parse(parameters, *records)
        return spark.createDataFrame([tuple(row.values()) for row in parsed], CHECKED_EVENTS.struct)

    return table


def test_every_problem_is_counted_with_a_value_of_its_field(
    checks: DataProcessingParameters, rows: Rows
) -> None:
    texts = [
        line(ts="yesterday", sessionId=[1], level="gold"),
        line(sessionId=None),
        line(level="gold"),
        line(),
    ]
    assert describe_problems(rows(checks, *texts), checks) == {
        "impossible level": {"lines": 2, "value": '"gold"'},
        "no sessionId": {"lines": 1, "value": None},
        "wrong type of sessionId": {"lines": 1, "value": '["…"]'},
        "wrong type of ts": {"lines": 1, "value": '"yesterday"'},
    }


def test_a_nested_field_s_value_is_found_by_its_key(
    changed: Callable[..., DataProcessingParameters], rows: Rows
) -> None:
    parameters = changed({"ts": "properties.time"}, time_format="ms")
    problems = describe_problems(
        rows(parameters, line(ts=..., properties={"time": 1538352117})), parameters
    )
    assert problems == {"ts in seconds": {"lines": 1, "value": "1538352117"}}


@pytest.mark.parametrize("key", ["ts", "userId", "sessionId", "page", "level", "registration"])
def test_a_field_without_a_value_is_named_with_its_key(
    checks: DataProcessingParameters, rows: Rows, key: str
) -> None:
    texts = [line(**{key: ...}), line(**{key: None}, itemInSession=51), "broken"]
    assert find_missing_fields(rows(checks, *texts), checks) == {key: key}


def test_a_field_whose_values_are_all_wrong_is_not_missing(
    checks: DataProcessingParameters, rows: Rows
) -> None:
    texts = [line(ts="yesterday", registration=5), line(ts=5, registration=[1])]
    assert find_missing_fields(rows(checks, *texts), checks) == {}


def test_a_field_that_records_are_not_to_have_is_not_missing(
    changed: Callable[..., DataProcessingParameters], rows: Rows
) -> None:
    parameters = changed({"registration": None, "level": None})
    texts = [line(registration=..., level=..., page=...)]
    assert find_missing_fields(rows(parameters, *texts), parameters) == {"page": "page"}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([f"[{line()}, {line()}]"], "a JSON array on one line"),
        (
            ["[", *["{", '"ts": 1,', '"page": "x"', "},"] * 5, "]"],
            "a JSON array over several lines",
        ),
        (["{", '  "ts": 1,', '  "page": "x"', "}"], "JSON objects over several lines"),
        (["ts,userId,page", '1,"30",NextSong', "2018-10-01 00:01:57,31,Home"], "CSV"),
        (['"ts";"userId"', '"1";"30"'], "CSV"),
        (["ts\tuserId", "1\t30"], "CSV"),
        (["one word", "and words, more of them", '{"ts": 1'], None),
        ([line(), "", "x"], None),
    ],
)
def test_another_format_is_recognised_by_its_lines(
    checks: DataProcessingParameters, rows: Rows, lines: list[str], found: str | None
) -> None:
    assert detect_format(rows(checks, *lines)) == found


def account(accepted: int, share: float, **rejections: Any) -> dict[str, Any]:
    """Return data_quality with so many records of each reason, spelt with underscores."""
    found = {
        reason.replace("_", " "): {"lines": lines, "examples": ["{…}"]}
        for reason, lines in rejections.items()
    }
    rejected = sum(reason["lines"] for reason in found.values())
    return {
        "lines": accepted + rejected,
        "accepted": accepted,
        "rejected": rejected,
        "without_user": rejections.get("no_user", 0),
        "rejected_share": share,
        "max_rejected_share": 0.2,
        "rejections": found,
        "problems": {
            reason: {"lines": about["lines"], "value": None} for reason, about in found.items()
        },
        "malformed_lines_look_like": None,
        "fields_without_values": {},
        "unknown_columns": [],
    }


def message(data_quality: dict[str, Any]) -> str:
    with pytest.raises(LogError) as raised:
        require_usable_log(data_quality)
    return str(raised.value)


def test_a_log_with_few_rejected_records_is_usable() -> None:
    require_usable_log(account(80, 0.2, duplicate=20))
    require_usable_log(account(1, 0.0, no_user=999))


def test_a_log_with_many_rejected_records_stops_with_reasons_values_and_remedies() -> None:
    found = account(40, 0.6, wrong_type_of_length=36, ts_in_seconds=24, no_user=7)
    found["problems"]["wrong type of length"]["value"] = '"3:05"'
    found["problems"]["ts in seconds"]["value"] = "1541105830"
    assert message(found) == (
        "raw_events: 60 of 100 records rejected (36 wrong type of length, 24 ts in seconds; 7 more "
        "records have no user and do not count). data_processing.max_rejected_share allows 20%. "
        'wrong type of length (found "3:05"): Write length as a number. ts in seconds (found '
        "1541105830): Set data_processing.time_format: s, or auto. Example: {…}"
    )


def test_a_rare_problem_gets_its_remedy_if_there_is_no_frequent_one() -> None:
    found = account(70, 0.3, duplicate=10, impossible_length=10, impossible_ts=10)
    assert "Export the log anew: it holds the same records more than once." in message(found)


def test_a_log_of_guests_alone_says_what_makes_a_customer() -> None:
    assert message(account(0, 0.0, no_user=5)) == (
        "raw_events: none of its 5 records is an event of a customer (5 no user). no user: An "
        "event of a customer has a userId and the time of the registration."
    )


def test_levels_that_no_parameter_names_are_listed() -> None:
    found = account(1, 0.9, impossible_level=9)
    found["rejections"]["impossible level"]["values"] = {"Paid": 7, "Free": 2}
    assert (
        'Values found: "Paid" (7 records), "Free" (2 records). Add them to data_processing.levels.'
        in message(found)
    )


def test_another_format_is_named_with_how_to_read_it() -> None:
    found = account(0, 1.0, malformed_JSON=1) | {
        "malformed_lines_look_like": "a JSON array on one line"
    }
    assert (
        "The log is a JSON array on one line. Set raw_format: json_array in conf/<env>/globals.yml."
        in message(found)
    )


def test_essential_fields_without_values_are_named_with_their_keys_and_the_log_s() -> None:
    found = account(0, 1.0, no_ts=3) | {
        "fields_without_values": {"ts": "ts", "level": "plan"},
        "unknown_columns": ["time", "tier"],
    }
    found["problems"] = {
        "no ts": {"lines": 3, "value": None},
        "impossible length": {"lines": 3, "value": "-1"},
    }
    text = message(found)
    assert "No record has a value of ts (key ts), level (key plan)." in text
    assert (
        "`sparkify inspect LOG` drafts the settings. Keys that no field takes: time, tier." in text
    )
    assert "impossible length (found -1): length counts seconds" in text
    assert "Without it, set" not in text
