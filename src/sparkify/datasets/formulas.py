"""Escape text that a spreadsheet would run as a formula.

A spreadsheet runs a cell of a CSV or xlsx file that begins with one of `FORMULA_STARTS`. Cells
contain text of the log: a user ID may be `=HYPERLINK(...)`. See OWASP, CSV Injection.
"""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

FULL_WIDTH = "\uff1d\uff0b\uff0d\uff20"  # = + - @ as East Asian keyboards write them
FORMULA_STARTS = rf"=+\-@{FULL_WIDTH}\t\r\n\0"  # a set of characters in a regular expression
# Some spreadsheets begin a cell after a semicolon, tab or line end in the text. A comma does not
# split quoted text.
CELL = r"(?:^|(?<=[;\t\r\n]))"
FORMULA = rf"[^\S\t\r\n]*[{FORMULA_STARTS}]"  # some spreadsheets drop blanks before it
UNSAFE = re.compile(rf"{CELL}(?='*{FORMULA})")
ESCAPED = re.compile(rf"{CELL}'(?='*{FORMULA})")


def escape_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before each text that a spreadsheet would run.

    Numbers do not change. Escaped text gets another apostrophe, so that `unescape_formulas`
    restores every text.
    """
    return _replace(table, lambda text: UNSAFE.sub("'", text))


def unescape_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it was before `escape_formulas`."""
    return _replace(table, lambda text: ESCAPED.sub("", text))


def _replace(table: pd.DataFrame, replace: Callable[[str], str]) -> pd.DataFrame:
    def replace_text(value: Any) -> Any:
        return replace(value) if isinstance(value, str) else value

    replaced = table.copy()
    for name in table.select_dtypes(["object", "string", "category"]):
        replaced[name] = table[name].map(replace_text)
    return replaced
