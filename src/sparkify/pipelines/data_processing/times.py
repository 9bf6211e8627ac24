"""Times as services write them: numbers since 1970 in any unit, and ISO 8601."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

TimeUnit = Literal["s", "ms", "us", "ns"]
# Microseconds in a unit, and what the unit is called. The likeliest comes first.
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
MAX_DIGITS = 30  # before the point; a number with more is no time
QUOTED_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d{1,3})?")
NAMED_UTC = re.compile(r"\s*(UTC|GMT)$")  # BigQuery writes "2018-11-01 20:57:10 UTC"


class TimeColumn(NamedTuple):
    """Times of a batch; all three are null where the log has no value.

    Attributes:
        micros: microseconds since 1970 UTC; null where there is a problem.
        formats: how they are written: a unit, `iso8601`, or `iso8601 without zone`.
        problems: `wrong type`, `in` a unit that the parameters do not name, or `impossible`.
    """

    micros: pa.Int64Array
    formats: pa.StringArray
    problems: pa.StringArray


@dataclass(frozen=True)
class TimeReader:
    """Reads the times of a log.

    Attributes:
        earliest: the first possible day, UTC.
        latest: the day after the last possible one. Counted since 1970 it is less than a thousand
            times the first, so that a number is possible in one unit only.
        time_format: a unit or `iso8601`; None recognises each.
        zone: the time zone of times that name none.
    """

    earliest: date
    latest: date
    time_format: str | None
    zone: ZoneInfo

    def read(self, values: list[Any]) -> TimeColumn:
        """Read a column of values as they were decoded."""
        column = self._read_all_alike(values)
        if column is not None:
            return column
        read = [self._read_one(value) for value in values]
        micros, formats, problems = zip(*read, strict=True) if read else ((), (), ())
        return TimeColumn(
            pa.array(micros, pa.int64()),
            pa.array(formats, pa.string()),
            pa.array(problems, pa.string()),
        )

    def _read_all_alike(self, values: list[Any]) -> TimeColumn | None:
        """Read values that are all possible times, written in the same way; None if they are not.

        A hundred times as fast as one by one, which gives the same.
        """
        types = set(map(type, values)) - {type(None)}
        try:
            if types <= {int} or types == {float}:
                numbers = pa.array(values, pa.float64() if float in types else pa.int64())
                for unit in UNITS:
                    micros = _scale(numbers, unit)
                    if self._allows(unit) and self._are_possible(micros):
                        return _without_problems(micros, unit)
            elif types == {str} and self._allows(ISO_8601):
                return self._cast(pa.array(values, pa.string()))
        except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
            pass
        return None

    def _cast(self, texts: pa.StringArray) -> TimeColumn | None:
        try:
            times, name = texts.cast(pa.timestamp("us", "UTC")), ISO_8601
        except pa.ArrowInvalid:
            if self.zone.key != "UTC":
                return None
            times, name = texts.cast(pa.timestamp("us")), WITHOUT_ZONE
        micros = times.cast(pa.int64())
        return _without_problems(micros, name) if self._are_possible(micros) else None

    def _read_one(self, value: Any) -> tuple[int | None, str | None, str | None]:
        """Read one value: microseconds, how it is written, what is wrong with it."""
        if isinstance(value, str):
            value = value.strip() or None
            if value and QUOTED_NUMBER.fullmatch(value):
                value = Decimal(value)
        if value is None:
            return None, None, None
        if isinstance(value, str):
            return self._read_text(value)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return None, None, WRONG_TYPE
        return self._read_number(value)

    def _read_number(self, number: float | Decimal) -> tuple[int | None, str | None, str | None]:
        if isinstance(number, Decimal) and number.adjusted() > MAX_DIGITS:
            return None, None, IMPOSSIBLE
        for unit in UNITS:
            micros = _scale_one(number, unit)
            if self._is_possible(micros):
                if self._allows(unit):
                    return micros, unit, None
                return None, None, f"in {UNITS[unit][1]}"
        return None, None, IMPOSSIBLE

    def _read_text(self, text: str) -> tuple[int | None, str | None, str | None]:
        try:
            moment = datetime.fromisoformat(NAMED_UTC.sub("+00:00", text.upper()))
        except ValueError:
            return None, None, WRONG_TYPE
        if not self._allows(ISO_8601):
            return None, None, WRONG_TYPE
        name = ISO_8601 if moment.tzinfo else WITHOUT_ZONE
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        try:
            micros = (moment - EPOCH) // MICROSECOND
        except OverflowError:  # within a day of the year 1 or 9999
            return None, None, IMPOSSIBLE
        if not self._is_possible(micros):
            return None, None, IMPOSSIBLE
        return micros, name, None

    def _allows(self, time_format: str) -> bool:
        return self.time_format in (None, time_format)

    def _are_possible(self, micros: pa.Int64Array) -> bool:
        bounds = pc.min_max(micros).as_py()
        return bounds["min"] is None or all(map(self._is_possible, bounds.values()))

    def _is_possible(self, micros: int) -> bool:
        first, end = self._bounds
        return first <= micros < end

    @cached_property
    def _bounds(self) -> tuple[int, int]:
        """The first possible microsecond, and the first that is no longer possible."""
        first, end = (
            (datetime.combine(day, time(), UTC) - EPOCH) // MICROSECOND
            for day in (self.earliest, self.latest)
        )
        return first, end


def _without_problems(micros: pa.Int64Array, name: str) -> TimeColumn:
    nothing = pa.nulls(len(micros), pa.string())
    return TimeColumn(micros, pc.if_else(micros.is_valid(), name, nothing), nothing)


def _scale(numbers: pa.Array, unit: TimeUnit) -> pa.Int64Array:
    """Return numbers of a unit in microseconds; nanoseconds are cut, fractions are rounded."""
    factor = UNITS[unit][0]
    if pa.types.is_integer(numbers.type):
        return (
            pc.multiply_checked(numbers, int(factor)) if factor >= 1 else pc.divide(numbers, 1_000)
        )
    if factor >= 1:
        return pc.round(pc.multiply(numbers, float(factor))).cast(pa.int64())
    return pc.floor(pc.divide(numbers, 1_000.0)).cast(pa.int64())


def _scale_one(number: float | Decimal, unit: TimeUnit) -> int:
    """Do the same with one number; a Decimal exactly."""
    factor = UNITS[unit][0]
    if isinstance(number, float):
        return round(number * float(factor)) if factor >= 1 else int(number / 1_000.0 // 1)
    if factor < 1:
        return int(number // 1_000)
    return round(number * factor)
