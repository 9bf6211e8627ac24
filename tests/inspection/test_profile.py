import pytest

from sparkify.inspection.profile import format_text, format_value, profile_records


def test_nested_keys_have_dots_and_dots_in_keys_are_escaped() -> None:
    profile = profile_records([{"a": {"b": {"c.d": 1}}, "e": {}, "f": None, "g": " "}])
    assert profile.records == [{"a.b.c\\.d": 1, "e": {}}]
    assert profile.keys["a.b.c\\.d"].part == "c.d"


def test_a_key_has_types_values_and_times() -> None:
    profile = profile_records([{"a": True, "t": "1541105830"}, {"a": "x"}, {"a": 2.0}])
    assert profile.keys["a"].types == {"boolean": 1, "text": 1, "whole number": 1}
    assert profile.keys["a"].values == {"true": 1, "x": 1, "2": 1}
    assert profile.keys["t"].time_form == "s"


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
def test_values_of_people_are_private(key: str, value: str) -> None:
    assert profile_records([{key: value}]).keys[key].is_private


@pytest.mark.parametrize("key", ["event_name", "plan", "track_name", "description", "page"])
def test_other_values_are_shown(key: str) -> None:
    assert not profile_records([{key: "Play"}]).keys[key].is_private


def test_records_without_a_customer_can_be_left_out() -> None:
    profile = profile_records([{"user": "a", "x": 1}, {"user": "", "x": 2}])
    assert profile.of_users("user").records == [{"user": "a", "x": 1}]


def test_texts_fit_into_a_comment() -> None:
    assert format_text("a\nb\u2028é😀") == '"a\\nb\\u2028é😀"'
    assert format_text("\ud800") == '"\\ud800"'
    assert [format_value(one) for one in (True, 3.0, " x ")] == ["true", "3", "x"]
