"""Guess which keys of a log are the project's fields, by names and values."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sparkify.inspection.patterns import NAMES, matches
from sparkify.inspection.profile import (
    DAYS,
    UNREADABLE_TIMES,
    Key,
    Profile,
    find_time_format,
    format_value,
)

FIELDS = tuple(NAMES["fields"])
MIN_SHARE = 0.95  # of the records with a customer that have the key; the rest would be rejected
MIN_MEASURES = 3  # numeric keys from which a table by day looks like daily sums
MAX_PAGES = 300
UNSURE_PAGE_RANK = 5  # from this rank on, names such as type or path may not mean pages
MAX_PLANS = 20
MAX_GENDERS = 6
MAX_ITEM = 2**21  # as in data_processing
MAX_LENGTH = 86_400  # seconds
UNLIKELY_RANK = 90  # of names that are used only if no other name fits
# Fields whose names may contain those of `ts`.
NOT_TIMES = ("registration", "sessionId", "itemInSession", "userId")


@dataclass
class Guess:
    """The key of each field, alternatives, and problems."""

    fields: dict[str, str | None] = field(default_factory=dict)
    considered: dict[str, list[str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    levels: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)  # by field
    problems: list[str] = field(default_factory=list)
    page_from: str | None = None  # folder or file


def guess_fields(profile: Profile, page_from: str | None = None) -> Guess:
    """Return the key that each field probably has.

    `page_from` is folder or file, if its name can be the page of records without one.
    """
    guess = Guess()
    _choose(guess, "userId", _rank(profile, "userId", is_id))
    user = guess.fields["userId"]
    with_user = profile.select_records_with_user(user)
    rows = len(with_user.records)
    _choose(guess, "ts", _rank_times(profile))
    for name, is_possible in (
        ("sessionId", lambda key: key.is_scalar and not key.is_type("boolean")),
        ("itemInSession", lambda key: is_item_in_session(key, with_user, guess.fields)),
        ("page", lambda key: is_page(key, with_user, user)),
        ("registration", lambda key: key.time_format and key.time_format not in UNREADABLE_TIMES),
        ("level", is_plan),
    ):
        _choose(guess, name, _rank(with_user, name, is_possible), rows)
    if guess.fields["level"] is None:
        _choose(guess, "level", _rank_plans_by_values(with_user, guess), rows)
    for name, is_possible in (
        ("gender", lambda key: key.is_type("text") and len(key.values) <= MAX_GENDERS),
        (
            "length",
            lambda key: key.is_number and 0 <= key.min_number <= key.max_number < MAX_LENGTH,
        ),
        ("revenue", lambda key: key.is_number and key.min_number >= 0),
    ):
        _choose(guess, name, _rank(with_user, name, is_possible))
    _note_milliseconds(guess, with_user)
    _set_levels(guess, with_user)
    _set_page(guess, with_user, page_from)
    _set_problems(guess, profile)
    return guess


def _rank(profile: Profile, field_name: str, is_possible: Callable[[Key], object]) -> list[Key]:
    """Return the keys that a field could have, the most likely first."""
    ranks = {name: rank_name(field_name, key) for name, key in profile.keys.items()}
    fitting = [key for name, key in profile.keys.items() if ranks[name] is not None]
    return sorted(
        (key for key in fitting if is_possible(key)),
        key=lambda key: (ranks[key.name], key.depth, -key.rows),
    )


def _rank_times(profile: Profile) -> list[Key]:
    """Return the keys that can be the event time; keys without a fitting name come last."""
    fitting = _rank(profile, "ts", lambda key: key.time_format)
    likely = [key for key in fitting if (rank_name("ts", key) or 0) < UNLIKELY_RANK]
    alternatives = [
        key
        for key in profile.keys.values()
        if key.time_format and key not in fitting and len(key.values) > 1
        if all(rank_name(name, key) is None for name in ("registration", "sessionId", "userId"))
    ]
    demoted = [key for key in fitting if key not in likely]
    enough = MIN_SHARE * len(profile.records)
    return sorted(
        [*likely, *demoted, *alternatives],
        key=lambda key: (key.rows < enough, key.time_format in UNREADABLE_TIMES),
    )


def _choose(guess: Guess, field_name: str, candidates: list[Key], rows: int = 0) -> None:
    """Set a field to the first candidate with values in enough records."""
    enough = [key for key in candidates if key.rows >= MIN_SHARE * rows]
    chosen = enough[0].name if enough else None
    guess.fields[field_name] = chosen
    alternatives = [key for key in candidates if key.name != chosen]
    guess.considered[field_name] = [
        key.name if key in enough else f"{key.name} (only in {key.rows / rows:.0%})"
        for key in alternatives
    ]


def _rank_plans_by_values(profile: Profile, guess: Guess) -> list[Key]:
    """Return the keys with values that are words for plans."""
    used = {*guess.fields.values()}
    return [
        key
        for key in profile.keys.values()
        if key.name not in used and is_plan(key) and key.types["text"] and not key.is_private
        if all(matches(value, "plan") for value in key.values)
    ]


def _note_milliseconds(guess: Guess, profile: Profile) -> None:
    names = [
        key.name
        for key in profile.keys.values()
        if key.is_type("whole number") and not key.time_format
        if any(matches(word, "milliseconds") for word in key.words)
    ]
    if guess.fields["length"] is None and names:
        guess.notes["length"] = f"{', '.join(names)} counts milliseconds; length needs seconds"


def _set_levels(guess: Guess, profile: Profile) -> None:
    level = guess.fields["level"]
    if level is None:
        guess.constants["level"] = "paid"
        return
    plans = [plan for plan, _ in profile.keys[level].values.most_common()]
    free = [plan for plan in plans if matches(plan, "free_plan")]
    paid = [plan for plan in plans if plan not in free]
    guess.levels = {level: plans for level, plans in (("free", free), ("paid", paid)) if plans}


def _set_page(guess: Guess, profile: Profile, page_from: str | None) -> None:
    """Set where pages come from if no key has them: folder, file or one constant."""
    if guess.fields["page"] is not None:
        return
    ts = guess.fields["ts"]
    measures = [key for key in profile.keys.values() if key.is_number and not key.time_format]
    if page_from:
        guess.page_from = page_from
    elif ts and profile.keys[ts].time_format in DAYS and len(measures) >= MIN_MEASURES:
        guess.problems.append(
            "page: no key names events. These are sums by day and customer; the project needs an "
            "event log, with a record for each event."
        )
    else:
        guess.constants["page"] = "NextSong"
        guess.considered["page"] += [
            key.name
            for key in profile.keys.values()
            if key.name not in guess.fields.values() and key.is_type("text")
            if is_page(key, profile, guess.fields["userId"]) and not key.is_private
        ]


def _set_problems(guess: Guess, profile: Profile) -> None:
    for name, meaning in (("ts", "times from 2000 to 2099"), ("userId", "customers")):
        if guess.fields[name] is None:
            guess.problems.append(f"{name}: no key seems to have {meaning}. Set it under `fields`.")
    ts = guess.fields["ts"]
    if ts is None:
        return
    time_format = find_time_format(next(record[ts] for record in profile.records if ts in record))
    if time_format in UNREADABLE_TIMES:
        guess.problems.append(
            f"ts: {ts} has {UNREADABLE_TIMES[time_format]}, which the project does not read."
        )
    share = sum(ts in record for record in profile.records) / len(profile.records)
    if share < MIN_SHARE:
        guess.problems.append(f"ts: only {share:.0%} of the records have a time in {ts}.")


def rank_name(field: str, key: Key) -> float | None:
    """Return the rank of a key's name for a field, lower is better; None if it does not fit."""
    if key.part == field and not key.depth:
        return -1
    ranks = [
        rank
        for rank, pattern in enumerate(NAMES["fields"][field])
        if any(re.fullmatch(pattern, word) for word in key.words)
    ]
    if not ranks:
        return None
    if field == "ts" and any(rank_name(other, key) is not None for other in NOT_TIMES):
        return None
    is_demoted = field == "ts" and any(matches(word, "other_time") for word in key.words)
    # Keys such as Mixpanel's $user_id are copies by the service.
    return min(ranks) + 1.5 * key.part.startswith("$") + UNLIKELY_RANK * is_demoted


def is_id(key: Key) -> bool:
    """Return whether values can be user IDs: some repeat, unless there are few records."""
    is_repeated = len(key.values) < key.rows or key.rows < 20
    has_clear_name = (rank_name("userId", key) or 0) < 1
    return key.is_scalar and not key.is_type("boolean") and (is_repeated or has_clear_name)


def is_item_in_session(key: Key, profile: Profile, fields: Mapping[str, str | None]) -> bool:
    """Return whether values are whole numbers from 0 that rise in nearly all sessions."""
    if not key.is_type("whole number") or key.min_number < 0 or key.max_number >= MAX_ITEM:
        return False
    ts, user, session = (fields[name] or "" for name in ("ts", "userId", "sessionId"))
    items: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for record in profile.records:
        if ts in record and key.name in record:
            group = (format_value(record.get(user)), format_value(record.get(session)))
            time = format_value(record[ts]).zfill(25) if ts else ""
            items[group].append((time, float(record[key.name])))
    rising = sum(
        [item for _, item in sorted(rows)] == sorted(item for _, item in rows)
        for rows in items.values()
    )
    return rising >= 0.9 * len(items)


def is_page(key: Key, profile: Profile, user: str | None) -> bool:
    """Return whether values can be pages: few distinct texts that vary within customers."""
    has_clear_name = (rank_name("page", key) or 0) < UNSURE_PAGE_RANK
    max_pages = MAX_PAGES if has_clear_name else min(MAX_PAGES, max(len(profile.records) // 2, 2))
    if not key.is_type("text", "whole number", "boolean") or not key.types["text"]:
        return False
    if len(key.values) > max_pages or key.time_format or (key.is_private and key.part != "name"):
        return False
    return has_clear_name or not _is_constant_by_user(key.name, user, profile)


def _is_constant_by_user(name: str, user: str | None, profile: Profile) -> bool:
    """Return whether each customer has one value and these differ, as names do."""
    values: dict[str, set[str]] = defaultdict(set)
    for record in profile.records:
        if user in record and name in record:
            values[format_value(record[user])].add(format_value(record[name]))
    all_values = {value for user_values in values.values() for value in user_values}
    return len(all_values) > 1 and all(len(user_values) == 1 for user_values in values.values())


def is_plan(key: Key) -> bool:
    """Return whether values can be plans: few distinct texts."""
    return key.is_type("text", "boolean") and len(key.values) <= MAX_PLANS and not key.time_format
