import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.log_formats.files import is_hidden, split_values

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=5)
INDENTS = st.sampled_from([None, 0, 1, 4, "\t"])


@given(
    objects=OBJECTS,
    indent=INDENTS,
    ascii_only=st.booleans(),
    before=st.sampled_from(["", "\ufeff", "\r\n"]),
)
@settings(max_examples=300, deadline=None)
def test_arrays_and_streams_are_split_into_their_objects(
    objects: list[dict[str, Any]], indent: int | str | None, ascii_only: bool, before: str
) -> None:
    def dump(value: object) -> str:
        return json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    array, stream = dump(objects), "\n".join(map(dump, objects))
    for text in (array, stream):
        assert [json.loads(value) for value in split_values(before + text)] == objects
    several = "\n".join([array, stream, array])
    assert [json.loads(value) for value in split_values(several)] == objects * 3


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        (" \r\n", []),
        ("[]", []),
        ("[\n]\n", []),
        ("[] []", []),
        ('\ufeff[{"a":1}]', ['{"a":1}']),
        ('[{"a":1},{"a":2}][{"a":3}]', ['{"a":1}', '{"a":2}', '{"a":3}']),
        ('{"a":1}{"a":2}\n\n{"a":3}', ['{"a":1}', '{"a":2}', '{"a":3}']),
        (
            '[1, "a", null, [2], {"a": [{"b": 3}]}]',
            ["1", '"a"', "null", "[2]", '{"a": [{"b": 3}]}'],
        ),
        ('[{"a":1.10e+5}]', ['{"a":1.10e+5}']),
        (r'[{"a":"\u00fc\ud83d\ude00\ud800"}]', [r'{"a":"\u00fc\ud83d\ude00\ud800"}']),
        ('[{"a":"], [{"}]', ['{"a":"], [{"}']),
        # From the first place that is not JSON on, the rest is one record, which is rejected later.
        ('[{"a":1},{"a":2},{"a', ['{"a":1}', '{"a":2}', '{"a']),
        ('[{"a":1},\n{"a":2},\n', ['{"a":1}', '{"a":2}']),
        ('[{"a":1}', ['{"a":1}']),
        ('{"a":1}\n{"a":', ['{"a":1}', '{"a":']),
        ('[{"a":1}] oops {"a":2}', ['{"a":1}', 'oops {"a":2}']),
        ('{"a":1},\n{"a":2}\n', ['{"a":1}', ',\n{"a":2}']),
        ("[" * 3_000, ["[" * 2_999]),
    ],
)
def test_values_keep_their_text(text: str, values: list[str]) -> None:
    assert split_values(text) == values


@pytest.mark.parametrize(
    "digits", ["12345678901234567890.123456789012345678901234567890", "1" * 5_000]
)
@pytest.mark.parametrize(
    "text", ['[{{"a":{}}}]', '[{{"a":{}}}] {{"b":1}}', '{{"a":{}}}\n{{"b":1}}']
)
def test_numbers_keep_all_their_digits(digits: str, text: str) -> None:
    first, *rest = split_values(text.format(digits))
    assert first == f'{{"a":{digits}}}'
    assert rest in ([], ['{"b":1}'])


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/b", False), ("_a/b", True), ("a/.b", True), ("_day=1/b", False), ("a._COPYING_", True)],
)
def test_hidden_files_have_names_that_spark_skips(path: str, expected: bool) -> None:
    assert is_hidden(path) == expected
