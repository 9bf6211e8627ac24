"""Drafts of an environment's settings as YAML with comments."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from sparkify.inspection.comments import count, describe_keys, describe_sample, explain_field
from sparkify.inspection.files import LogFiles
from sparkify.inspection.guesses import FIELDS, Guess
from sparkify.inspection.pages import (
    COLUMNS,
    is_content,
    match_columns,
    name_column,
    rank_cancellations,
)
from sparkify.inspection.profile import Profile, format_text, format_value, profile_flat
from sparkify.inspection.records import SampledFile, sample_files
from sparkify.inspection.sources import Source, differ, find_sources

ENVIRONMENT = "mylog"
MAX_EXTRA_PAGES = 25
MAX_NAMED = 5
NO_PLAN = (
    "No key looks like a plan: everybody counts as paid. If pages tell the plan, remove\n"
    "  # `level` here and set plan_pages: {paid: [pages], free: [pages]}."
)
NO_CANCELLATION = """\
# No page of these records looks like a cancellation. Name it:
# feature_engineering:
#   cancellation_page: PAGE
# Or forecast inactivity, which needs no such page:
# feature_engineering:
#   outcome: inactivity
#   active_within_days: 30
"""


def draft_settings(path: str | Path) -> dict[str, str]:
    """Return the YAML text of each settings file for a log, by the file's name in conf/.

    Args:
        path: a file or a folder; only its beginning is read.

    Raises:
        InspectionError: if the log is missing, empty or in a format that the project does not
            read.
    """
    files = LogFiles(str(path))
    sampled = sample_files(files)
    sources = find_sources(sampled)
    pages = count_pages(sources)
    raw_log = os.path.abspath(path) if files.is_local else str(path)
    return {
        f"conf/{ENVIRONMENT}/globals.yml": _draft_globals(raw_log, sampled, pages),
        f"conf/{ENVIRONMENT}/parameters.yml": _draft_parameters(files, sampled, sources, pages),
    }


def count_pages(sources: Iterable[Source]) -> Counter[str]:
    """Return the pages of the sampled records and their events."""
    pages: Counter[str] = Counter()
    for source in sources:
        guess, records = source.guess, source.profile.records
        page = guess.fields["page"]
        if page:
            pages.update(format_value(record[page]) for record in records if page in record)
        elif guess.page_from:
            pages[source.name] += len(records)
        elif "page" in guess.constants:
            pages[guess.constants["page"]] += len(records)
    return pages


def format_scalar(value: object) -> str:
    """Return a value as YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9)
    return text.removesuffix("...\n").strip()


def _draft_globals(raw_log: str, sampled: list[SampledFile], pages: Counter[str]) -> str:
    formats = {file.format for file in sampled if file.records}
    lines = [
        f"# conf/{ENVIRONMENT}/globals.yml",
        f"environment: {ENVIRONMENT}",
        f"raw_log: {format_scalar(raw_log)}",
        f"raw_format: {formats.pop() if len(formats) == 1 else 'auto'}",
        "",
        *_draft_pages(pages),
    ]
    return "\n".join(lines) + "\n"


def _draft_pages(pages: Counter[str]) -> Iterator[str]:
    """Give the lines of `pages`: the project's columns, and others as comments."""
    if not pages:
        yield "# pages: unknown, because no key names them."
        return
    cancellations = rank_cancellations(pages)
    columns = match_columns(pages, cancellations)
    total = pages.total()
    yield f"# The pages of {total:,} records, guessed by their names."
    if columns:
        yield "pages:"
    for column in ("next_song", *COLUMNS):
        page = columns.get(column)
        if page is None:
            continue
        guess = (
            "" if column != "next_song" or is_content(page) else "; a guess: content that starts"
        )
        yield f"  {column}: {format_scalar(page)}  # {count(pages[page], 'event')}{guess}"
    missing = [column for column in ("next_song", *COLUMNS) if column not in columns]
    if missing:
        yield f"  # Not found, so always 0: {', '.join(missing)}"
    others = [page for page in pages if page not in columns.values() and page not in cancellations]
    others.sort(key=lambda page: -pages[page])
    if others:
        yield "  # Other pages, to be counted as inputs of their own:"
    taken = {*COLUMNS, "next_song"}
    for page in others[:MAX_EXTRA_PAGES]:
        column = name_column(page, taken)
        taken.add(column)
        yield f"  # {column}: {_escape(format_scalar(page))}  # {count(pages[page], 'event')}"
    if len(others) > MAX_EXTRA_PAGES:
        yield f"  # and {len(others) - MAX_EXTRA_PAGES:,} others"


def _draft_parameters(
    files: LogFiles, sampled: list[SampledFile], sources: list[Source], pages: Counter[str]
) -> str:
    main = max(sources, key=lambda source: len(source.profile.records))
    profile = main.profile
    if len(sources) > 1 and not differ(sources):
        profile = profile_flat(one for source in sources for one in source.profile.records)
    lines = [
        f"# conf/{ENVIRONMENT}/parameters.yml",
        *describe_sample(files, sampled),
        *(f"# Gap: {gap}" for gap in dict.fromkeys(g for s in sources for g in s.guess.gaps)),
        *describe_keys(profile),
        "data_processing:",
        *_draft_fields(main.guess, profile),
        *_draft_times(profile, main.guess),
        *_draft_levels(sources),
    ]
    if differ(sources):
        lines += [
            "  # Folders or files differ in their keys:",
            "  sources:",
            *(line for one in sources for line in _draft_source(one)),
        ]
    return "\n".join([*lines, "", *_draft_cancellation(pages)]).rstrip() + "\n"


def _draft_fields(guess: Guess, profile: Profile) -> Iterator[str]:
    yield "  fields:"
    for name in FIELDS:
        value = format_scalar(guess.fields[name])
        yield f"    {name}: {value}  # {explain_field(name, guess, profile)}"
    if "level" in guess.constants:
        yield f"  # {NO_PLAN}"
    if guess.constants:
        yield f"  constants: {format_scalar(guess.constants)}"
    if "page" in guess.constants:
        yield "  # No key names pages: each record counts as a NextSong, content that starts."
    if guess.page_from:
        yield f"  page_from: {guess.page_from}"


def _draft_times(profile: Profile, guess: Guess) -> Iterator[str]:
    ts = guess.fields["ts"]
    yield "  time_format: auto"
    if ts and profile.keys[ts].times["local"] + profile.keys[ts].times["date"]:
        yield "  time_zone: UTC  # a guess: times have no zone"
    if guess.fields["sessionId"] is None:
        yield "  session_gap_minutes: 30  # a session ends after so long without an event"


def _draft_levels(sources: list[Source]) -> Iterator[str]:
    levels: dict[str, list[str]] = {}
    for source in sources:
        for level, plans in source.guess.levels.items():
            known = levels.setdefault(level, [])
            known += [plan for plan in plans if plan not in known]
    if not levels:
        return
    yield "  # Guessed by their names. A plan that is not here is rejected."
    yield "  levels:"
    yield from (f"    {level}: {format_scalar(plans)}" for level, plans in levels.items())


def _draft_source(source: Source) -> Iterator[str]:
    guess = source.guess
    yield f"    - files: {format_scalar(source.pattern)}"
    yield f"      fields: {format_scalar({name: guess.fields[name] for name in FIELDS})}"
    if guess.constants:
        yield f"      constants: {format_scalar(guess.constants)}"
    if guess.page_from:
        yield f"      page_from: {guess.page_from}"


def _draft_cancellation(pages: Counter[str]) -> Iterator[str]:
    found = rank_cancellations(pages)
    if not found:
        yield NO_CANCELLATION
        return
    others = ", ".join(_escape(format_text(page)) for page in found[1 : MAX_NAMED + 1])
    also = f"; also considered: {others}" if others else ""
    yield "feature_engineering:"
    comment = f"a guess, {count(pages[found[0]], 'event')}{also}"
    yield f"  cancellation_page: {format_scalar(found[0])}  # {comment}"


def _escape(text: str) -> str:
    """Return a text that does not end a comment."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)


def format_documents(settings: dict[str, Any]) -> str:
    """Return settings files as one text of several YAML documents."""
    return "---\n".join(settings.values())
