from datetime import UTC, date, datetime

import pytest

from sparkify.inspection.profile import (
    find_time_format,
    format_text,
    format_value,
    profile_records,
    read_number,
)


def test_nested_keys_have_dots_and_dots_in_keys_are_escaped() -> None:
    profile = profile_records([{"a": {"b": {"c.d": 1}}, "e": {}, "f": None, "g": " "}])
    assert profile.records == [{"a.b.c\\.d": 1, "e": {}}]
    assert profile.keys["a.b.c\\.d"].part == "c.d"


def test_a_key_has_types_values_and_times() -> None:
    profile = profile_records([{"a": True, "t": "1541105830"}, {"a": "x"}, {"a": 2.0}])
    assert profile.keys["a"].types == {"boolean": 1, "text": 1, "whole number": 1}
    assert profile.keys["a"].values == {"true": 1, "x": 1, "2": 1}
    assert profile.keys["t"].time_format == "s"


def test_key_value_pairs_are_recognised() -> None:
    profile = profile_records([{"p": [{"key": "k", "value": {"int_value": 1}}], "q": [1]}])
    assert profile.keys["p"].is_type("key/value pairs")
    assert profile.keys["q"].is_type("list")
    assert not profile.keys["q"].is_scalar


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("firstName", "Ann"), ("user_name", "ann"), ("name", "Ann"), ("ip", "x")),
        *(("contact", "ann@example.org"), ("from", "10.0.0.1"), ("client", "Mozilla/5.0 (X11)")),
        *(
            ("userAgent", "UA"),
            ("shipping_address", "x"),
            ("auth_token", "x"),
            ("h", "fe80::1:2:3"),
        ),
    ],
)
def test_personal_values_are_private(key: str, value: str) -> None:
    assert profile_records([{key: value}]).keys[key].is_private


@pytest.mark.parametrize("key", ["event_name", "plan", "track_name", "description", "page"])
def test_other_values_are_not_private(key: str) -> None:
    assert not profile_records([{key: "Play"}]).keys[key].is_private


def test_records_without_a_customer_can_be_dropped() -> None:
    profile = profile_records([{"user": "a", "x": 1}, {"user": "", "x": 2}])
    assert profile.select_records_with_user("user").records == [{"user": "a", "x": 1}]


def test_texts_are_quoted_for_comments() -> None:
    assert format_text("a\nb\u2028é😀") == '"a\\nb\\u2028é😀"'
    assert format_text("\ud800") == '"\\ud800"'
    assert [format_value(value) for value in (True, 3.0, " x ")] == ["true", "3", "x"]


@pytest.mark.parametrize(
    ("value", "time_format"),
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
def test_time_formats_are_recognised(value: object, time_format: str | None) -> None:
    assert find_time_format(value) == time_format


@pytest.mark.parametrize(("value", "number"), [("1.0", 1), (" 7 ", 7), ("x", None), (False, None)])
def test_numbers_may_be_in_quotes(value: object, number: int | None) -> None:
    assert read_number(value) == number
