"""Whether the values of a key can be those of a field."""

from collections import defaultdict
from collections.abc import Mapping

from sparkify.inspection.names import rank_name
from sparkify.inspection.profile import Key, Profile, format_value

MAX_PAGES = 300
UNSURE_PAGE = 5  # the rank from which names such as type or path may hold something else
MAX_PLANS = 20
MAX_ITEM = 2**21  # as in data_processing
MAX_LENGTH = 86_400  # seconds


def is_id(key: Key) -> bool:
    """Return whether values can name customers: some come back, unless there are few records."""
    is_repeated = len(key.values) < key.rows or key.rows < 20
    is_told_by_name = (rank_name("userId", key) or 0) < 1
    return key.is_scalar and not key.is_type("boolean") and (is_repeated or is_told_by_name)


def is_item(key: Key, profile: Profile, fields: Mapping[str, str | None]) -> bool:
    """Return whether whole numbers from 0 rise within nearly all sessions."""
    if not key.is_type("whole number") or key.min_number < 0 or key.max_number >= MAX_ITEM:
        return False
    ts, user, session = (fields[name] or "" for name in ("ts", "userId", "sessionId"))
    places: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for record in profile.records:
        if ts in record and key.name in record:
            group = (format_value(record.get(user)), format_value(record.get(session)))
            time = format_value(record[ts]).zfill(25) if ts else ""
            places[group].append((time, float(record[key.name])))
    rising = sum(
        [item for _, item in sorted(rows)] == sorted(item for _, item in rows)
        for rows in places.values()
    )
    return rising >= 0.9 * len(places)


def is_page(key: Key, profile: Profile, user: str | None) -> bool:
    """Return whether texts are few enough to be pages and differ within customers."""
    is_told_by_name = (rank_name("page", key) or 0) < UNSURE_PAGE
    most = MAX_PAGES if is_told_by_name else min(MAX_PAGES, max(len(profile.records) // 2, 2))
    if not key.is_type("text", "whole number", "boolean") or not key.types["text"]:
        return False
    if len(key.values) > most or key.time_form or (key.is_private and key.part != "name"):
        return False
    return is_told_by_name or not _is_told_by(key.name, user, profile)


def _is_told_by(name: str, user: str | None, profile: Profile) -> bool:
    """Return whether each customer has a single value and customers differ, as in their names."""
    values: dict[str, set[str]] = defaultdict(set)
    for record in profile.records:
        if user in record and name in record:
            values[format_value(record[user])].add(format_value(record[name]))
    all_values = {value for of_user in values.values() for value in of_user}
    return len(all_values) > 1 and all(len(of_user) == 1 for of_user in values.values())


def is_plan(key: Key) -> bool:
    """Return whether texts are few enough to be names of plans."""
    return key.is_type("text", "boolean") and len(key.values) <= MAX_PLANS and not key.time_form


def is_gender(key: Key) -> bool:
    """Return whether texts are few enough to be genders."""
    return key.is_type("text") and len(key.values) <= 6


def is_length(key: Key) -> bool:
    """Return whether numbers can be the seconds of content."""
    is_number = key.is_type("whole number", "number")
    return is_number and key.min_number >= 0 and key.max_number < MAX_LENGTH
