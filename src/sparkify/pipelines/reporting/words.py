"""Numbers as people read them: no more digits than are known, and the interval beside."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import floor, isfinite, log10
from typing import Any, TypeGuard

from sparkify.formatting.baseline_comparison import TOO_FEW
from sparkify.formatting.money import format_dollars

UNKNOWN = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
JOINED = "\N{WORD JOINER}"  # a line would otherwise end after the minus of dollars
SPACE = "\N{NO-BREAK SPACE}"  # a figure and its unit, or its interval, stay in one line
MOST_DECIMALS = 4
AFTER = {"share": f"{SPACE}%", "times": f"{SPACE}times"}  # the unit, behind the number
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
    """Write a share as per cent with so many significant digits; only the whole is 100 %."""
    if not _is_known(value):
        return UNKNOWN
    text = number(100 * value, digits)
    if text == "100" and value < 1:
        text = _written(100 * value, _decimals(100 * (1 - value), 1))
    return f"{text}{SPACE}%"


def dollars(value: float | None) -> str:
    """Write dollars, by the rule of `sparkify.formatting.money`."""
    return format_dollars(value).replace("-", MINUS + JOINED) if _is_known(value) else UNKNOWN


def interval(
    value: float | None,
    low: float | None,
    high: float | None,
    unit: str = "number",
    decimals: int | None = None,
) -> str:
    """Write a value with its 95 % interval, rounded to two digits of the interval's width.

    Args:
        value: what was measured; None or NaN where it could not be.
        low: lower bound, in the unit of the value; None or NaN where there is no interval, since
            too few churned.
        high: upper bound.
        unit: number, share (written as per cent), times or dollars; dollars are not rounded.
        decimals: as many instead, where the value is compared with others.
    """
    if not _is_known(value):
        return UNKNOWN
    if not (_is_known(low) and _is_known(high)):
        return f"{_alone(value, unit, decimals)}{SPACE}({TOO_FEW.replace(' ', SPACE)})"
    if unit == "dollars":
        return f"{dollars(value)} ({dollars(low)}{SPACE}to{SPACE}{dollars(high)})"
    middle, least, most = bounds(value, low, high, unit, decimals)
    after = AFTER.get(unit, "")
    return f"{middle}{after} ({least}{SPACE}to{SPACE}{most}{after if unit == 'share' else ''})"


def bounds(
    value: float, low: float, high: float, unit: str = "number", decimals: int | None = None
) -> tuple[str, str, str]:
    """Write a value and its bounds, each by itself; arguments as for `interval`."""
    if decimals is None:
        decimals = _interval_decimals(low, high, unit)
    scale = 100 if unit == "share" else 1
    middle, least, most = (_written(scale * number, decimals) for number in (value, low, high))
    return middle, least, most


def measured(
    metric: Mapping[str, Any] | None, unit: str = "number", decimals: int | None = None
) -> str:
    """Write a metric as `modelling.evaluation` gives it: `value`, and `ci95` if it has one."""
    if not metric:
        return UNKNOWN
    if "ci95" not in metric:
        return _alone(metric["value"], unit, decimals)
    low, high = metric["ci95"] or (None, None)
    return interval(metric["value"], low, high, unit, decimals)


def difference(gain: Mapping[str, Any]) -> str:
    """Write a difference with its 95 % interval, in words."""
    value, low, high = bounds(gain["value"], *gain["ci95"])
    return f"difference {value}, 95{SPACE}% CI {low} to {high}"


def metric_of(row: Mapping[Any, Any], name: str) -> dict[str, Any] | None:
    """Return a metric from a table's columns, None where it is missing."""
    value, low, high = (row[f"{name}{bound}"] for bound in ("", "_low", "_high"))
    if not _is_known(value):
        return None
    return {"value": value, "ci95": [low, high] if _is_known(low) else None}


def compared(metrics: Sequence[Mapping[str, Any] | None], unit: str = "number") -> list[str]:
    """Write metrics that are compared with each other, all with the decimals of the surest."""
    intervals = [metric["ci95"] for metric in metrics if metric and metric.get("ci95")]
    decimals = max((_interval_decimals(low, high, unit) for low, high in intervals), default=None)
    return [measured(metric, unit, decimals) for metric in metrics]


def with_errors(values: Sequence[float], errors: Sequence[float]) -> list[str]:
    """Write values with their standard errors, all with the decimals of the smallest error.

    An error of 0 is that of one value alone: it is not known.
    """
    decimals = max((_decimals(error, 2) for error in errors if error), default=MOST_DECIMALS)
    return [
        f"{_written(value, decimals)}{SPACE}±{SPACE}{_written(error, decimals)}"
        if error
        else f"{_written(value, decimals)} ({TOO_FEW})"
        for value, error in zip(values, errors, strict=True)
    ]


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


def _alone(value: float | None, unit: str, decimals: int | None) -> str:
    """Write a value without an interval."""
    if unit == "dollars":
        return dollars(value)
    if decimals is None or not _is_known(value):
        return share(value) if unit == "share" else number(value) + AFTER.get(unit, "")
    return _written(value * (100 if unit == "share" else 1), decimals) + AFTER.get(unit, "")


def _interval_decimals(low: float, high: float, unit: str) -> int:
    width = (100 if unit == "share" else 1) * (high - low)
    return _decimals(width, 2) if width > NO_WIDTH else 2
