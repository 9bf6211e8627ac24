"""Whether a log can be used, and what to do if not."""

from typing import Any

from sparkify.errors import UserError
from sparkify.pipelines.data_processing.fields import FIELDS, Kind
from sparkify.pipelines.data_processing.reasons import (
    IMPOSSIBLE_LEVEL,
    MALFORMED_JSON,
    NO_SOURCE,
    NO_USER,
)
from sparkify.pipelines.data_processing.times import UNITS
from sparkify.schemas import MALFORMED_ROW

EXAMPLE_CHARACTERS = 200  # of a rejected record that a message quotes
VALUE_CHARACTERS = 60  # of a value that a message quotes
MAX_NAMED_KEYS = 20  # of the log, in a message
TYPE_NAMES: dict[Kind, str] = {
    "time": "a number since 1970 or as ISO 8601, and set data_processing.time_format so or to auto",
    "id": "text or a whole number",
    "name": "text",
    "text": "text or a whole number",
    "whole number": "a whole number",
    "number": "a number",
}
REMEDIES = {
    MALFORMED_JSON: "A log has one JSON object per line, in UTF-8.",
    MALFORMED_ROW: "A row of CSV has as many values as the header has names.",
    NO_SOURCE: "Add a pattern for the record's file to data_processing.sources.",
    **{
        f"ts in {name}": f"Set data_processing.time_format: {unit}, or auto."
        for unit, (_, name) in UNITS.items()
    },
    "impossible ts": "Set data_processing.earliest_event and latest_event around the log's days.",
    "impossible registration": (
        "registration lies between data_processing.earliest_event and latest_event, and is written "
        "as data_processing.time_format says."
    ),
    "impossible itemInSession": "itemInSession counts the events of a session from 0.",
    "impossible length": "length counts seconds, up to data_processing.longest_song_seconds.",
    "duplicate": "Export the log anew: it holds the same records more than once.",
    NO_USER: "An event of a customer has a userId and the time of the registration.",
    **{
        f"no {field}": f"Without it, set data_processing.fields.{field}: null."
        for field in ("sessionId", "itemInSession", "level")
    },
    "no page": "Set data_processing.constants.page or page_from where the log names no page.",
    **{
        f"wrong type of {field}": f"Write {field} as {TYPE_NAMES[kind]}."
        for field, (_, kind) in FIELDS.items()
    },
}
# What malformed records look like in other formats, and how they are read.
FORMATS = {
    "a JSON array on one line": "Set raw_format: json_array in conf/<env>/globals.yml.",
    "a JSON array over several lines": "Set raw_format: json_array in conf/<env>/globals.yml.",
    "JSON objects over several lines": "Set raw_format: json_array in conf/<env>/globals.yml.",
    "CSV": "Set raw_format: csv (or tsv) in conf/<env>/globals.yml.",
}


class LogError(UserError):
    """The log as a whole cannot be used."""


def require_usable_log(data_quality: dict[str, Any]) -> None:
    """Stop if the log has no events, or more rejected records than may be.

    Args:
        data_quality: the account of the log's records. Records without a user do not count towards
            `rejected_share`: in a web log most records may be theirs.

    Raises:
        LogError: with the reasons, their counts, a value of each field concerned and the remedy.
    """
    is_rejected = data_quality["rejected_share"] > data_quality["max_rejected_share"]
    if data_quality["accepted"] and not is_rejected:
        return
    sentences = [_count_rejected(data_quality)]
    if data_quality["fields_without_values"]:
        sentences.append(_name_missing_fields(data_quality))
    sentences += _describe_problems(data_quality)
    raise LogError(" ".join(["raw_events:", *sentences, *_give_example(data_quality)]))


def format_rejections(data_quality: dict[str, Any]) -> str:
    """Return the reasons with their counts, the most frequent first, without `no user`."""
    rejections = _without_guests(data_quality)
    return ", ".join(f"{rejections[reason]['lines']:,} {reason}" for reason in rejections)


def _without_guests(data_quality: dict[str, Any]) -> dict[str, Any]:
    rejections = data_quality["rejections"].items()
    by_lines = sorted(rejections, key=lambda item: (-item[1]["lines"], item[0]))
    return {reason: found for reason, found in by_lines if reason != NO_USER}


def _count_rejected(data_quality: dict[str, Any]) -> str:
    guests = data_quality["without_user"]
    lines = data_quality["lines"] - guests
    if not lines:
        return f"none of its {guests:,} records is an event of a customer ({guests:,} {NO_USER})."
    rejected = data_quality["rejected"] - guests
    apart = f"; {guests:,} more records have no user and do not count" if guests else ""
    return (
        f"{rejected:,} of {lines:,} records rejected ({format_rejections(data_quality)}{apart}). "
        f"data_processing.max_rejected_share allows {data_quality['max_rejected_share']:.0%}."
    )


def _name_missing_fields(data_quality: dict[str, Any]) -> str:
    missing = data_quality["fields_without_values"]
    listed = ", ".join(f"{field} (key {key})" for field, key in missing.items())
    found = data_quality["unknown_columns"][:MAX_NAMED_KEYS]
    keys = f" Keys that no field takes: {', '.join(found)}." if found else ""
    return (
        f"No record has a value of {listed}. Set data_processing.fields to the log's keys, or to "
        f"null where it has none; `sparkify inspect LOG` drafts the settings.{keys}"
    )


def _describe_problems(data_quality: dict[str, Any]) -> list[str]:
    """Return a sentence on each frequent problem of a field that has values, with the remedy."""
    missing = data_quality["fields_without_values"]
    looks_like = data_quality["malformed_lines_look_like"]
    least = data_quality["max_rejected_share"] * data_quality["lines"]
    sentences = []
    for reason, found in data_quality["problems"].items():
        is_of_missing = any(field in reason.split() for field in missing)
        is_of_missing |= reason == NO_USER and bool({"userId", "registration"} & missing.keys())
        if is_of_missing or found["lines"] <= least:
            continue
        if reason == MALFORMED_JSON and looks_like:
            sentences.append(f"The log is {looks_like}. {FORMATS[looks_like]}")
            continue
        value = found["value"]
        shown = f" (found {value[:VALUE_CHARACTERS]})" if value else ""
        sentences.append(f"{reason}{shown}: {_find_remedy(reason, data_quality)}")
    return sentences or _remedy_of_most_frequent(data_quality)


def _remedy_of_most_frequent(data_quality: dict[str, Any]) -> list[str]:
    if data_quality["fields_without_values"]:
        return []
    reason = next(iter(_without_guests(data_quality)), NO_USER)
    return [_find_remedy(reason, data_quality)]


def _find_remedy(reason: str, data_quality: dict[str, Any]) -> str:
    if reason == IMPOSSIBLE_LEVEL:
        values = data_quality["rejections"].get(reason, {}).get("values", {})
        listed = ", ".join(f'"{value}" ({lines:,} records)' for value, lines in values.items())
        found = f"Values found: {listed}. " if listed else ""
        return f"{found}Add them to data_processing.levels."
    return REMEDIES.get(reason, "data_quality quotes records with their reasons.")


def _give_example(data_quality: dict[str, Any]) -> list[str]:
    nothing: dict[str, Any] = {"examples": []}
    found = next(iter(_without_guests(data_quality).values()), nothing)
    return [f"Example: {line[:EXAMPLE_CHARACTERS]}" for line in found["examples"][:1]]
