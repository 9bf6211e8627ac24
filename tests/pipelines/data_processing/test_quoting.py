import json
from typing import Any

import pytest

from sparkify.pipelines.data_processing.fields import FIELDS, RecordShape
from sparkify.pipelines.data_processing.quoting import RecordQuoter, find_unknown_keys

FLAT = RecordShape(None, {field: (field,) for field in FIELDS}, {}, "key")
NESTED = RecordShape(
    None, {"ts": ("p", "time"), "userId": ("p", "user", "id"), "page": ("event",)}, {}, "key"
)


def quote(shape: RecordShape, record: str | bytes, characters: int = 1_000) -> str:
    text = record if isinstance(record, bytes) else record.encode()
    return RecordQuoter(shape, characters).quote(text)


def test_values_that_no_field_takes_are_blotted_out() -> None:
    record = {"ts": 12345678901234567, "userId": 30.0, "name": "Colin", "x": {"y": 1}, "z": [1]}
    assert json.loads(quote(FLAT, json.dumps(record))) == {
        **{"ts": 12345678901234567, "userId": 30.0},
        **{"name": "…", "x": "…", "z": "…"},
    }


@pytest.mark.parametrize(
    ("page", "quoted"),
    [({"name": "Colin"}, {"name": "…"}), (["Colin", {"a": 1}], ["…"]), ("Home", "Home"), (5, 5)],
)
def test_a_field_s_value_is_kept_unless_others_are_in_it(page: Any, quoted: Any) -> None:
    assert json.loads(quote(FLAT, json.dumps({"page": page}))) == {"page": quoted}


def test_of_an_object_what_leads_to_a_field_is_kept() -> None:
    record = {"event": "Play", "p": {"time": 5, "ip": "1.2.3.4", "user": {"id": 1, "mail": "c@x"}}}
    assert json.loads(quote(NESTED, json.dumps(record))) == {
        "event": "Play",
        "p": {"time": 5, "ip": "…", "user": {"id": 1, "mail": "…"}},
    }
    assert json.loads(quote(NESTED, '{"p": ["Colin"], "event": null}')) == {
        "p": ["…"],
        "event": None,
    }


@pytest.mark.parametrize(
    "record",
    [
        '{"firstName": "Colin", "lastName":"Freem',
        "{'firstName': 'Colin', 'ts': 5, 'email': 'colin@freem.org'}",
        '{"firstName": "Col\\"in", "ts": null} oops',
        '{"firstName": "Colin", "x": "\\ud800", "ts": 5}',
        b'{"firstName": "Colin", "x": "\xff", "ts": 5}',
        b'{"firstName": "Colin", "\xff": 1}',
        '{"firstName": "Colin", "x": NaN}',
    ],
)
def test_of_what_is_no_json_other_values_are_blotted_out_as_well(record: str | bytes) -> None:
    text = quote(FLAT, record)
    assert "firstName" in text
    for name in ("Colin", "Col", "Freem", "freem"):
        assert name not in text


def test_the_beginning_is_kept() -> None:
    assert quote(FLAT, json.dumps({"page": "p" * 4_096}), 20) == '{"page":"ppppppppppp'
    assert quote(FLAT, "not JSON " * 100, 20) == "not JSON not JSON no"
    assert quote(FLAT, '{"page": "' + r"\"" * 5_000_000, 20) == r'{"page": "\"\"\"\"\"'


@pytest.mark.parametrize(
    ("record", "keys"),
    [
        ('{"ts": 1, "tag": 2, "country": 3}', ["country", "tag"]),
        ('{"ts": 1, "artist": "x"}', None),
        ('{"ts": "\\ud800", "tag": 2}', ["tag"]),
        ("{", None),
        ("[1]", None),
    ],
)
def test_unknown_keys_are_listed_in_order(record: str, keys: list[str] | None) -> None:
    assert find_unknown_keys(record.encode(), FLAT.known_keys) == keys


def test_a_key_on_the_way_to_a_field_is_known() -> None:
    assert find_unknown_keys(b'{"p": {"x": 1}, "event": 1, "q": 2}', NESTED.known_keys) == ["q"]
