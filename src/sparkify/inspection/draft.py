"""Draft an environment's settings: YAML with comments on keys and guesses."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from sparkify.inspection.guesses import FIELDS, Guess
from sparkify.inspection.pages import (
    COLUMNS,
    is_content,
    match_columns,
    name_column,
    rank_cancellations,
)
from sparkify.inspection.profile import (
    READABLE_TIMES,
    UNREADABLE_TIMES,
    Key,
    Profile,
    format_text,
    format_value,
    profile_flat,
)
from sparkify.inspection.sampling import LogFiles, SampledFile, sample_files
from sparkify.inspection.sources import Source, find_sources, have_different_settings

ENVIRONMENT = "mylog"
FORMATS = {
    "json_lines": "JSON, an object per line",
    "json_array": "JSON, an array or objects over several lines",
    "csv": "CSV",
    "tsv": "TSV",
    "parquet": "Parquet",
}
MAX_EXTRA_PAGES = 25
MAX_KEYS = 60
MAX_NAMED = 5
MAX_EXAMPLES = 3
MAX_EXAMPLE_LENGTH = 40
# What the project does without a key for a field.
WITHOUT_KEY = {
    "ts": "required",
    "userId": "required",
    "sessionId": "none: a session ends after a pause",
    "itemInSession": "none: events are ordered by time",
    "page": "none",
    "level": "none",
    "registration": "none: the customer's first event is used",
    "gender": "none; optional",
    "length": "none; optional, seconds",
    "revenue": "none; optional, dollars per month",
}
PLAN_HINT = """\
  # No key looks like a plan: all customers count as paid. If pages change the plan, remove
  # `level` here and set plan_pages: {paid: [pages], free: [pages]}."""
CANCELLATION_HINT = """\
  # No page of these records looks like a cancellation. Name it:
  # cancellation_page: PAGE
  # Or forecast inactivity, which does not need one:
  # outcome: inactivity
  # active_within_days: 30"""


def draft_settings(path: str | Path) -> dict[str, str]:
    """Return the YAML text of each settings file for a log, by the file's name in conf/.

    Reads only the beginning of a file or folder. Raises an InspectionError if the log is missing,
    empty or in a format that the project does not read.
    """
    files = LogFiles(str(path))
    sampled = sample_files(files)
    sources = find_sources(sampled)
    raw_log = os.path.abspath(path) if files.is_local else str(path)
    formats = {file.format for file in sampled if file.records}
    documents: dict[str, Iterable[str]] = {
        f"conf/{ENVIRONMENT}/globals.yml": [
            f"environment: {ENVIRONMENT}",
            f"raw_log: {format_scalar(raw_log)}",
            f"raw_format: {formats.pop() if len(formats) == 1 else 'auto'}",
        ],
        f"conf/{ENVIRONMENT}/parameters.yml": _draft_parameters(files, sampled, sources),
    }
    return {name: "\n".join([f"# {name}", *lines]) + "\n" for name, lines in documents.items()}


def format_documents(settings: dict[str, str]) -> str:
    """Join settings files as YAML documents."""
    return "---\n".join(settings.values())


def format_scalar(value: object) -> str:
    """Return a value as YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9)
    return text.removesuffix("...\n").strip()


def _draft_parameters(
    files: LogFiles, sampled: list[SampledFile], sources: list[Source]
) -> Iterator[str]:
    main = max(sources, key=lambda source: len(source.profile.records))
    profile = main.profile
    if len(sources) > 1 and not have_different_settings(sources):
        profile = profile_flat(record for source in sources for record in source.profile.records)
    yield from _describe_sample(files, sampled)
    for problem in dict.fromkeys(text for source in sources for text in source.guess.problems):
        yield f"# Problem: {problem}"
    yield from _describe_keys(profile)
    yield "data_processing:"
    yield from _draft_fields(main.guess, profile)
    yield from _draft_times(profile, main.guess)
    yield from _draft_levels(sources)
    if have_different_settings(sources):
        yield "  # Folders or files differ in their keys:"
        yield "  sources:"
        for source in sources:
            yield from _draft_source(source)
    pages = _count_pages(sources)
    lines = [*_draft_cancellation(pages), *_draft_pages(pages)]
    has_settings = any(not line.lstrip().startswith("#") for line in lines)
    yield "\nfeature_engineering:" if has_settings else "\n# feature_engineering:"
    yield from lines


def _draft_fields(guess: Guess, profile: Profile) -> Iterator[str]:
    yield "  fields:"
    for name in FIELDS:
        value = format_scalar(guess.fields[name])
        yield f"    {name}: {value}  # {_explain_field(name, guess, profile)}"
    if "level" in guess.constants:
        yield PLAN_HINT
    if guess.constants:
        yield f"  constants: {format_scalar(guess.constants)}"
    if "page" in guess.constants:
        yield "  # No key has pages: each record counts as a NextSong, content that starts."
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
    levels: dict[str, dict[str, None]] = {}
    for source in sources:
        for level, plans in source.guess.levels.items():
            levels.setdefault(level, {}).update(dict.fromkeys(plans))
    if levels:
        yield "  # Guessed by their names. Records with other plans are rejected."
        yield "  levels:"
        yield from (f"    {level}: {format_scalar([*plans])}" for level, plans in levels.items())


def _draft_source(source: Source) -> Iterator[str]:
    guess = source.guess
    yield f"    - files: {format_scalar(source.pattern)}"
    yield f"      fields: {format_scalar({name: guess.fields[name] for name in FIELDS})}"
    if guess.constants:
        yield f"      constants: {format_scalar(guess.constants)}"
    if guess.page_from:
        yield f"      page_from: {guess.page_from}"


def _count_pages(sources: Iterable[Source]) -> Counter[str]:
    """Return the number of events per page in the sampled records."""
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


def _draft_cancellation(pages: Counter[str]) -> Iterator[str]:
    ranked = rank_cancellations(pages)
    if not ranked:
        yield CANCELLATION_HINT
        return
    alternatives = ", ".join(
        _remove_line_ends(format_text(page)) for page in ranked[1 : MAX_NAMED + 1]
    )
    also = f"; also considered: {alternatives}" if alternatives else ""
    comment = f"a guess, {_format_count(pages[ranked[0]], 'event')}{also}"
    yield f"  cancellation_page: {format_scalar(ranked[0])}  # {comment}"


def _draft_pages(pages: Counter[str]) -> Iterator[str]:
    """Yield the lines of `pages`: columns of the project, and other pages as comments."""
    if not pages:
        yield "  # pages: unknown, because no key has them."
        return
    cancellations = rank_cancellations(pages)
    columns = match_columns(pages, cancellations)
    yield f"  # The pages of {pages.total():,} records, guessed by their names."
    if columns:
        yield "  pages:"
    for column in ("next_song", *COLUMNS):
        page = columns.get(column)
        if page is not None:
            is_guess = column == "next_song" and not is_content(page)
            note = "; a guess: content that starts" if is_guess else ""
            count = _format_count(pages[page], "event")
            yield f"    {column}: {format_scalar(page)}  # {count}{note}"
    missing = [column for column in ("next_song", *COLUMNS) if column not in columns]
    if missing:
        yield f"    # Not found, so always 0: {', '.join(missing)}"
    other_pages = [
        page for page in pages if page not in columns.values() and page not in cancellations
    ]
    other_pages.sort(key=lambda page: -pages[page])
    if other_pages:
        yield "    # Other pages, to be counted as separate inputs:"
    names = {*COLUMNS, "next_song"}
    for page in other_pages[:MAX_EXTRA_PAGES]:
        name = name_column(page, names)
        names.add(name)
        value = _remove_line_ends(format_scalar(page))
        yield f"    # {name}: {value}  # {_format_count(pages[page], 'event')}"
    if len(other_pages) > MAX_EXTRA_PAGES:
        yield f"    # and {len(other_pages) - MAX_EXTRA_PAGES:,} more"


def _describe_sample(files: LogFiles, sampled: list[SampledFile]) -> Iterator[str]:
    """Yield comments on the sampled records."""
    records = sum(len(file.records) for file in sampled)
    is_whole = len(files.sampled) == len(files.names) and all(file.is_whole for file in sampled)
    extent = "all" if is_whole else "the first"
    where = f" of {len(sampled):,} of {len(files.names):,} files" if files.is_folder else ""
    formats = "; ".join(dict.fromkeys(FORMATS[file.format] for file in sampled if file.records))
    yield f"# A draft from {extent} {records:,} records{where} ({formats}). Check every line."
    skipped = {file.name: file.skipped for file in sampled if file.skipped}
    for name, count in list(skipped.items())[:MAX_NAMED]:
        yield f"# Problem: {count:,} lines of {format_text(name)} are not records."
    if len(skipped) > MAX_NAMED:
        yield f"# Problem: {len(skipped) - MAX_NAMED:,} other files have such lines."
    for delimiter in {file.delimiter for file in sampled} - {None, ",", "\t"}:
        yield f"# Problem: columns are separated by {delimiter}; the project reads commas and tabs."
    tables = [file for file in sampled if file.delimiter and file.records]
    columns = [name for table in tables for name in table.records[0]]
    if any(name.replace(".", "").isdigit() or name[:4].isdigit() for name in columns):
        yield "# Problem: the first row looks like data. A table needs a header with its columns."


def _describe_keys(profile: Profile) -> Iterator[str]:
    """Yield a comment for each key: how many records have it, its type and examples."""
    yield "# Keys, the share of records that have them, and examples:"
    keys = sorted(profile.keys.values(), key=lambda key: -key.rows)
    width = min(max((len(_format_key(key.name)) for key in keys[:MAX_KEYS]), default=0), 40)
    for key in keys[:MAX_KEYS]:
        share = key.rows / len(profile.records)
        yield f"#   {_format_key(key.name):{width}} {share:5.0%}  {_describe_values(key)}"
    if len(keys) > MAX_KEYS:
        yield f"#   and {len(keys) - MAX_KEYS:,} more"


def _explain_field(field: str, guess: Guess, profile: Profile) -> str:
    """Return a comment on the key of a field and on alternatives."""
    name = guess.fields[field]
    if name is not None:
        parts = [_explain_key(field, profile.keys[name], len(profile.records))]
    elif field in guess.constants:
        parts = [f"none: {guess.constants[field]} for all"]
    elif field == "page" and guess.page_from:
        parts = [f"none: the name of the {guess.page_from}"]
    else:
        parts = [WITHOUT_KEY[field]]
    if field in guess.notes:
        parts.append(guess.notes[field])
    alternatives = guess.considered.get(field, [])
    if alternatives:
        listed = ", ".join(_format_key(name) for name in alternatives[:MAX_NAMED])
        rest = len(alternatives) - MAX_NAMED
        more = f" and {rest} more" if rest > 0 else ""
        parts.append(f"also considered: {listed}{more}")
    return "; ".join(parts)


def _explain_key(field: str, key: Key, records: int) -> str:
    if field in ("ts", "registration"):
        return _describe_times(key)
    if field == "userId":
        is_device = any("device" in word or "anonymous" in word for word in key.words)
        note = ", of devices rather than customers" if is_device else ""
        customers = _format_count(len(key.values), "customer")
        return f"{customers} in {key.rows / records:.0%} of the records{note}"
    if field in ("page", "sessionId", "level"):
        return _format_count(len(key.values), "value")
    return _describe_values(key)


def _describe_values(key: Key) -> str:
    """Return the type of a key's values, and examples unless they may be personal data."""
    if key.types["key/value pairs"]:
        return "key/value pairs, which cannot be fields"
    kinds = " or ".join(kind for kind, _ in key.types.most_common())
    if key.time_format:
        kinds = _describe_times(key)
    if key.is_private:
        return f"{kinds}; values not shown"
    values = [value for value, _ in key.values.most_common(MAX_EXAMPLES)]
    examples = ", ".join(format_text(value[:MAX_EXAMPLE_LENGTH]) for value in values)
    return f"{kinds}: {examples}" if examples else kinds


def _describe_times(key: Key) -> str:
    return " or ".join(
        (READABLE_TIMES | UNREADABLE_TIMES)[time_format]
        for time_format, _ in key.times.most_common()
    )


def _format_count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _format_key(name: str) -> str:
    """Return a key, in quotes if it has characters that cannot be printed."""
    return name if name.isprintable() else format_text(name)


def _remove_line_ends(text: str) -> str:
    """Replace the characters that end a YAML comment by blanks."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)
