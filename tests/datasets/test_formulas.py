import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sparkify.datasets.formulas import escape_formulas, unescape_formulas


def escape(text: str) -> str:
    (safe,) = escape_formulas(pd.DataFrame({"user_id": [text]}))["user_id"]
    return str(safe)


@pytest.mark.parametrize(
    "text",
    [
        *('=HYPERLINK("http://example.com","x")', "+1", "-1", "@x"),
        *("\t=1+1", "\r=1+1", "\n=1+1", "\tx", "\rx", "\nx", "\0x"),
        *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x"),  # full-width forms
        *(" =1+1", "\u3000=1+1", "'=1+1"),
    ],
    ids=ascii,
)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert escape(text)[:1] == "'"
    assert escape(text).replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a\t@x", "a\t'@x"),
        ("a\n+1;-2", "a\n'+1;'-2"),
        ("a; =1+1", "a;' =1+1"),
    ],
    ids=ascii,
)
def test_text_is_escaped_after_cell_separators(text: str, safe: str) -> None:
    assert escape(text) == safe


@pytest.mark.parametrize("text", ["", "007", "a=b", "x@y", "don't", "'a'", "a - b", "a, -b", "a;b"])
def test_other_text_does_not_change(text: str) -> None:
    assert escape(text) == text


def test_numbers_and_missing_values_do_not_change() -> None:
    table = pd.DataFrame(
        {
            "gain": [-1.5, 2.0],
            "customers": [-1, 2],
            "mixed": [-1, None],
            "missing": [None, np.nan],
            "predicted": [True, False],
        }
    )
    pd.testing.assert_frame_equal(escape_formulas(table), table)


def test_text_of_any_dtype_is_escaped() -> None:
    table = pd.DataFrame({"user_id": ["=1", "2"]})
    for dtype in ("object", "string", "category"):
        assert list(escape_formulas(table.astype(dtype))["user_id"]) == ["'=1", "2"]


def test_the_input_table_does_not_change() -> None:
    table = pd.DataFrame({"user_id": ["=1"]})
    escape_formulas(table)
    assert table["user_id"].tolist() == ["=1"]


@example(["", "\0"])
@given(st.lists(st.text(alphabet="='; \t\r\n-a\uff1d", max_size=8) | st.text(max_size=8)))
def test_escaping_is_reversible_and_keeps_texts_distinct(texts: list[str]) -> None:
    table = pd.DataFrame({"user_id": pd.Series(texts, dtype=object)})
    safe = escape_formulas(table)
    assert len(set(safe["user_id"])) == len(set(texts))  # pandas reads "\0" as an empty text
    pd.testing.assert_frame_equal(unescape_formulas(safe), table)
