"""Whether a log can be used, and what to do if not."""

from typing import Any

from sparkify.errors import UserError
from sparkify.pipelines.data_processing.parsing import FIELDS

NO_USER = "no user"
EXAMPLE_CHARACTERS = 200  # of a rejected line that a message quotes
TYPE_NAMES = {"double": "a number", "bigint": "a whole number", "string": "text"}
REMEDIES = {
    "malformed JSON": "A log has one JSON object per line, in UTF-8.",
    "ts in seconds": "Multiply ts by 1,000: it counts milliseconds since 1970.",
    "ts in microseconds": "Divide ts by 1,000: it counts milliseconds since 1970.",
    "impossible ts": "Set data_processing.earliest_event and latest_event around the log's days.",
    "impossible registration": (
        "registration counts milliseconds since 1970, between data_processing.earliest_event and "
        "latest_event."
    ),
    "impossible itemInSession": "itemInSession counts the events of a session from 0.",
    "impossible length": "length counts seconds, up to data_processing.longest_song_seconds.",
    "duplicate": "Export the log anew: it holds the same lines more than once.",
    NO_USER: "An event of a customer has a userId and the time of the registration.",
    **{
        f"wrong type of {field}": f"Write {field} as {TYPE_NAMES[kind]}."
        for field, (_, kind) in FIELDS.items()
    },
}
# What malformed lines look like in other formats, and how to convert them.
FORMATS = {
    "a JSON array on one line": "Write one object per line: jq -c '.[]' FILE",
    "a JSON array over several lines": "Write one object per line: jq -c '.[]' FILE",
    "JSON objects over several lines": "Write one object per line: jq -c . FILE",
    "CSV": "Convert it to one JSON object per line, with the names of the columns as keys.",
}


class LogError(UserError):
    """The log as a whole cannot be used."""


def require_usable_log(data_quality: dict[str, Any]) -> None:
    """Stop if the log has no events, or more rejected lines than may be.

    Args:
        data_quality: the account of the log's lines. Lines without a user do not count towards
            `rejected_share`: in a web log most lines may be theirs.

    Raises:
        LogError: with the reasons, their counts, an example and the remedy.
    """
    is_rejected = data_quality["rejected_share"] > data_quality["max_rejected_share"]
    if data_quality["accepted"] and not is_rejected:
        return
    missing = data_quality["fields_without_values"]
    if missing:
        raise LogError(
            f"raw_events: none of its {data_quality['lines']:,} lines has a value in the essential "
            f"column{'s' if len(missing) > 1 else ''} {', '.join(missing)}. Name the log's keys in "
            f"data_processing.fields."
        )
    raise LogError(" ".join(["raw_events:", _counts(data_quality), *_details(data_quality)]))


def format_rejections(data_quality: dict[str, Any]) -> str:
    """Return the reasons with their counts, the most frequent first, without `no user`."""
    rejections = _without_guests(data_quality)
    return ", ".join(f"{rejections[reason]['lines']:,} {reason}" for reason in rejections)


def _without_guests(data_quality: dict[str, Any]) -> dict[str, Any]:
    rejections = data_quality["rejections"].items()
    by_lines = sorted(rejections, key=lambda item: (-item[1]["lines"], item[0]))
    return {reason: found for reason, found in by_lines if reason != NO_USER}


def _counts(data_quality: dict[str, Any]) -> str:
    guests = data_quality["without_user"]
    lines = data_quality["lines"] - guests
    if not lines:
        return f"none of its {guests:,} lines is an event of a customer ({guests:,} {NO_USER})."
    rejected = data_quality["rejected"] - guests
    apart = f"; {guests:,} more lines have no user and do not count" if guests else ""
    return (
        f"{rejected:,} of {lines:,} lines rejected ({format_rejections(data_quality)}{apart}). "
        f"data_processing.max_rejected_share allows {data_quality['max_rejected_share']:.0%}."
    )


def _details(data_quality: dict[str, Any]) -> list[str]:
    """Return the remedy for the most frequent reason, and an example of a line."""
    reason, found = next(iter(_without_guests(data_quality).items()), (NO_USER, None))
    look_like = data_quality["malformed_lines_look_like"]
    if reason == "malformed JSON" and look_like:
        remedy = f"The log is {look_like}. {FORMATS[look_like]}"
    elif found and "values" in found:
        values = ", ".join(
            f'"{value}" ({lines:,} lines)' for value, lines in found["values"].items()
        )
        remedy = f"Values found: {values}. Add them to data_processing.levels."
    else:
        default = "data_quality quotes lines with their reasons."
        remedy = REMEDIES.get(reason, default)
    examples = found["examples"] if found else []
    return [remedy, *(f"Example: {line[:EXAMPLE_CHARACTERS]}" for line in examples[:1])]
