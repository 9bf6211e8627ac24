"""Read times of event logs: numbers since 1970 in any unit, and ISO 8601."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

TimeUnit = Literal["s", "ms", "us", "ns"]
# By unit: its microseconds and its name. The most frequent unit comes first.
UNITS: dict[TimeUnit, tuple[Decimal, str]] = {
    "ms": (Decimal(1_000), "milliseconds"),
    "s": (Decimal(1_000_000), "seconds"),
    "us": (Decimal(1), "microseconds"),
    "ns": (Decimal("0.001"), "nanoseconds"),
}
ISO_8601 = "iso8601"
WITHOUT_ZONE = "iso8601 without zone"
WRONG_TYPE, IMPOSSIBLE = "wrong type", "impossible"
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_DIGITS = 30  # before the point; a longer number is not a time
QUOTED_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d{1,3})?")
NAMED_UTC = re.compile(r"\s*(UTC|GMT)$")  # BigQuery writes "2018-11-01 20:57:10 UTC"


class TimeValue(NamedTuple):
    """A time of the log; all three are None without a value.

    Attributes:
        micros: microseconds since 1970 UTC; None if there is a problem.
        time_format: a unit, `iso8601`, or `iso8601 without zone`.
        problem: `wrong type`, `in` a unit that is not allowed, or `impossible`.
    """

    micros: int | None = None
    time_format: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class TimeReader:
    """Reads the times of a log.

    Attributes:
        earliest: the first possible day, UTC.
        latest: the day after the last possible one. Counted from 1970, it has under 1,000 times
            the days of `earliest`, so that a number is possible in only one unit.
        time_format: the allowed unit or `iso8601`; None allows all.
        zone: the time zone of times without one.
    """

    earliest: date
    latest: date
    time_format: str | None
    zone: ZoneInfo

    def read(self, value: object) -> TimeValue:
        """Read a decoded JSON value."""
        if isinstance(value, str):
            value = value.strip() or None
        if value is None:
            return TimeValue()
        number = parse_number(value)
        if number is not None:
            return self._read_number(number)
        return self._read_text(value) if isinstance(value, str) else TimeValue(problem=WRONG_TYPE)

    def _read_number(self, number: float | Decimal) -> TimeValue:
        if isinstance(number, Decimal) and number.adjusted() > MAX_DIGITS:
            return TimeValue(problem=IMPOSSIBLE)
        for unit in UNITS:
            micros = _to_micros(number, unit)
            if self.is_possible(micros):
                if self.allows(unit):
                    return TimeValue(micros, unit)
                return TimeValue(problem=f"in {UNITS[unit][1]}")
        return TimeValue(problem=IMPOSSIBLE)

    def _read_text(self, text: str) -> TimeValue:
        try:
            moment = datetime.fromisoformat(NAMED_UTC.sub("+00:00", text.upper()))
        except ValueError:
            return TimeValue(problem=WRONG_TYPE)
        if not self.allows(ISO_8601):
            return TimeValue(problem=WRONG_TYPE)
        time_format = ISO_8601 if moment.tzinfo else WITHOUT_ZONE
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        try:
            micros = (moment - EPOCH) // MICROSECOND
        except OverflowError:  # less than a day from the first or last possible datetime
            return TimeValue(problem=IMPOSSIBLE)
        if not self.is_possible(micros):
            return TimeValue(problem=IMPOSSIBLE)
        return TimeValue(micros, time_format)

    def allows(self, time_format: str) -> bool:
        """Return whether a unit or `iso8601` is allowed."""
        return self.time_format in (None, time_format)

    def is_possible(self, micros: int) -> bool:
        """Return whether a time is within the possible days."""
        first, end = self._bounds
        return first <= micros < end

    @cached_property
    def _bounds(self) -> tuple[int, int]:
        first, end = (
            (datetime.combine(day, time(), UTC) - EPOCH) // MICROSECOND
            for day in (self.earliest, self.latest)
        )
        return first, end


def parse_number(value: object) -> int | float | Decimal | None:
    """Return a number, or the number in a text such as "1.0"; None for any other value."""
    if isinstance(value, str):
        text = value.strip()
        return Decimal(text) if QUOTED_NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return value


def _to_micros(number: float | Decimal, unit: TimeUnit) -> int:
    """Convert a number to microseconds; nanoseconds are truncated, fractions rounded."""
    factor = UNITS[unit][0]
    if isinstance(number, float):
        return round(number * float(factor)) if factor >= 1 else int(number / 1_000.0 // 1)
    return round(number * factor) if factor >= 1 else int(number // 1_000)
