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
from sparkify.schemas import CHECKED_RECORDS
from tests.bad_logs import line

Rows = Callable[..., DataFrame]


@pytest.fixture
def rows(spark: SparkSession, parse: Callable[..., list[dict[str, Any]]]) -> Rows:
    """Return a function that makes a table of records, parsed without Spark."""

    def make_table(parameters: DataProcessingParameters, *records: str) -> DataFrame:
        parsed = parse(parameters, *records)
        return spark.createDataFrame(
            [tuple(row.values()) for row in parsed], CHECKED_RECORDS.struct
        )

    return make_table


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


def test_a_field_set_to_null_is_not_missing(
    changed: Callable[..., DataProcessingParameters], rows: Rows
) -> None:
    parameters = changed({"registration": None, "level": None})
    texts = [line(registration=..., level=..., page=...)]
    assert find_missing_fields(rows(parameters, *texts), parameters) == {"page": "page"}


@pytest.mark.parametrize(
    ("lines", "quality"),
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
def test_other_formats_are_detected(
    checks: DataProcessingParameters, rows: Rows, lines: list[str], quality: str | None
) -> None:
    assert detect_format(rows(checks, *lines)) == quality


def make_quality(accepted: int, share: float, **rejections: Any) -> dict[str, Any]:
    """Return data_quality with a number of records per reason, written with underscores."""
    by_reason = {
        reason.replace("_", " "): {"lines": lines, "examples": ["{…}"]}
        for reason, lines in rejections.items()
    }
    rejected = sum(reason["lines"] for reason in by_reason.values())
    return {
        "lines": accepted + rejected,
        "accepted": accepted,
        "rejected": rejected,
        "without_user": rejections.get("no_user", 0),
        "rejected_share": share,
        "max_rejected_share": 0.2,
        "rejections": by_reason,
        "problems": {
            reason: {"lines": counts["lines"], "value": None}
            for reason, counts in by_reason.items()
        },
        "malformed_format": None,
        "fields_without_values": {},
        "unknown_columns": [],
    }


def message(data_quality: dict[str, Any]) -> str:
    with pytest.raises(LogError) as raised:
        require_usable_log(data_quality)
    return str(raised.value)


def test_a_log_with_few_rejected_records_is_usable() -> None:
    require_usable_log(make_quality(80, 0.2, duplicate=20))
    require_usable_log(make_quality(1, 0.0, no_user=999))


def test_the_error_for_many_rejected_records_has_reasons_values_and_remedies() -> None:
    quality = make_quality(40, 0.6, wrong_type_of_length=36, ts_in_seconds=24, no_user=7)
    quality["problems"]["wrong type of length"]["value"] = '"3:05"'
    quality["problems"]["ts in seconds"]["value"] = "1541105830"
    assert message(quality) == (
        "raw_events: 60 of 100 records rejected (36 wrong type of length, 24 ts in seconds; 7 more "
        "records have no user and do not count). data_processing.max_rejected_share allows 20%. "
        'wrong type of length (found "3:05"): Write length as a number. ts in seconds (found '
        "1541105830): Set data_processing.time_format: s, or auto. Example: {…}"
    )


def test_the_error_has_the_remedy_of_a_rare_problem_if_none_is_frequent() -> None:
    quality = make_quality(70, 0.3, duplicate=10, impossible_length=10, impossible_ts=10)
    assert "Export the log again, with each record once." in message(quality)


def test_the_error_for_a_log_without_users_defines_a_customer() -> None:
    assert message(make_quality(0, 0.0, no_user=5)) == (
        "raw_events: none of its 5 records is an event of a customer (5 no user). no user: Give "
        "every customer's event a userId and a registration time."
    )


def test_the_error_lists_unknown_levels() -> None:
    quality = make_quality(1, 0.9, impossible_level=9)
    quality["rejections"]["impossible level"]["values"] = {"Paid": 7, "Free": 2}
    assert (
        'Values found: "Paid" (7 records), "Free" (2 records). Add them to data_processing.levels.'
        in message(quality)
    )


def test_the_error_names_a_detected_format_and_its_setting() -> None:
    quality = make_quality(0, 1.0, malformed_JSON=1) | {
        "malformed_format": "a JSON array on one line"
    }
    assert (
        "The log is a JSON array on one line. Set raw_format: json_array in conf/<env>/globals.yml."
        in message(quality)
    )


def test_the_error_lists_required_fields_without_values_and_unused_keys() -> None:
    quality = make_quality(0, 1.0, no_ts=3) | {
        "fields_without_values": {"ts": "ts", "level": "plan"},
        "unknown_columns": ["time", "tier"],
    }
    quality["problems"] = {
        "no ts": {"lines": 3, "value": None},
        "impossible length": {"lines": 3, "value": "-1"},
    }
    text = message(quality)
    assert "No record has a value of ts (key ts), level (key plan)." in text
    assert "`sparkify inspect LOG` drafts the settings. Unused keys: time, tier." in text
    assert "impossible length (found -1): Write length in seconds" in text
    assert "If the log has none, set" not in text
