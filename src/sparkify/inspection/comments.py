"""Comments of a draft: what was read, what the keys hold, why a key was chosen."""

from collections import Counter
from collections.abc import Iterator

from sparkify.inspection.files import LogFiles
from sparkify.inspection.guesses import Guess
from sparkify.inspection.profile import Key, Profile, format_text
from sparkify.inspection.records import SampledFile
from sparkify.inspection.times import READABLE, UNREADABLE

MAX_KEYS = 60
MAX_NAMED = 5
MAX_EXAMPLES = 3
MAX_EXAMPLE_LENGTH = 40
FORMATS = {
    "json_lines": "JSON, an object per line",
    "json_array": "JSON, an array or objects over several lines",
    "csv": "CSV",
    "tsv": "TSV",
    "parquet": "Parquet",
}
# What the project does with a field that has no key.
WITHOUT_KEY = {
    "ts": "required",
    "userId": "required",
    "sessionId": "none: sessions end by a gap",
    "itemInSession": "none: events are ordered by time",
    "page": "none",
    "level": "none",
    "registration": "none: the first event of a customer counts",
    "gender": "none; optional",
    "length": "none; optional, seconds",
}


def describe_sample(files: LogFiles, sampled: list[SampledFile]) -> Iterator[str]:
    """Give comments on the records that were read."""
    records = sum(len(file.records) for file in sampled)
    is_whole = len(files.sampled) == len(files.names) and all(file.is_whole for file in sampled)
    extent = "all" if is_whole else "the first"
    where = f" of {len(sampled):,} of {len(files.names):,} files" if files.is_folder else ""
    formats = Counter(FORMATS[file.format] for file in sampled if file.records)
    read_as = "; ".join(formats)
    yield f"# A draft from {extent} {records:,} records{where} ({read_as}). Check every line."
    unread = {file.name: file.unread for file in sampled if file.unread}
    for name, count in list(unread.items())[:MAX_NAMED]:
        yield f"# Gap: {count:,} lines of {format_text(name)} are no records."
    if len(unread) > MAX_NAMED:
        yield f"# Gap: {len(unread) - MAX_NAMED:,} other files have such lines."
    delimiters = {file.delimiter for file in sampled} - {None, ",", "\t"}
    for delimiter in delimiters:
        yield f"# Gap: columns are separated by {delimiter}; the project reads commas and tabs."
    if any(_has_no_header(file) for file in sampled):
        yield "# Gap: the first row looks like data. A table needs a header with its columns."


def describe_keys(profile: Profile) -> Iterator[str]:
    """Give a comment for each key: how many records have it, its type and examples."""
    yield "# Keys, the share of records that have them, and examples:"
    keys = sorted(profile.keys.values(), key=lambda key: -key.rows)
    width = max((len(_show(key.name)) for key in keys[:MAX_KEYS]), default=0)
    for key in keys[:MAX_KEYS]:
        share = key.rows / len(profile.records)
        yield f"#   {_show(key.name):{min(width, 40)}} {share:5.0%}  {_describe_values(key)}"
    if len(keys) > MAX_KEYS:
        yield f"#   and {len(keys) - MAX_KEYS:,} others"


def explain_field(field: str, guess: Guess, profile: Profile) -> str:
    """Return a comment on the key of a field and on the others that were considered."""
    name = guess.fields[field]
    if name is None:
        parts = [_explain_gap(field, guess)]
    else:
        parts = [_explain_key(field, profile.keys[name], len(profile.records))]
    if field in guess.notes:
        parts.append(guess.notes[field])
    others = guess.considered.get(field, [])
    if others:
        named = ", ".join(_show(other) for other in others[:MAX_NAMED])
        more = f" and {len(others) - MAX_NAMED} others" if len(others) > MAX_NAMED else ""
        parts.append(f"also considered: {named}{more}")
    return "; ".join(parts)


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _explain_gap(field: str, guess: Guess) -> str:
    if field in guess.constants:
        return f"none: {guess.constants[field]} for all"
    if field == "page" and guess.page_from:
        return f"none: the name of the {guess.page_from}"
    return WITHOUT_KEY[field]


def _explain_key(field: str, key: Key, records: int) -> str:
    if field in ("ts", "registration"):
        return _describe_time(key)
    if field == "userId":
        device = any("device" in word or "anonymous" in word for word in key.words)
        note = ", of devices rather than customers" if device else ""
        return (
            f"{count(len(key.values), 'customer')} in {key.rows / records:.0%} of the records{note}"
        )
    if field in ("page", "sessionId", "level"):
        return count(len(key.values), "value")
    return _describe_values(key)


def _describe_time(key: Key) -> str:
    forms = [READABLE.get(form) or UNREADABLE[form] for form, _ in key.times.most_common()]
    return " or ".join(forms)


def _describe_values(key: Key) -> str:
    """Return the type of a key's values, and examples unless they may be of a person."""
    kinds = " or ".join(kind for kind, _ in key.types.most_common())
    if key.types["key/value pairs"]:
        return "key/value pairs: what is in them cannot be a field"
    if key.time_form:
        kinds = _describe_time(key)
    if key.is_private:
        return f"{kinds}; values not shown"
    shown = [value for value, _ in key.values.most_common(MAX_EXAMPLES)]
    examples = ", ".join(format_text(value[:MAX_EXAMPLE_LENGTH]) for value in shown)
    return f"{kinds}: {examples}" if examples else kinds


def _has_no_header(file: SampledFile) -> bool:
    """Return whether the names of a table's columns are numbers or times."""
    if file.delimiter is None or not file.records:
        return False
    names = [*file.records[0]]
    return any(name.replace(".", "").isdigit() or name[:4].isdigit() for name in names)


def _show(name: str) -> str:
    """Return a key as it is, or in quotes if a comment could not hold it."""
    return name if name.isprintable() else format_text(name)
