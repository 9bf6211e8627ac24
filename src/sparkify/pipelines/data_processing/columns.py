"""From decoded values of a field to its typed column, and which values have another type."""

from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sparkify.pipelines.data_processing.times import QUOTED_NUMBER

MAX_ID_DIGITS = 40
# A whole number that was written with a fraction, as pandas writes a column of ids with gaps.
WHOLE_FLOAT = r"^([-+]?\d+)\.0+$"


class Column(NamedTuple):
    """The values of a field.

    Attributes:
        values: null where there is none, or one of another type.
        is_wrong: whether a value has another type than the field.
    """

    values: pa.Array
    is_wrong: pa.BooleanArray


def read_texts(values: list[Any]) -> Column:
    """Read texts, and whole numbers as their digits."""
    return _read_texts(values, takes_numbers=True)


def read_names(values: list[Any]) -> Column:
    """Read texts; a blank one is none, and a number is no name."""
    column = _read_texts(values, takes_numbers=False)
    is_blank = pc.utf8_is_space(column.values)
    is_blank = pc.or_(is_blank, pc.equal(column.values, ""))
    return Column(pc.if_else(is_blank, None, column.values), column.is_wrong)


def read_ids(values: list[Any]) -> Column:
    """Read ids: texts and whole numbers, without white space around them; a blank one is none.

    `12345678`, `12345678.0` and both of them in quotes are the same id.
    """
    types = set(map(type, values)) - {type(None)}
    if types <= {int}:
        try:
            return _all_right(pa.array(values, pa.int64()).cast(pa.string()))
        except OverflowError:
            pass
    column = _read_texts(values, takes_numbers=True)
    texts = pc.utf8_trim_whitespace(column.values)
    if pc.any(pc.match_substring(texts, ".0")).as_py():
        texts = pc.replace_substring_regex(texts, WHOLE_FLOAT, r"\1")
    texts = pc.if_else(pc.equal(texts, ""), None, texts)
    return Column(texts, column.is_wrong)


def read_whole_numbers(values: list[Any]) -> Column:
    """Read whole numbers of 64 bits, also in quotes or with a fraction of zero."""
    if set(map(type, values)) <= {int, type(None)}:
        try:
            return _all_right(pa.array(values, pa.int64()))
        except OverflowError:
            pass
    numbers = [_whole_number(_number(value)) for value in values]
    return _compared(values, numbers, pa.int64())


def read_numbers(values: list[Any]) -> Column:
    """Read numbers, also in quotes; one beyond the range of doubles is infinite."""
    if set(map(type, values)) <= {int, float, type(None)}:
        try:
            return _all_right(pa.array(values, pa.float64()))
        except pa.ArrowInvalid:  # a whole number of more than 53 bits
            pass
    numbers = [
        None if number is None else float(Decimal(number)) for number in map(_number, values)
    ]
    return _compared(values, numbers, pa.float64())


def _read_texts(values: list[Any], *, takes_numbers: bool) -> Column:
    if set(map(type, values)) <= {str, type(None)}:
        return _all_right(encode_texts(values))
    texts = [_text(value, takes_numbers) for value in values]
    return _compared(values, texts, pa.string())


def _all_right(values: pa.Array) -> Column:
    return Column(values, pa.repeat(pa.scalar(False), len(values)))


def _compared(values: list[Any], read: list[Any], kind: pa.DataType) -> Column:
    """Return what was read; a value of which nothing came, unless it is blank, is wrong."""
    pairs = zip(values, read, strict=True)
    is_wrong = [
        found is None and value is not None and not (isinstance(value, str) and not value.strip())
        for value, found in pairs
    ]
    column = encode_texts(read) if kind == pa.string() else pa.array(read, kind)
    return Column(column, pa.array(is_wrong, pa.bool_()))


def encode_texts(texts: list[str | None]) -> pa.StringArray:
    """Return texts as UTF-8; half a surrogate pair, which JSON can spell, becomes U+FFFD."""
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array(
            [
                text and text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                for text in texts
            ],
            pa.string(),
        )


def _text(value: Any, takes_numbers: bool) -> str | None:
    if isinstance(value, str):
        return value
    if not takes_numbers or isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = Decimal(repr(value))
    number = _whole(value) if isinstance(value, int | Decimal) else None
    return None if number is None else str(number)


def _number(value: Any) -> int | float | Decimal | None:
    if isinstance(value, str) and QUOTED_NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return value


def _whole(number: int | float | Decimal | None) -> int | None:
    """Return a number as an integer if it is one of at most `MAX_ID_DIGITS` digits."""
    if number is None:
        return None
    exact = Decimal(number)
    is_whole = exact.adjusted() < MAX_ID_DIGITS and exact == exact.to_integral_value()
    return int(exact) if is_whole else None


def _whole_number(number: int | float | Decimal | None) -> int | None:
    whole = _whole(number)
    return whole if whole is not None and -(2**63) <= whole < 2**63 else None
