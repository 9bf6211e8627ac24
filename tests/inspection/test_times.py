from datetime import UTC, date, datetime

import pytest

from sparkify.inspection.times import find_time_form, read_number


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (1541105830, "s"),
        (1541105830796, "ms"),
        ("1541105830796", "ms"),
        (1541105830796000, "us"),
        (1541105830796000000, "ns"),
        (1541105830796.0, "ms"),
        ("2018-11-01T20:57:10.796Z", "iso8601"),
        ("2018-11-01T20:57:10+02:00", "iso8601"),
        ("2018-11-01 20:57:10", "local"),
        ("2018-11-01", "date"),
        ("2018-11-01 20:57:10 UTC", "iso8601"),
        ("2018-11-01 20:57:10 CET", "zone name"),
        (20181101, "yyyymmdd"),
        ("20181101", "yyyymmdd"),
        (datetime(2018, 11, 1), "local"),
        (datetime(2018, 11, 1, tzinfo=UTC), "iso8601"),
        (date(2018, 11, 1), "date"),
        ("2018-13-01", None),
        ("1999-11-01 20:57:10", None),
        ("2018-11-01 nonsense", None),
        (True, None),
        (42, None),
        (20181399, None),
        ("", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_times_are_recognised_by_their_form(value: object, form: str | None) -> None:
    assert find_time_form(value) == form


@pytest.mark.parametrize(("value", "number"), [("1.0", 1), (" 7 ", 7), ("x", None), (False, None)])
def test_numbers_may_be_in_quotes(value: object, number: int | None) -> None:
    assert read_number(value) == number
