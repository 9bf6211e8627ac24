"""Why a log has too few events: what is wrong with its fields, and what its records look like."""

import json
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.pipelines.data_processing.decoding import look_up
from sparkify.pipelines.data_processing.fields import ESSENTIAL, FIELDS
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.data_processing.reasons import MALFORMED_JSON
from sparkify.schemas import MALFORMED_ROW
from sparkify.spark.functions import collect_one_row

UNREADABLE = (MALFORMED_JSON, MALFORMED_ROW)
# How malformed records begin in other formats; values are blotted out in what is kept of them.
JSON_ARRAY = r"^\s*\[\s*\{"
PRINTED_JSON = r'^\s*("[^"]*"\s*:.*|[\[\]{}]+\s*,?)\s*$'
LONE_BRACKET = r"^\s*\[\s*$"
SEPARATED = r"^[^{}\[\]]*[,;\t][^{}\[\]]*$"


def describe_problems(
    checked_events: DataFrame, parameters: DataProcessingParameters
) -> dict[str, dict[str, Any]]:
    """Count every reason against rejected records, the most frequent first.

    Returns:
        For each reason the `lines` that it holds against, and a `value` of the field that it is
        about, as JSON; null where there is none.
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
    """Return the value in a quoted record of the field that a reason names, as JSON."""
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
    """Return the essential fields without a value in any readable record, with their keys."""
    keys = {field: key for field in ESSENTIAL if (key := parameters.fields[field])}
    keys = {field: key for field, key in keys.items() if field in parameters.shapes[0].paths}
    readable = checked_events.where(~F.col("rejection").isin(*UNREADABLE))
    having = [F.count_if(_has_value(field)).alias(field) for field in keys]
    found = collect_one_row(readable.agg(F.count("*").alias("lines"), *having))
    return {field: key for field, key in keys.items() if found["lines"] and not found[field]}


def _has_value(field: str) -> Column:
    """Return whether a record has a value of a field, usable or not."""
    unusable = f"^({field} in|impossible {field}|wrong type of {field})"
    is_unusable = F.exists("problems", lambda problem: problem.rlike(unusable))
    return F.col(FIELDS[field][0]).isNotNull() | is_unusable


def detect_format(checked_events: DataFrame) -> str | None:
    """Name the format that most malformed records are written in; None if they are in none."""
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
    found = row.asDict()
    lines, brackets = found.pop("lines"), found.pop("brackets")
    name = max(found, key=lambda name: found[name])
    if 2 * found[name] <= lines:
        return None
    is_printed_array = name == "JSON objects over several lines" and brackets
    return "a JSON array over several lines" if is_printed_array else name
