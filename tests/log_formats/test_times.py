from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sparkify.log_formats.times import TimeReader, parse_number

MOMENT = datetime(2018, 11, 1, 20, 57, 10, 796_000, tzinfo=UTC)
MICROS = 1_541_105_830_796_000


def reader(time_format: str | None = None, zone: str = "UTC") -> TimeReader:
    return TimeReader(date(2000, 1, 1), date(2100, 1, 1), time_format, ZoneInfo(zone))


def read(value: Any, **settings: Any) -> tuple[int | None, str | None, str | None]:
    return tuple(reader(**settings).read(value))


@pytest.mark.parametrize(
    ("value", "micros", "time_format"),
    [
        (1541105830796, MICROS, "ms"),
        (1541105830796.0, MICROS, "ms"),
        (Decimal("1541105830796.0"), MICROS, "ms"),
        (1541105830796.25, MICROS + 250, "ms"),
        ("1541105830796", MICROS, "ms"),
        (" 1541105830796 ", MICROS, "ms"),
        ("1.541105830796E12", MICROS, "ms"),
        (1541105830, MICROS - 796_000, "s"),
        (1541105830.796, MICROS, "s"),
        ("1541105830.796", MICROS, "s"),
        (MICROS, MICROS, "us"),
        (str(MICROS), MICROS, "us"),
        (MICROS * 1_000 + 999, MICROS, "ns"),
        (str(MICROS * 1_000 + 999), MICROS, "ns"),
        ("2018-11-01T20:57:10.796Z", MICROS, "iso8601"),
        ("2018-11-01T20:57:10.796000999Z", MICROS, "iso8601"),
        ("2018-11-01T22:57:10.796+02:00", MICROS, "iso8601"),
        ("2018-11-01 22:57:10.796+0200", MICROS, "iso8601"),
        ("2018-11-01t20:57:10.796z", MICROS, "iso8601"),
        ("20181101T205710.796Z", MICROS, "iso8601"),
        ("2018-11-01 20:57:10.796 UTC", MICROS, "iso8601"),
        ("2018-11-01 20:57:10.796", MICROS, "iso8601 without zone"),
        ("2018-11-01T20:57:10.796", MICROS, "iso8601 without zone"),
        (" 2018-11-01 20:57:10.796 ", MICROS, "iso8601 without zone"),
        ("2018-11-01", 1_541_030_400_000_000, "iso8601 without zone"),
    ],
)
def test_every_time_format_is_recognised(value: Any, micros: int, time_format: str) -> None:
    assert read(value) == (micros, time_format, None)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("yesterday", "wrong type"),
        ("2018-13-01T00:00:00Z", "wrong type"),
        ("0000-00-00 00:00:00", "wrong type"),
        (True, "wrong type"),
        ([1541105830796], "wrong type"),
        ({"ms": 1541105830796}, "wrong type"),
        ("NaN", "wrong type"),
        (0, "impossible"),
        (-5, "impossible"),
        (99999999999999, "impossible"),
        (4102444800000, "impossible"),
        (10**25, "impossible"),
        (10**400, "impossible"),
        (Decimal("1E+400"), "impossible"),
        ("20170301", "impossible"),
        ("1999-12-31T23:59:59Z", "impossible"),
        ("0001-01-01T00:00:00+14:00", "impossible"),
    ],
)
def test_other_values_have_a_problem(value: Any, problem: str | None) -> None:
    assert read(value) == (None, None, problem)


@pytest.mark.parametrize(
    ("time_format", "value", "expected"),
    [
        ("ms", 1541105830796, (MICROS, "ms", None)),
        ("ms", 1541105830, (None, None, "in seconds")),
        ("ms", MICROS, (None, None, "in microseconds")),
        ("ms", str(MICROS * 1_000), (None, None, "in nanoseconds")),
        ("s", "1541105830", (MICROS - 796_000, "s", None)),
        ("s", 1541105830796, (None, None, "in milliseconds")),
        ("ms", "2018-11-01T20:57:10.796Z", (None, None, "wrong type")),
        ("iso8601", "2018-11-01T20:57:10.796Z", (MICROS, "iso8601", None)),
        ("iso8601", "2018-11-01 20:57:10.796", (MICROS, "iso8601 without zone", None)),
        ("iso8601", 1541105830796, (None, None, "in milliseconds")),
    ],
)
def test_a_fixed_format_excludes_the_others(
    time_format: str, value: Any, expected: tuple[Any, ...]
) -> None:
    assert read(value, time_format=time_format) == expected


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2018-07-01 12:00:00", "2018-07-01T10:00:00Z"),
        ("2018-12-01 12:00:00", "2018-12-01T11:00:00Z"),
        ("2018-10-28 02:30:00", "2018-10-28T00:30:00Z"),  # ambiguous: the first
        ("2018-03-25 02:30:00", "2018-03-25T01:30:00Z"),  # does not exist
        ("2018-07-01T12:00:00Z", "2018-07-01T12:00:00Z"),
    ],
)
def test_the_time_zone_applies_to_times_without_one(text: str, utc: str) -> None:
    expected = datetime.fromisoformat(utc)
    micros, _, _ = read(text, zone="Europe/Berlin")
    assert micros == (expected - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("value", "number"), [("1.0", 1), (" 7 ", 7), ("x", None), (False, None), (None, None)]
)
def test_numbers_may_be_in_quotes(value: object, number: int | None) -> None:
    assert parse_number(value) == number
