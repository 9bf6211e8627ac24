import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.pipelines.data_processing.fields import FIELDS, RecordShape
from sparkify.pipelines.data_processing.records import (
    RecordDecoder,
    RecordQuoter,
    decode_exactly,
    find_unknown_keys,
    look_up,
)
from tests import bad_logs

FLAT = RecordShape(None, {field: (field,) for field in FIELDS}, {}, "key")
NESTED = RecordShape(
    None,
    {
        "ts": ("p", "at", "ms"),
        "userId": ("p", "user"),
        "sessionId": ("p", "user"),  # one key serves two fields
        "page": ("event",),
        "level": ("p",),  # also the parent of others
        "length": ("p", "$length"),
    },
    {},
    "key",
)
ODD_KEYS = RecordShape(None, {"ts": ('"ts"',), "userId": ("user\\id", "a\tb")}, {}, "key")


def decode_with_python(record: bytes) -> dict[str, Any] | None:
    """Return the object that Python's `json` reads; None if the record is not one object."""

    def reject(name: str) -> None:
        raise ValueError(name)

    try:
        decoded = json.loads(
            record.decode("utf-8", "replace"),
            parse_constant=reject,
            parse_int=Decimal,
            parse_float=Decimal,
        )
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def is_same(actual: Any, expected: Any) -> bool:
    """Return whether a value was read correctly; numbers compare as doubles."""
    if isinstance(expected, dict | list):
        return not isinstance(actual, str | int | float | Decimal | None)
    if isinstance(expected, Decimal) and not isinstance(actual, bool):
        return isinstance(actual, int | float | Decimal) and as_double(actual) == as_double(
            expected
        )
    return type(actual) is type(expected) and actual == expected


def as_double(number: float | Decimal) -> float:
    return float(Decimal(number))


def compare_with_python(shape: RecordShape, *records: bytes) -> None:
    decoded = RecordDecoder(shape).decode(list(records))
    for index, record in enumerate(records):
        expected = decode_with_python(record)
        assert (index in decoded.malformed) == (expected is None)
        for field, path in shape.paths.items():
            value = look_up(expected or {}, path)
            assert is_same(decoded.values[field][index], value), (record, field)


@pytest.mark.parametrize("shape", [FLAT, NESTED, ODD_KEYS], ids=["flat", "nested", "odd keys"])
@pytest.mark.parametrize("name", bad_logs.LINES)
def test_bad_lines_are_read_as_by_python_json(shape: RecordShape, name: str) -> None:
    lines = [x if isinstance(x, bytes) else x.encode() for x in bad_logs.LINES[name].lines]
    for line in lines[:5]:
        if len(line) < 100_000:
            compare_with_python(shape, line)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
    | st.sampled_from([1538352117000, 29.0, "", " ", "30", "\ud800", "\x00", "ü", "😀"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["at", "ms", "user", "$length", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from([*FIELDS, "p", "event", "x", '"ts"', "user\\id"]) | st.text(max_size=4)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=6)
ENCODED = st.tuples(OBJECTS, st.booleans(), st.sampled_from([None, 1])).map(
    lambda parts: json.dumps(parts[0], ensure_ascii=parts[1], indent=parts[2]).encode(
        errors="surrogatepass"
    )
)
REPEATED_KEYS = st.tuples(ENCODED, ENCODED).map(lambda pair: pair[0][:-1] + b"," + pair[1][1:])
CHANGED = st.tuples(ENCODED, st.integers(0, 200), st.binary(max_size=3)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
)
SPECIAL_CASES = st.sampled_from(
    [
        b'{"ts": 1e400}', b'{"ts": -1E400}', b'{"length": 1.7976931348623159e308}', b'{"x": NaN}',
        b'{"ts": NaN}', b'{"ts": -Infinity}', b'{"ts": 01}', b'{"ts": 1.}', b'{"ts": .5}',
        b'{"userId": 12345678901234567.0}', b'{"userId": 1e3}', b'{"userId": 1.50}',
        b'{"us\\u0065rId": 1}', b'{"userId": "\\ud83d\\ude00"}', b'{"x": "\\ud800"}',
        b'{"x": "\xff"}', b'{"ts": 1}\r',
        b'{"userId": "\xff"}', b'{"\xff": 1}', b'{"x": "\\x"}', b'\xef\xbb\xbf{"ts": 1}',
        b'{"ts": 1} {"ts": 2}', b'{"ts": 1,}', b'{"ts": 1, "ts": "a"}', b'{"ts": "a", "ts": null}',
        b'{"p": {"at": {"ms": 1}}, "p": 7}', b'{"p": 7, "p": {"at": {"ms": 1}}}',
        b"[]", b"null", b"7", b"",
        b'{"ts": ' + b"1" * 5_000 + b"}", b'{"x": ' + b"1" * 5_000 + b"}",
        b'{"userId": ' + b"1" * 5_000 + b"}", b'{"x": ' + b"[" * 3_000 + b"]" * 3_000 + b"}",
    ]
)  # fmt: skip
RECORDS = st.one_of(ENCODED, ENCODED, REPEATED_KEYS, CHANGED, SPECIAL_CASES, st.binary(max_size=30))


@pytest.mark.parametrize("shape", [FLAT, NESTED, ODD_KEYS], ids=["flat", "nested", "odd keys"])
@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(records=st.lists(RECORDS, max_size=4))
def test_random_records_are_read_as_by_python_json(
    shape: RecordShape, records: list[bytes]
) -> None:
    compare_with_python(shape, *records)


def test_a_bad_record_does_not_change_other_records() -> None:
    good = [json.dumps({"userId": str(number)}).encode() for number in range(9)]
    decoded = RecordDecoder(FLAT).decode([*good[:4], b"{", *good[4:]])
    assert decoded.malformed == [4]
    assert decoded.values["userId"] == ["0", "1", "2", "3", None, "4", "5", "6", "7", "8"]


@pytest.mark.parametrize(
    ("actual", "expected"),
    [(1.0, True), (True, Decimal(1)), ("1", Decimal(1)), (None, 1), (1, "1")],
)
def test_the_comparison_distinguishes_types(actual: Any, expected: Any) -> None:
    assert not is_same(actual, expected)


def test_ids_keep_all_their_digits() -> None:
    decoded = RecordDecoder(FLAT).decode([b'{"userId": 12345678901234567.0, "sessionId": 9e3}'])
    assert decoded.values["userId"] == [Decimal("12345678901234567.0")]
    assert decoded.values["sessionId"] == [Decimal(9_000)]


def test_an_empty_batch_is_decoded() -> None:
    assert RecordDecoder(FLAT).decode([]).values == {field: [] for field in FIELDS}


@pytest.mark.parametrize("record", [b"", b"7", b"[1]", b'{"a": NaN}', b"{", b'{"a": 1}{}'])
def test_a_record_that_is_not_one_object_decodes_to_none(record: bytes) -> None:
    assert decode_exactly(record) is None


NESTED_PAGE = RecordShape(
    None, {"ts": ("p", "time"), "userId": ("p", "user", "id"), "page": ("event",)}, {}, "key"
)


def quote(shape: RecordShape, record: str | bytes, characters: int = 1_000) -> str:
    text = record if isinstance(record, bytes) else record.encode()
    return RecordQuoter(shape, characters).quote(text)


def test_values_that_are_not_fields_are_hidden() -> None:
    record = {"ts": 12345678901234567, "userId": 30.0, "name": "Colin", "x": {"y": 1}, "z": [1]}
    assert json.loads(quote(FLAT, json.dumps(record))) == {
        **{"ts": 12345678901234567, "userId": 30.0},
        **{"name": "…", "x": "…", "z": "…"},
    }


@pytest.mark.parametrize(
    ("page", "quoted"),
    [({"name": "Colin"}, {"name": "…"}), (["Colin", {"a": 1}], ["…"]), ("Home", "Home"), (5, 5)],
)
def test_a_quote_keeps_values_of_fields_without_nested_values(page: Any, quoted: Any) -> None:
    assert json.loads(quote(FLAT, json.dumps({"page": page}))) == {"page": quoted}


def test_a_quote_keeps_the_nested_path_of_a_field() -> None:
    record = {"event": "Play", "p": {"time": 5, "ip": "1.2.3.4", "user": {"id": 1, "mail": "c@x"}}}
    assert json.loads(quote(NESTED_PAGE, json.dumps(record))) == {
        "event": "Play",
        "p": {"time": 5, "ip": "…", "user": {"id": 1, "mail": "…"}},
    }
    assert json.loads(quote(NESTED_PAGE, '{"p": ["Colin"], "event": null}')) == {
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
def test_values_in_malformed_json_are_hidden(record: str | bytes) -> None:
    text = quote(FLAT, record)
    assert "firstName" in text
    for name in ("Colin", "Col", "Freem", "freem"):
        assert name not in text


def test_a_quote_is_cut_at_its_maximum_length() -> None:
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
def test_unknown_keys_are_sorted(record: str, keys: list[str] | None) -> None:
    assert find_unknown_keys(record.encode(), FLAT.known_keys) == keys


def test_the_parent_key_of_a_field_is_known() -> None:
    assert find_unknown_keys(b'{"p": {"x": 1}, "event": 1, "q": 2}', NESTED_PAGE.known_keys) == [
        "q"
    ]
