"""Which keys of a log are the project's fields, by their names and their values."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sparkify.inspection.field_values import is_gender, is_id, is_item, is_length, is_page, is_plan
from sparkify.inspection.names import MILLISECONDS, UNLIKELY, rank_name
from sparkify.inspection.profile import Key, Profile
from sparkify.inspection.times import DAYS, UNREADABLE
from sparkify.inspection.times import find_time_form as find_form

FIELDS = (
    *("ts", "userId", "sessionId", "itemInSession", "page"),
    *("level", "registration", "gender", "length"),
)
MIN_SHARE = 0.95  # of the records with a customer: a field with fewer values would reject the rest
MIN_MEASURES = 3  # numbers in each record of a daily sum
FREE_PLAN = re.compile(
    r".*(free|trial|guest|unpaid|anonymous|ad.?supported|visitor).*"
    r"|false|none|no|open|expired|inactive|cancell?ed|demo",
    re.IGNORECASE,
)
PLAN = re.compile(
    r".*(free|trial|premium|paid|basic|standard|family|student|plus|subscri).*|pro|gold|silver",
    re.IGNORECASE,
)


@dataclass
class Guess:
    """The key of each field, what else was considered, and what remains unknown."""

    fields: dict[str, str | None] = field(default_factory=dict)
    considered: dict[str, list[str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    levels: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)  # by field
    gaps: list[str] = field(default_factory=list)
    page_from: str | None = None  # folder or file
    is_daily: bool = False


def guess_fields(profile: Profile, page_from: str | None = None) -> Guess:
    """Return the key that each field probably has.

    Args:
        profile: the records and their keys.
        page_from: folder or file, if their names can be the pages of records without a page.
    """
    guess = Guess()
    _choose(guess, "userId", _rank(profile, "userId", is_id))
    user = guess.fields["userId"]
    of_users = profile.of_users(user)
    rows = len(of_users.records)
    _choose(guess, "ts", _rank_times(profile))
    for name, is_possible in (
        ("sessionId", lambda key: key.is_scalar and not key.is_type("boolean")),
        ("itemInSession", lambda key: is_item(key, of_users, guess.fields)),
        ("page", lambda key: is_page(key, of_users, user)),
        ("registration", lambda key: key.time_form and key.time_form not in UNREADABLE),
        ("level", is_plan),
    ):
        _choose(guess, name, _rank(of_users, name, is_possible), rows)
    if guess.fields["level"] is None:
        _choose(guess, "level", _rank_plans_by_values(of_users, guess), rows)
    _choose(guess, "gender", _rank(of_users, "gender", is_gender))
    _choose(guess, "length", _rank(of_users, "length", is_length))
    _note_milliseconds(guess, of_users)
    _set_levels(guess, of_users)
    _set_page(guess, of_users, page_from)
    _set_gaps(guess, profile)
    return guess


def _rank(profile: Profile, field_name: str, is_possible: Callable[[Key], object]) -> list[Key]:
    """Return the keys that a field could have, the likeliest first."""
    ranks = {name: rank_name(field_name, key) for name, key in profile.keys.items()}
    fitting = [key for name, key in profile.keys.items() if ranks[name] is not None]
    return sorted(
        (key for key in fitting if is_possible(key)),
        key=lambda key: (ranks[key.name], key.depth, -key.rows),
    )


def _rank_times(profile: Profile) -> list[Key]:
    """Return the keys that can be the time of an event; those without a telling name last."""
    named = _rank(profile, "ts", lambda key: key.time_form)
    likely = [key for key in named if (rank_name("ts", key) or 0) < UNLIKELY]
    others = [
        key
        for key in profile.keys.values()
        if key.time_form and key not in named and len(key.values) > 1
        if all(rank_name(one, key) is None for one in ("registration", "sessionId", "userId"))
    ]
    demoted = [key for key in named if key not in likely]
    enough = MIN_SHARE * len(profile.records)
    return sorted(
        [*likely, *demoted, *others],
        key=lambda key: (key.rows < enough, key.time_form in UNREADABLE),
    )


def _choose(guess: Guess, field_name: str, candidates: list[Key], rows: int = 0) -> None:
    """Set a field to the first candidate that enough records have."""
    enough = [key for key in candidates if key.rows >= MIN_SHARE * rows]
    chosen = enough[0].name if enough else None
    guess.fields[field_name] = chosen
    others = [key for key in candidates if key.name != chosen]
    guess.considered[field_name] = [
        key.name if key in enough else f"{key.name} (only in {key.rows / rows:.0%})"
        for key in others
    ]


def _rank_plans_by_values(profile: Profile, guess: Guess) -> list[Key]:
    """Return the keys whose values are words for plans."""
    used = {*guess.fields.values()}
    return [
        key
        for key in profile.keys.values()
        if key.name not in used and is_plan(key) and key.types["text"] and not key.is_private
        if all(PLAN.fullmatch(value) for value in key.values)
    ]


def _note_milliseconds(guess: Guess, profile: Profile) -> None:
    found = [
        key.name
        for key in profile.keys.values()
        if any(MILLISECONDS.fullmatch(word) for word in key.words) and key.is_type("whole number")
        if not key.time_form
    ]
    if guess.fields["length"] is None and found:
        guess.notes["length"] = f"{', '.join(found)} counts milliseconds; length needs seconds"


def _set_levels(guess: Guess, profile: Profile) -> None:
    level = guess.fields["level"]
    if level is None:
        guess.constants["level"] = "paid"
        return
    plans = [plan for plan, _ in profile.keys[level].values.most_common()]
    free = [plan for plan in plans if FREE_PLAN.fullmatch(plan)]
    paid = [plan for plan in plans if plan not in free]
    guess.levels = {name: found for name, found in (("free", free), ("paid", paid)) if found}


def _set_page(guess: Guess, profile: Profile, page_from: str | None) -> None:
    """Give records without a page that of their folder or file, or the same page to all."""
    if guess.fields["page"] is not None:
        return
    ts = guess.fields["ts"]
    measures = [
        key.name
        for key in profile.keys.values()
        if key.is_type("whole number", "number") and not key.time_form
    ]
    if page_from:
        guess.page_from = page_from
    elif ts and profile.keys[ts].time_form in DAYS and len(measures) >= MIN_MEASURES:
        guess.is_daily = True
        guess.gaps.append(
            "page: no key names events. These are sums by day and customer, no event log; the "
            "project needs a record for each event."
        )
    else:
        guess.constants["page"] = "NextSong"
        guess.considered["page"] += [
            key.name
            for key in profile.keys.values()
            if key.name not in guess.fields.values() and key.is_type("text")
            if is_page(key, profile, guess.fields["userId"]) and not key.is_private
        ]


def _set_gaps(guess: Guess, profile: Profile) -> None:
    for name, meaning in (("ts", "times from 2000 to 2099"), ("userId", "customers")):
        if guess.fields[name] is None:
            guess.gaps.append(f"{name}: no key seems to hold {meaning}. Name it under `fields`.")
    ts = guess.fields["ts"]
    if ts is None:
        return
    form = find_form(next(record[ts] for record in profile.records if ts in record))
    if form in UNREADABLE:
        guess.gaps.append(f"ts: {ts} holds {UNREADABLE[form]}, which the project does not read.")
    share = sum(ts in record for record in profile.records) / len(profile.records)
    if share < MIN_SHARE:
        guess.gaps.append(f"ts: only {share:.0%} of the records have a time in {ts}.")
