"""Numbers as people read them: no more digits than are known, and the interval beside."""

from collections.abc import Mapping
from datetime import date
from math import floor, isfinite, log10
from typing import Any, TypeGuard

UNKNOWN = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
JOINED = "\N{WORD JOINER}"  # a line would otherwise end after the minus of dollars
SPACE = "\N{NO-BREAK SPACE}"  # a figure and its unit, or its interval, stay in one line
MOST_DECIMALS = 4
NO_WIDTH = 1e-9  # an interval narrower than this is the noise of arithmetic


def count(value: float) -> str:
    """Write a whole number with its thousands apart."""
    return _written(value, 0)


def tenths(value: float) -> str:
    """Write a number with one decimal."""
    return _written(value, 1)


def number(value: float | None, digits: int = 2) -> str:
    """Write a number with so many significant digits, at least those before the point."""
    if not _is_known(value):
        return UNKNOWN
    least = 10**-MOST_DECIMALS
    if 0 < abs(value) < least:
        return f"below {least:.{MOST_DECIMALS}f}"
    return _written(value, _decimals(value, digits))


def share(value: float | None, digits: int = 2) -> str:
    """Write a share as per cent with so many significant digits."""
    return f"{number(100 * value, digits)}{SPACE}%" if _is_known(value) else UNKNOWN


def dollars(value: float | None) -> str:
    """Write whole dollars."""
    return _in_dollars(_written(value, 0)) if _is_known(value) else UNKNOWN


def dollars_and_cents(value: float) -> str:
    """Write dollars with their cents."""
    return _in_dollars(_written(value, 2))


def interval(
    value: float | None, low: float | None, high: float | None, unit: str = "number"
) -> str:
    """Write a value with its 95 % interval, rounded to two digits of the interval's width.

    Args:
        value: what was measured; None or NaN where it could not be.
        low: lower bound, in the unit of the value.
        high: upper bound.
        unit: number, share (written as per cent), times or dollars.
    """
    if not (_is_known(value) and _is_known(low) and _is_known(high)):
        return {"share": share, "dollars": dollars}.get(unit, number)(value)
    scale = 100 if unit == "share" else 1
    width = scale * (high - low)
    decimals = _decimals(width, 2) if width > NO_WIDTH else 2
    if unit == "dollars":
        middle, least, most = (
            _in_dollars(_written(round(bound, decimals), 0)) for bound in (value, low, high)
        )
        return f"{middle} ({least}{SPACE}to{SPACE}{most})"
    middle, least, most = (_written(scale * bound, decimals) for bound in (value, low, high))
    after = {"share": f"{SPACE}%", "times": f"{SPACE}times"}.get(unit, "")
    return f"{middle}{after} ({least}{SPACE}to{SPACE}{most}{after if unit == 'share' else ''})"


def measured(metric: Mapping[str, Any] | None, unit: str = "number") -> str:
    """Write a metric as `modelling.evaluation` gives it: `value` and `ci95`."""
    if not metric:
        return UNKNOWN
    low, high = metric.get("ci95", (None, None))
    return interval(metric["value"], low, high, unit)


def with_error(value: float, error: float) -> str:
    """Write a value with its standard error, rounded to two digits of the error."""
    decimals = _decimals(error, 2) if error else MOST_DECIMALS
    return f"{_written(value, decimals)}{SPACE}±{SPACE}{_written(error, decimals)}"


def day(iso: str | None) -> str:
    """Write an ISO date as 1 December 2018."""
    if not iso:
        return UNKNOWN
    found = date.fromisoformat(str(iso)[:10])
    return f"{found.day} {found:%B %Y}"


def days_ago(days: float) -> str:
    """Write how long ago something was, in days or hours."""
    hours = round(24 * days)
    if hours == 0:
        return "within the hour"
    if days < 1:
        return f"{hours} hour{'' if hours == 1 else 's'} ago"
    return f"{round(days)} day{'' if round(days) == 1 else 's'} ago"


def seconds(value: float) -> str:
    """Write a time in seconds, or minutes and seconds."""
    if value < 60:
        return f"{number(value)} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


def plain(name: str) -> str:
    """Write the name of a column as words."""
    return name.replace("_", " ")


def sentence_case(name: str) -> str:
    """Write the name of a column as words that begin with a capital."""
    text = plain(name)
    return text[:1].upper() + text[1:]


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and isfinite(value)


def _decimals(value: float, digits: int) -> int:
    """Return how many decimals show so many digits of a value; negative: tens, hundreds."""
    if value == 0:
        return 0
    rounded = float(f"{abs(value):.{digits - 1}e}")  # 9.98 has two digits as 10
    return min(digits - 1 - floor(log10(rounded)), MOST_DECIMALS)


def _written(value: float, decimals: int) -> str:
    """Write a number with a minus that is one, and none before nought."""
    text = f"{abs(value):,.{max(decimals, 0)}f}"
    return f"{MINUS}{text}" if value < 0 and text.strip("0.,") else text


def _in_dollars(text: str) -> str:
    return f"{MINUS}{JOINED}${text[1:]}" if text.startswith(MINUS) else f"${text}"
