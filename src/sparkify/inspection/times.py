"""The forms of time that values of a log have."""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

FIRST_YEAR, LAST_YEAR = 2000, 2100
EARLIEST, LATEST = 946_684_800, 4_102_444_800  # 2000-01-01 and 2100-01-01 as seconds since 1970
UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{1,12})?([eE]\+?\d{1,2})?")
ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,]\d{1,9})?"
    r" ?(Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d)?)?"
)
WITH_ZONE_NAME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)? ?[A-Z][A-Za-z/_]{2,}")
# What the project reads, in words.
READABLE = {
    "s": "seconds since 1970",
    "ms": "milliseconds since 1970",
    "us": "microseconds since 1970",
    "ns": "nanoseconds since 1970",
    "iso8601": "ISO 8601 text",
    "local": "ISO 8601 text without a zone",
    "date": "days, ISO 8601",
}
UNREADABLE = {
    "yyyymmdd": "days as YYYYMMDD",
    "zone name": "text with the name of a zone",
}
DAYS = ("date", "yyyymmdd")


def find_time_form(value: object) -> str | None:
    """Return the form of a value that is a time from 2000 to 2099; None for any other value."""
    if isinstance(value, datetime):
        return "iso8601" if value.tzinfo else "local"
    if isinstance(value, date):
        return "date"
    number = read_number(value)
    if number is not None:
        return _find_unit(number)
    return _find_text_form(value.strip()) if isinstance(value, str) else None


def read_number(value: object) -> Decimal | None:
    """Return a number, also of a text such as "1.0"; None for any other value."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return number if number.is_finite() else None
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        try:
            return Decimal(value.strip())
        except InvalidOperation:
            return None
    return None


def _find_unit(number: Decimal) -> str | None:
    for unit, factor in UNITS.items():
        if EARLIEST * factor <= number < LATEST * factor:
            return unit
    is_day = number == number.to_integral_value() and _is_date(f"{int(number)}", "%Y%m%d")
    return "yyyymmdd" if FIRST_YEAR * 10_000 < number < LAST_YEAR * 10_000 and is_day else None


def _find_text_form(text: str) -> str | None:
    if not "2000" <= text[:4] < "2100":
        return None
    for pattern in (ISO, WITH_ZONE_NAME):
        match = pattern.fullmatch(text)
        if match and _is_date(match[1], "%Y-%m-%d") and (not match[2] or match[2] < "24"):
            if pattern is WITH_ZONE_NAME:
                return "zone name"
            return "date" if not match[2] else "iso8601" if match[3] else "local"
    return None


def _is_date(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True
