"""Numbers, dates and names as text for readers; `FILTERS` are the same as Jinja filters."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from math import floor, isfinite, log10
from typing import Any, TypeGuard

from sparkify.formatting.baseline_comparison import TOO_FEW
from sparkify.formatting.money import format_dollars as format_plain_dollars

UNKNOWN = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
WORD_JOINER = "\N{WORD JOINER}"  # keeps a line from breaking between a minus and its dollars
SPACE = "\N{NO-BREAK SPACE}"  # keeps a number, its unit and its interval in one line
MAX_DECIMALS = 4
SUFFIXES = {"share": f"{SPACE}%", "times": f"{SPACE}times"}
MIN_WIDTH = 1e-9  # a narrower interval is floating-point noise


def format_count(value: float) -> str:
    """Format a whole number with thousands separators."""
    return _format_fixed(value, 0)


def format_number(value: float | None, digits: int = 2) -> str:
    """Format a number with `digits` significant digits, but all digits before the decimal point."""
    if not _is_known(value):
        return UNKNOWN
    smallest = 10**-MAX_DECIMALS
    if 0 < abs(value) < smallest:
        return f"below {smallest:.{MAX_DECIMALS}f}"
    return _format_fixed(value, _count_decimals(value, digits))


def format_share(value: float | None) -> str:
    """Format a share as a percentage with two significant digits; only exactly 1 is 100 %."""
    if not _is_known(value):
        return UNKNOWN
    text = format_number(100 * value)
    if text == "100" and value < 1:
        text = _format_fixed(100 * value, _count_decimals(100 * (1 - value), 1))
    return f"{text}{SPACE}%"


def format_dollars(value: float | None) -> str:
    """Format dollars as `sparkify.formatting.money` does, with a typographic minus."""
    if not _is_known(value):
        return UNKNOWN
    return format_plain_dollars(value).replace("-", MINUS + WORD_JOINER)


def format_metric(
    metric: Mapping[str, Any] | None, unit: str = "number", decimals: int | None = None
) -> str:
    """Format a metric with its 95 % interval, with two significant digits of the interval's width.

    Args:
        metric: `value`, and if it has an interval `ci95`: two bounds, or None if too few churned.
        unit: number, share (shown as a percentage), times or dollars (never rounded further).
        decimals: fixed number of decimals, for metrics that are compared with each other.
    """
    if not metric or not _is_known(metric["value"]):
        return UNKNOWN
    value = _format_value(metric["value"], unit, decimals)
    if "ci95" not in metric:
        return value
    if metric["ci95"] is None:
        return f"{value}{SPACE}({TOO_FEW.replace(' ', SPACE)})"
    if unit == "dollars":
        low, high = map(format_dollars, metric["ci95"])
    else:
        value, low, high = _round_to_interval(metric, unit, decimals)
        value += SUFFIXES.get(unit, "")
        high += SUFFIXES["share"] if unit == "share" else ""
    return f"{value} ({low}{SPACE}to{SPACE}{high})"


def format_metrics(metrics: Sequence[Mapping[str, Any] | None], unit: str = "number") -> list[str]:
    """Format metrics that are compared: all with the decimals of the narrowest interval."""
    intervals = [metric["ci95"] for metric in metrics if metric and metric.get("ci95")]
    decimals = max(
        (_count_interval_decimals(interval, unit) for interval in intervals), default=None
    )
    return [format_metric(metric, unit, decimals) for metric in metrics]


def format_difference(metric: Mapping[str, Any]) -> str:
    """Format a difference between two metrics with its 95 % interval."""
    value, low, high = _round_to_interval(metric)
    return f"difference {value}, 95{SPACE}% CI {low} to {high}"


def format_with_errors(values: Sequence[float], errors: Sequence[float]) -> list[str]:
    """Format values with standard errors: all with the decimals of the smallest error.

    An error of 0 means that it is unknown: it comes from a single value.
    """
    decimals = max((_count_decimals(error, 2) for error in errors if error), default=MAX_DECIMALS)
    return [
        f"{_format_fixed(value, decimals)}{SPACE}±{SPACE}{_format_fixed(error, decimals)}"
        if error
        else f"{_format_fixed(value, decimals)} ({TOO_FEW})"
        for value, error in zip(values, errors, strict=True)
    ]


def read_metric(row: Mapping[Any, Any], name: str) -> dict[str, Any] | None:
    """Return a metric from the columns `name`, `name_low` and `name_high`, or None if missing."""
    value, low, high = (row[f"{name}{bound}"] for bound in ("", "_low", "_high"))
    if not _is_known(value):
        return None
    return {"value": value, "ci95": [low, high] if _is_known(low) else None}


def format_day(iso: str) -> str:
    """Format an ISO date or timestamp as 1 December 2018."""
    day = date.fromisoformat(str(iso)[:10])
    return f"{day.day} {day:%B %Y}"


def format_rule(name: str) -> str:
    """Format the name of a baseline that ranks customers, such as most songs first."""
    return f"{format_name(name)} first"


def format_setting(value: float | str) -> str:
    """Format the value of a parameter with at most three significant digits."""
    return value if isinstance(value, str) else f"{value:.3g}"


def format_days_ago(days: float) -> str:
    """Format a time before the cutoff in days or, within a day, in hours."""
    hours = round(24 * days)
    if hours == 0:
        return "within the hour"
    return f"{pluralise(hours, 'hour') if days < 1 else pluralise(round(days), 'day')} ago"


def format_name(name: object) -> str:
    """Format the name of a column, rule or setting: underscores become spaces."""
    return str(name).replace("_", " ")


def pluralise(number: float, noun: str) -> str:
    """Format a number with its noun, in the plural unless it is 1."""
    return f"{format_count(number)} {noun}{'' if number == 1 else 's'}"


FILTERS = {
    "count": format_count,
    "number": format_number,
    "number3": partial(format_number, digits=3),
    "share": format_share,
    "dollars": format_dollars,
    "metric": format_metric,
    "metrics": format_metrics,
    "day": format_day,
    "days_ago": format_days_ago,
    "name": format_name,
    "rule": format_rule,
    "setting": format_setting,
    "plural": pluralise,
}


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and isfinite(value)


def _count_decimals(value: float, digits: int) -> int:
    """Return the decimals that show this many significant digits; negative for tens, hundreds."""
    if value == 0:
        return 0
    rounded = float(f"{abs(value):.{digits - 1}e}")  # 9.98 with two digits is 10
    return min(digits - 1 - floor(log10(rounded)), MAX_DECIMALS)


def _count_interval_decimals(interval: Sequence[float], unit: str) -> int:
    width = (100 if unit == "share" else 1) * (interval[1] - interval[0])
    return _count_decimals(width, 2) if width > MIN_WIDTH else 2


def _round_to_interval(
    metric: Mapping[str, Any], unit: str = "number", decimals: int | None = None
) -> list[str]:
    """Format a metric's value and both bounds with the same decimals."""
    if decimals is None:
        decimals = _count_interval_decimals(metric["ci95"], unit)
    scale = 100 if unit == "share" else 1
    return [
        _format_fixed(scale * number, decimals) for number in (metric["value"], *metric["ci95"])
    ]


def _format_value(value: float, unit: str, decimals: int | None) -> str:
    """Format a value without its interval."""
    if unit == "dollars":
        return format_dollars(value)
    if decimals is not None:
        return _format_fixed(value * (100 if unit == "share" else 1), decimals) + SUFFIXES.get(
            unit, ""
        )
    return format_share(value) if unit == "share" else format_number(value) + SUFFIXES.get(unit, "")


def _format_fixed(value: float, decimals: int) -> str:
    """Format a number with thousands separators and a typographic minus, but never minus zero."""
    text = f"{abs(value):,.{max(decimals, 0)}f}"
    return f"{MINUS}{text}" if value < 0 and text.strip("0.,") else text
