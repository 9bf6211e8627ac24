from collections.abc import Callable
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.data_processing.diagnosis import (
    describe_problems,
    detect_format,
    find_missing_fields,
)
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
