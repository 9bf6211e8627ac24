"""Profile the keys of sampled records: types, values and time formats."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sparkify.inspection.patterns import matches
from sparkify.inspection.sampling import Record
from sparkify.log_formats.times import UNITS, WITHOUT_ZONE, TimeReader, parse_number

TIMES = TimeReader(date(2000, 1, 1), date(2100, 1, 1), None, ZoneInfo("UTC"))
WITH_ZONE_NAME = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)? ?[A-Z][A-Za-z/_]{2,}")
# Time formats that the project reads, and those that it does not.
READABLE_TIMES: dict[str, str] = {
    **{str(unit): f"{name} since 1970" for unit, (_, name) in UNITS.items()},
    "iso8601": "ISO 8601 text",
    "local": "ISO 8601 text without a zone",
    "date": "days, ISO 8601",
}
UNREADABLE_TIMES: dict[str, str] = {
    "yyyymmdd": "days as YYYYMMDD",
    "zone name": "text with the name of a zone",
}
DAYS = ("date", "yyyymmdd")
MAX_DEPTH = 8
MAX_VALUE_LENGTH = 200  # characters kept of a value
SEPARATOR = re.compile(r"(?<!\\)\.")  # of nested keys; `\.` is a dot of the key itself


@dataclass
class Key:
    """A key of the records: its values, types and time formats."""

    name: str  # nested by dots
    part: str  # the last part, unescaped
    depth: int
    rows: int = 0  # records in which it has a value
    values: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    times: Counter[str] = field(default_factory=Counter)
    min_number: float = math.inf
    max_number: float = -math.inf

    def add(self, value: object) -> None:
        """Count a value that is not missing."""
        self.rows += 1
        number = read_number(value)
        kind = _find_type(value, number)
        self.types[kind] += 1
        if kind in ("object", "list", "key/value pairs"):
            return
        self.values[format_value(value)] += 1
        time_format = find_time_format(value)
        if time_format:
            self.times[time_format] += 1
        if number is not None:
            self.min_number = min(self.min_number, float(number))
            self.max_number = max(self.max_number, float(number))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The last part, and the last two parts, in lower case without punctuation."""
        parts = [re.sub(r"[^a-z0-9]", "", part.lower()) for part in SEPARATOR.split(self.name)]
        return (parts[-1], "".join(parts[-2:]))

    @cached_property
    def is_private(self) -> bool:
        """Whether values may be personal data, which is not printed."""
        return any(matches(word, "private_name") for word in self.words) or any(
            matches(value, "private_value") for value in self.values
        )

    @property
    def is_scalar(self) -> bool:
        """Whether all values are text, numbers or booleans."""
        return self.rows > 0 and self.values.total() == self.rows

    @property
    def time_format(self) -> str | None:
        """The most frequent time format, if nearly all values are times."""
        if self.times.total() < 0.95 * self.rows or not self.times:
            return None
        return self.times.most_common(1)[0][0]

    @property
    def is_number(self) -> bool:
        """Whether all values are numbers."""
        return self.is_type("whole number", "number")

    def is_type(self, *types: str) -> bool:
        """Return whether all values have one of the types."""
        return self.rows > 0 and sum(self.types[name] for name in types) == self.rows


@dataclass(frozen=True)
class Profile:
    """The flattened records of a sample, and their keys."""

    records: list[Record]
    keys: dict[str, Key]

    def select_records_with_user(self, user: str | None) -> "Profile":
        """Return the profile of the records that have a customer."""
        if user is None or self.keys[user].rows == len(self.records):
            return self
        return profile_flat(record for record in self.records if user in record)


def profile_records(records: Iterable[Record]) -> Profile:
    """Profile records; nested keys are joined by dots."""
    return profile_flat(dict(_flatten(record)) for record in records)


def profile_flat(records: Iterable[Record]) -> Profile:
    """Profile records without nested keys."""
    rows, keys = [], {}
    for record in records:
        rows.append(record)
        for name, value in record.items():
            if name not in keys:
                parts = SEPARATOR.split(name)
                keys[name] = Key(name, parts[-1].replace("\\.", "."), len(parts) - 1)
            keys[name].add(value)
    return Profile(rows, keys)


def find_time_format(value: object) -> str | None:
    """Return the format of a time from 2000 to 2099; None for any other value."""
    if isinstance(value, datetime):
        return "iso8601" if value.tzinfo else "local"
    if isinstance(value, date):
        return "date"
    number = read_number(value)
    if number is not None:
        return TIMES.read(number).time_format or ("yyyymmdd" if _is_day(number) else None)
    if not isinstance(value, str):
        return None
    text = value.strip()
    time_format = TIMES.read(text).time_format
    if time_format == WITHOUT_ZONE:
        return "date" if len(text) == len("2000-01-01") else "local"
    return time_format or ("zone name" if WITH_ZONE_NAME.fullmatch(text) else None)


def read_number(value: object) -> Decimal | None:
    """Return a finite number, or that in a text such as "1.0"; None for any other value."""
    number = parse_number(value)
    if number is None:
        return None
    exact = number if isinstance(number, Decimal) else Decimal(str(number))
    return exact if exact.is_finite() else None


def _is_day(number: Decimal) -> bool:
    """Return whether a number is a day from 2000 to 2099 as YYYYMMDD."""
    if not 20_000_000 < number < 21_000_000 or number != number.to_integral_value():
        return False
    try:
        datetime.strptime(f"{int(number)}", "%Y%m%d")
    except ValueError:
        return False
    return True


def format_value(value: object) -> str:
    """Return a value as the text that the project compares, such as true for booleans."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)[:MAX_VALUE_LENGTH].strip()


def format_text(text: str) -> str:
    """Return a text in quotes, fit for a YAML comment."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in quoted)


def _flatten(record: Record, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the keys of a record that have a value; a missing value is null, NaN or blank."""
    for key, value in record.items():
        name = prefix + str(key).replace(".", "\\.")
        is_blank = isinstance(value, str) and not value.strip()
        is_nan = isinstance(value, float) and math.isnan(value)
        if isinstance(value, dict) and value and depth < MAX_DEPTH:
            yield from _flatten(value, f"{name}.", depth + 1)
        elif not (value is None or is_blank or is_nan):
            yield name, value


def _find_type(value: object, number: Decimal | None) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, list):
        pairs = all(isinstance(item, dict) and {"key", "value"} <= {*item} for item in value)
        return "key/value pairs" if value and pairs else "list"
    if isinstance(value, datetime | date):
        return "time"
    if number is not None:
        return "whole number" if number == number.to_integral_value() else "number"
    if isinstance(value, str):
        return "boolean" if value.strip().lower() in ("true", "false") else "text"
    return "object" if isinstance(value, dict) else "other"
