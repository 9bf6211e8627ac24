"""Find out why a log cannot be used, and write the message for users."""

import json
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.errors import UserError
from sparkify.log_formats.times import UNITS
from sparkify.pipelines.data_processing.fields import FIELDS, REQUIRED, Kind
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.data_processing.parsing import (
    IMPOSSIBLE_LEVEL,
    MALFORMED_JSON,
    NO_SOURCE,
    NO_USER,
)
from sparkify.pipelines.data_processing.records import look_up
from sparkify.schemas import MALFORMED_ROW
from sparkify.spark.functions import collect_one_row

UNREADABLE = (MALFORMED_JSON, MALFORMED_ROW)
# First characters of records in other formats, whose values are hidden.
JSON_ARRAY = r"^\s*\[\s*\{"
PRINTED_JSON = r'^\s*("[^"]*"\s*:.*|[\[\]{}]+\s*,?)\s*$'
LONE_BRACKET = r"^\s*\[\s*$"
SEPARATED = r"^[^{}\[\]]*[,;\t][^{}\[\]]*$"
MAX_EXAMPLE_LENGTH = 200  # characters of a rejected record in a message
MAX_VALUE_LENGTH = 60  # characters of a value in a message
MAX_NAMED_KEYS = 20  # of the log, in a message
TYPE_NAMES: dict[Kind, str] = {
    "time": "a number since 1970 or as ISO 8601, and set data_processing.time_format to match",
    "id": "text or a whole number",
    "name": "text",
    "text": "text or a whole number",
    "whole number": "a whole number",
    "number": "a number",
}
REMEDIES = {
    MALFORMED_JSON: "Write one JSON object per line, in UTF-8.",
    MALFORMED_ROW: "Write as many values in each CSV row as the header has names.",
    NO_SOURCE: "Add a pattern for the record's file to data_processing.sources.",
    **{
        f"ts in {name}": f"Set data_processing.time_format: {unit}, or auto."
        for unit, (_, name) in UNITS.items()
    },
    "impossible ts": "Set data_processing.earliest_event and latest_event around the log's days.",
    "impossible registration": (
        "Write registration in the format data_processing.time_format, between "
        "data_processing.earliest_event and latest_event."
    ),
    "impossible itemInSession": "Count the events of each session from 0.",
    "impossible length": "Write length in seconds, up to data_processing.max_song_seconds.",
    "impossible revenue": (
        "Write revenue in dollars per month, up to data_processing.max_monthly_revenue."
    ),
    "duplicate": "Export the log again, with each record once.",
    NO_USER: "Give every customer's event a userId and a registration time.",
    **{
        f"no {field}": f"If the log has none, set data_processing.fields.{field}: null."
        for field in ("sessionId", "itemInSession", "level")
    },
    "no page": "If the log has none, set data_processing.constants.page or page_from.",
    **{
        f"wrong type of {field}": f"Write {field} as {TYPE_NAMES[kind]}."
        for field, (_, kind) in FIELDS.items()
    },
}


class LogError(UserError):
    """The log as a whole cannot be used."""


def describe_problems(
    checked_events: DataFrame, parameters: DataProcessingParameters
) -> dict[str, dict[str, Any]]:
    """Count the rejected records for every reason, the most frequent first.

    Returns:
        Per reason its `lines`, and a `value` of the field that it names, as JSON text or None.
    """
    rejected = checked_events.select("line", F.explode("problems").alias("reason"))
    counts = rejected.groupBy("reason").agg(
        F.count("*").alias("lines"), F.min_by("line", F.xxhash64("line")).alias("line")
    )
    rows = counts.orderBy(F.desc("lines"), "reason").collect()
    return {
        row["reason"]: {
            "lines": row["lines"],
            "value": _find_value(row["reason"], row["line"], parameters),
        }
        for row in rows
    }


def _find_value(reason: str, line: str, parameters: DataProcessingParameters) -> str | None:
    """Return, as JSON, a quoted record's value of the field that a reason names."""
    fields = [field for field in FIELDS if field in reason.split()]
    try:
        record = json.loads(line)
    except ValueError:  # malformed, or cut off
        return None
    for shape in parameters.shapes:
        for field in fields:
            value = look_up(record, shape.paths.get(field, ()))
            if value is not None and value is not record:
                return json.dumps(value, ensure_ascii=False)
    return None


def find_missing_fields(
    checked_events: DataFrame, parameters: DataProcessingParameters
) -> dict[str, str]:
    """Return the keys of required fields that have no value in any readable record."""
    keys = {field: key for field in REQUIRED if (key := parameters.fields[field])}
    keys = {field: key for field, key in keys.items() if field in parameters.shapes[0].paths}
    readable = checked_events.where(~F.col("rejection").isin(*UNREADABLE))
    with_value = [F.count_if(_has_value(field)).alias(field) for field in keys]
    counts = collect_one_row(readable.agg(F.count("*").alias("lines"), *with_value))
    return {field: key for field, key in keys.items() if counts["lines"] and not counts[field]}


def _has_value(field: str) -> Column:
    """Return whether a record has a value of a field, usable or not."""
    unusable = f"^({field} in|impossible {field}|wrong type of {field})"
    is_unusable = F.exists("problems", lambda problem: problem.rlike(unusable))
    return F.col(FIELDS[field][0]).isNotNull() | is_unusable


def detect_format(checked_events: DataFrame) -> str | None:
    """Return the format of most malformed records; None if it is not recognised."""
    line = F.col("line")
    is_printed = line.rlike(PRINTED_JSON)
    row = collect_one_row(
        checked_events.where(F.col("rejection") == MALFORMED_JSON).agg(
            F.count("*").alias("lines"),
            F.count_if(line.rlike(JSON_ARRAY)).alias("a JSON array on one line"),
            F.count_if(is_printed).alias("JSON objects over several lines"),
            F.count_if(~is_printed & line.rlike(SEPARATED)).alias("CSV"),
            F.count_if(line.rlike(LONE_BRACKET)).alias("brackets"),
        )
    )
    counts = row.asDict()
    lines, brackets = counts.pop("lines"), counts.pop("brackets")
    name = max(counts, key=lambda name: counts[name])
    if 2 * counts[name] <= lines:
        return None
    is_printed_array = name == "JSON objects over several lines" and brackets
    return "a JSON array over several lines" if is_printed_array else name


def format_log_error(data_quality: dict[str, Any]) -> str:
    """Return the error message: reasons, counts, a value of each field and what to set."""
    sentences = [_format_counts(data_quality)]
    if data_quality["fields_without_values"]:
        sentences.append(_format_missing_fields(data_quality))
    sentences += _format_problems(data_quality)
    return " ".join(["raw_events:", *sentences, *_format_example(data_quality)])


def format_rejections(data_quality: dict[str, Any]) -> str:
    """Return the reasons with their counts, the most frequent first, without `no user`."""
    rejections = _sort_rejections(data_quality)
    return ", ".join(f"{rejections[reason]['lines']:,} {reason}" for reason in rejections)


def _sort_rejections(data_quality: dict[str, Any]) -> dict[str, Any]:
    """Return the rejections, the most frequent first, without `no user`."""
    rejections = data_quality["rejections"].items()
    by_lines = sorted(rejections, key=lambda item: (-item[1]["lines"], item[0]))
    return {reason: counts for reason, counts in by_lines if reason != NO_USER}


def _format_counts(data_quality: dict[str, Any]) -> str:
    without_user = data_quality["without_user"]
    lines = data_quality["lines"] - without_user
    if not lines:
        return (
            f"none of its {without_user:,} records is an event of a customer "
            f"({without_user:,} {NO_USER})."
        )
    rejected = data_quality["rejected"] - without_user
    reasons = format_rejections(data_quality)
    if without_user:
        reasons += f"; {without_user:,} more records have no user and do not count"
    return (
        f"{rejected:,} of {lines:,} records rejected ({reasons}). "
        f"data_processing.max_rejected_share allows {data_quality['max_rejected_share']:.0%}."
    )


def _format_missing_fields(data_quality: dict[str, Any]) -> str:
    missing = data_quality["fields_without_values"]
    listed = ", ".join(f"{field} (key {key})" for field, key in missing.items())
    unknown = data_quality["unknown_columns"][:MAX_NAMED_KEYS]
    keys = f" Unused keys: {', '.join(unknown)}." if unknown else ""
    return (
        f"No record has a value of {listed}. Set data_processing.fields to the log's keys, or to "
        f"null if it has none; `sparkify inspect LOG` drafts the settings.{keys}"
    )


def _format_problems(data_quality: dict[str, Any]) -> list[str]:
    """Return a sentence with the remedy for each frequent problem of a field with values."""
    missing = data_quality["fields_without_values"]
    looks_like = data_quality["malformed_format"]
    min_lines = data_quality["max_rejected_share"] * data_quality["lines"]
    sentences = []
    for reason, problem in data_quality["problems"].items():
        is_of_missing_field = any(field in reason.split() for field in missing)
        is_of_missing_field |= reason == NO_USER and bool(
            {"userId", "registration"} & missing.keys()
        )
        if is_of_missing_field or problem["lines"] <= min_lines:
            continue
        if reason == MALFORMED_JSON and looks_like:
            raw_format = "csv (or tsv)" if looks_like == "CSV" else "json_array"
            setting = f"Set raw_format: {raw_format} in conf/<env>/globals.yml."
            sentences.append(f"The log is {looks_like}. {setting}")
            continue
        value = problem["value"]
        quoted = f" (found {value[:MAX_VALUE_LENGTH]})" if value else ""
        sentences.append(f"{reason}{quoted}: {_find_remedy(reason, data_quality)}")
    if not sentences and not missing:
        first = next(iter(_sort_rejections(data_quality)), NO_USER)
        sentences = [_find_remedy(first, data_quality)]
    return sentences


def _find_remedy(reason: str, data_quality: dict[str, Any]) -> str:
    if reason == IMPOSSIBLE_LEVEL:
        values = data_quality["rejections"].get(reason, {}).get("values", {})
        listed = ", ".join(f'"{value}" ({lines:,} records)' for value, lines in values.items())
        values_found = f"Values found: {listed}. " if listed else ""
        return f"{values_found}Add them to data_processing.levels."
    return REMEDIES.get(reason, "data_quality has examples.")


def _format_example(data_quality: dict[str, Any]) -> list[str]:
    no_rejection: dict[str, Any] = {"examples": []}
    first = next(iter(_sort_rejections(data_quality).values()), no_rejection)
    return [f"Example: {line[:MAX_EXAMPLE_LENGTH]}" for line in first["examples"][:1]]
