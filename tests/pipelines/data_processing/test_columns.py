from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.log_formats.times import TimeReader
from sparkify.pipelines.data_processing import columns

READER = TimeReader(date(2000, 1, 1), date(2100, 1, 1), None, ZoneInfo("UTC"))
MICROS = 1_541_105_830_796_000
UNREADABLE = [True, [1], {"a": 1}]


def read(reader: str, values: list[Any]) -> tuple[list[Any], list[bool]]:
    column = getattr(columns, reader)(values)
    return column.values.to_pylist(), column.is_wrong.to_pylist()


@pytest.mark.parametrize(
    "spellings",
    [
        ["12345678", 12345678, "12345678.0", Decimal("12345678.0"), Decimal("1.2345678E7"),
         " 12345678 ", "12345678.000"],
        ["12345678", "12345678", "12345678"],
        [12345678, 12345678, None],
        ["12345678.0", "12345678", None],
    ],
)  # fmt: skip
def test_an_id_is_the_same_however_it_is_written(spellings: list[Any]) -> None:
    ids, is_wrong = read("read_ids", spellings)
    assert set(ids) - {None} == {"12345678"}
    assert not any(is_wrong)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("12345678901234567.0"), "12345678901234567"),
        (12345678901234567, "12345678901234567"),
        (10**30 + 7, "1000000000000000000000000000007"),
        ("0030", "0030"),
        (-4, "-4"),
        ("1.5", "1.5"),
        ("1e3", "1e3"),
        ("sess_000001", "sess_000001"),
        ("6f1c-ünï", "6f1c-ünï"),
        ("half \ud800", "half \ufffd"),
        ("30\u00a0", "30"),
    ],
)
def test_an_id_keeps_its_digits_and_letters(value: Any, expected: str) -> None:
    assert read("read_ids", [value]) == ([expected], [False])
    assert read("read_ids", [value, "x", 7]) == ([expected, "x", "7"], [False] * 3)


@pytest.mark.parametrize("value", [*UNREADABLE, Decimal("29.5"), Decimal("1E+400"), 10**50])
def test_a_value_that_cannot_be_an_id_is_wrong(value: Any) -> None:
    assert read("read_ids", [value, "30"]) == ([None, "30"], [True, False])


@pytest.mark.parametrize("value", [None, "", "  ", "\t"])
@pytest.mark.parametrize("reader", ["read_ids", "read_names", "read_whole_numbers", "read_numbers"])
def test_a_blank_value_becomes_null(reader: str, value: Any) -> None:
    assert read(reader, [value]) == ([None], [False])


def test_names_are_texts_and_not_numbers() -> None:
    assert read("read_names", ["Home ", "404"]) == (["Home ", "404"], [False, False])
    for value in [5, Decimal("5.0"), *UNREADABLE]:
        assert read("read_names", ["Home", value]) == (["Home", None], [False, True])


def test_texts_may_be_numbers() -> None:
    assert read("read_texts", ["M", 1, None]) == (["M", "1", None], [False] * 3)
    assert read("read_texts", ["M", True, [1]]) == (["M", None, None], [False, True, True])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(29, 29), (Decimal("29.0"), 29), ("29", 29), (" 29.0 ", 29), ("2.9e1", 29), (-1, -1),
     (2**63 - 1, 2**63 - 1)],
)  # fmt: skip
def test_a_whole_number_may_be_a_whole_float_or_in_quotes(value: Any, expected: int) -> None:
    assert read("read_whole_numbers", [value]) == ([expected], [False])
    assert read("read_whole_numbers", [value, "x"]) == ([expected, None], [False, True])


@pytest.mark.parametrize("value", [*UNREADABLE, Decimal("1.5"), "1.5", "abc", 2**63, 10**20])
def test_a_value_that_is_not_a_whole_number_is_wrong(value: Any) -> None:
    assert read("read_whole_numbers", [value, 1]) == ([None, 1], [True, False])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(277.9, 277.9), (277, 277.0), ("277.9", 277.9), ("2.5e2", 250.0), (2**60 + 1, 2.0**60),
     (Decimal("1E+400"), float("inf")), (10**400, float("inf"))],
)  # fmt: skip
def test_a_number_may_be_in_quotes(value: Any, expected: float) -> None:
    assert read("read_numbers", [value]) == ([expected], [False])
    assert read("read_numbers", [value, 1.5, None]) == ([expected, 1.5, None], [False] * 3)


@pytest.mark.parametrize("value", [*UNREADABLE, "long", "NaN", "Infinity", "1,5"])
def test_a_value_that_is_not_a_number_is_wrong(value: Any) -> None:
    assert read("read_numbers", [value, 1.5]) == ([None, 1.5], [True, False])


@pytest.mark.parametrize(
    "reader", ["read_ids", "read_names", "read_texts", "read_whole_numbers", "read_numbers"]
)
def test_an_empty_column_or_one_of_nulls_can_be_read(reader: str) -> None:
    assert read(reader, []) == ([], [])
    assert read(reader, [None, None]) == ([None, None], [False, False])


SECONDS = st.integers(946_684_800, 4_102_444_799)
FRACTIONS = st.sampled_from(["", ".5", ".796", ".123456", ".1234567", ".999999999"])
STAMPS = st.tuples(SECONDS, FRACTIONS, st.sampled_from(["", "Z", "+00:00", "-03:30", " UTC"])).map(
    lambda made: (
        datetime.fromtimestamp(made[0], UTC).replace(tzinfo=None).isoformat(sep=" ")
        + made[1]
        + made[2]
    )
)
NUMBERS = st.tuples(SECONDS, st.sampled_from([1, 1_000, 1_000_000, 1_000_000_000])).map(
    lambda made: made[0] * made[1]
)
FLOATS = st.tuples(SECONDS, st.sampled_from([1.0, 1_000.0]), st.floats(0, 0.999999)).map(
    lambda made: made[0] * made[1] + made[2]
)
COLUMNS = st.one_of(
    *(
        st.lists(st.none() | kind, max_size=5)
        for kind in (STAMPS, NUMBERS, FLOATS, SECONDS, STAMPS.map(str.upper), st.text(max_size=9))
    )
)


@settings(max_examples=500, derandomize=True, database=None, deadline=None)
@given(COLUMNS)
def test_reading_a_column_of_times_equals_reading_each_value(values: list[Any]) -> None:
    together = [part.to_pylist() for part in columns.read_times(values, READER)]
    alone = [READER.read(value) for value in values]
    assert [*zip(*together, strict=True)] == alone


def test_a_column_may_have_times_of_several_formats() -> None:
    values = [1541105830796, None, "2018-11-01T20:57:10.796Z", 1541105830, True]
    micros, formats, problems = (part.to_pylist() for part in columns.read_times(values, READER))
    assert micros == [MICROS, None, MICROS, MICROS - 796_000, None]
    assert formats == ["ms", None, "iso8601", "s", None]
    assert problems == [None] * 4 + ["wrong type"]


def test_an_empty_column_of_times_can_be_read() -> None:
    assert [len(column) for column in columns.read_times([], READER)] == [0, 0, 0]
    assert [column.null_count for column in columns.read_times([None, None], READER)] == [2, 2, 2]
