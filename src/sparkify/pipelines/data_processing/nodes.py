"""Check every line of the log once, and account for all of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkify.log_digest import line_hash, log_digest
from sparkify.pipelines.data_processing import parsing, reasons
from sparkify.pipelines.data_processing.log_checks import NO_USER, LogError
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.schemas import CHECKED_EVENTS
from sparkify.shares import is_in_share

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
IMPOSSIBLE_LEVEL = "impossible level"
MAX_VALUES = 10  # of a plan that no parameter names, the most frequent first
# How malformed lines begin in other formats; values are blotted out in what is kept of a line.
JSON_ARRAY = r"^\s*\[\s*\{"
PRINTED_JSON = r'^\s*("[^"]*"\s*:.*|[\[\]{}]+\s*,?)\s*$'
LONE_BRACKET = r"^\s*\[\s*$"
SEPARATED = r"^[^{}\[\]]*[,;\t][^{}\[\]]*$"


def checked_events(raw_events: DataFrame, data_processing: DataProcessingParameters) -> DataFrame:
    """Type every line of the log: one row per line, accepted or with a `rejection`.

    Args:
        raw_events: the log, one line per row in `value`.
        data_processing: which timestamps are possible.

    Raises:
        LogError: if the log holds no line.
    """
    if raw_events.isEmpty():
        raise LogError("raw_events holds no lines: the log is empty.")
    lines, keys = _with_copies(raw_events), data_processing.fields
    line, ts, registration = F.col("value"), F.col("fields.ts"), F.col("fields.registration")
    is_looked_at = is_in_share(line_hash(), data_processing.unknown_columns_share)
    judged = lines.withColumn("fields", parsing.parsed(line, keys)).withColumns(
        {
            "rejection": F.when(
                reasons.is_suspect(data_processing), reasons.rejection(data_processing)
            ),
            "unknown_columns": F.when(is_looked_at, parsing.unknown_columns(line, keys)),
        }
    )
    quoted = parsing.fields_alone(line, keys, data_processing.characters_per_line)
    typed = {
        **{name: F.col(f"fields.{key}") for key, (name, _) in parsing.FIELDS.items()},
        "user_id": _digits(F.col("fields.userId")),
        "level": reasons.level(data_processing),
        "ts": _timestamp(ts, data_processing),
        "registration": _timestamp(registration, data_processing),
        "line": F.when(F.col("rejection").isNotNull(), quoted),
        "unknown_columns": F.col("unknown_columns"),
        "rejection": F.col("rejection"),
    }
    return judged.select(*[typed[name].alias(name) for name in CHECKED_EVENTS.columns])


def _with_copies(raw_events: DataFrame) -> DataFrame:
    """Return `value` and `copy`: 1 for the first of equal lines, 2, 3 … for its duplicates.

    Only lines whose hash occurs twice are grouped by their text; the others never move.
    """
    lines = raw_events.select("value", line_hash().alias("line_hash"))
    repeated = F.broadcast(repeated_hashes(lines))
    once = lines.join(repeated, on="line_hash", how="left_anti")
    often = lines.join(repeated, on="line_hash", how="left_semi").groupBy("value").count()
    copies = often.select("value", F.explode(F.sequence(F.lit(1), F.col("count").cast("int"))))
    return once.select("value", F.lit(1).alias("copy")).unionAll(copies)


def repeated_hashes(lines: DataFrame) -> DataFrame:
    """Return each `line_hash` that occurs more than once: one row per hash."""
    # Nearly all hashes occur once: counting them before they are brought together is in vain.
    counts = lines.select("line_hash").repartition("line_hash").groupBy("line_hash").count()
    return counts.where("count > 1").select("line_hash")


def _digits(user_id: Column) -> Column:
    """Return a userId that some services write as a number, 1234.0, as its digits."""
    is_float = user_id.endswith(".0")
    return F.when(is_float, F.regexp_replace(user_id, r"^(\d+)\.0$", "$1")).otherwise(user_id)


def _timestamp(epoch_ms: Column, parameters: DataProcessingParameters) -> Column:
    is_possible = reasons.is_possible(epoch_ms, parameters)
    return F.when(is_possible, F.timestamp_millis(epoch_ms.cast("bigint")))


def data_quality(
    raw_events: DataFrame,
    checked_events: DataFrame,
    simulation_record: dict[str, Any],
    data_processing: DataProcessingParameters,
) -> dict[str, Any]:
    """Count accepted and rejected lines, per reason with examples, and name the log's source.

    The source is `simulated` only if the log is, line for line, the one that the record of a
    simulation describes; any other log is `provided`. `rejected_share` leaves out lines without
    a user. `pages` and `levels` count the accepted events. `fields_without_values` and
    `malformed_lines_look_like` say why a log without events, or with too few, has none.
    """
    accepted = _count_accepted(checked_events)
    rejections = _count_rejections(checked_events, data_processing.examples_per_rejection)
    rejected = sum(found["lines"] for found in rejections.values())
    without_user = rejections.get(NO_USER, {"lines": 0})["lines"]
    lines = accepted["accepted"] + rejected
    rejected_share = (rejected - without_user) / max(lines - without_user, 1)
    is_unusable = rejected_share > data_processing.max_rejected_share
    is_simulated = bool(simulation_record) and simulation_record["log"] == log_digest(raw_events)
    return {
        "source": "simulated" if is_simulated else "provided",
        "lines": lines,
        "rejected": rejected,
        "without_user": without_user,
        "rejected_share": rejected_share,
        "max_rejected_share": data_processing.max_rejected_share,
        "rejections": rejections,
        "malformed_lines_look_like": _detect_format(checked_events) if is_unusable else None,
        "fields_without_values": (
            [] if accepted["accepted"] else _find_missing(checked_events, data_processing)
        ),
        "unknown_columns": _list_unknown_columns(checked_events, data_processing),
        "unknown_columns_share": data_processing.unknown_columns_share,
        **accepted,
        "pages": _count_values(_accepted(checked_events), "page", data_processing.max_listed_pages),
        "levels": _count_values(_accepted(checked_events), "level", len(data_processing.levels)),
    }


def _accepted(checked_events: DataFrame) -> DataFrame:
    return checked_events.where("rejection is null")


def _count_accepted(checked_events: DataFrame) -> dict[str, Any]:
    """Count events and users, by user first: a distinct count over all events is slow."""
    ts = F.unix_millis("ts")
    by_user = _accepted(checked_events).groupBy("user_id")
    found = _one_row(
        by_user.agg(F.count("*").alias("events"), F.min(ts).alias("first"), F.max(ts).alias("last"))
        .agg(
            F.coalesce(F.sum("events"), F.lit(0)).alias("accepted"),
            F.count("*").alias("users"),
            F.min("first").alias("first_event"),
            F.max("last").alias("last_event"),
        )
    )  # fmt: skip
    return {
        **found,
        "first_event": _format_utc(found["first_event"]),
        "last_event": _format_utc(found["last_event"]),
    }


def _count_values(rows: DataFrame, column: str, limit: int) -> dict[str, int]:
    """Count the values of a column, the most frequent first."""
    counts = rows.groupBy(column).count().orderBy(F.desc("count"), column).limit(limit)
    return {row[column]: row["count"] for row in counts.collect()}


def _find_missing(checked_events: DataFrame, parameters: DataProcessingParameters) -> list[str]:
    """List the keys of essential fields that have a value in no well-formed line."""
    well_formed = checked_events.where("rejection != 'malformed JSON'")
    having = [F.count_if(_has_value(key)).alias(key) for key in parsing.ESSENTIAL]
    found = _one_row(well_formed.agg(F.count("*").alias("lines"), *having))
    keys = {field: parameters.fields[field] for field in parsing.ESSENTIAL}
    return [keys[field] for field in keys if found["lines"] and not found[field]]


def _has_value(key: str) -> Column:
    """Return whether a line has a value under an essential key, usable or not."""
    name, _ = parsing.FIELDS[key]
    is_unusable = F.col("rejection").rlike(f"^({key} in|impossible {key}|wrong type of {key})")
    return F.col(name).isNotNull() | is_unusable


def _detect_format(checked_events: DataFrame) -> str | None:
    """Name the format that most malformed lines are written in; None if they are in none."""
    line = F.col("line")
    is_printed = line.rlike(PRINTED_JSON)
    found = _one_row(
        checked_events.where("rejection = 'malformed JSON'").agg(
            F.count("*").alias("lines"),
            F.count_if(line.rlike(JSON_ARRAY)).alias("a JSON array on one line"),
            F.count_if(is_printed).alias("JSON objects over several lines"),
            F.count_if(~is_printed & line.rlike(SEPARATED)).alias("CSV"),
            F.count_if(line.rlike(LONE_BRACKET)).alias("brackets"),
        )
    )
    lines, brackets = found.pop("lines"), found.pop("brackets")
    name = max(found, key=lambda name: found[name])
    if 2 * found[name] <= lines:
        return None
    is_printed_array = name == "JSON objects over several lines" and brackets
    return "a JSON array over several lines" if is_printed_array else name


def _list_unknown_columns(
    checked_events: DataFrame, parameters: DataProcessingParameters
) -> list[str]:
    """List the first keys in alphabetical order; a broken log may have as many as lines."""
    keys = checked_events.where("unknown_columns is not null").select(
        F.explode("unknown_columns").alias("key")
    )
    begins = F.substring("key", 1, parameters.characters_per_line).alias("key")
    listed = keys.select(begins).distinct().orderBy("key").limit(parameters.most_unknown_columns)
    return [row["key"] for row in listed.collect()]


def _one_row(aggregate: DataFrame) -> dict[str, Any]:
    row = aggregate.first()
    assert row is not None  # noqa: S101 -- an aggregate without keys always has one row
    return row.asDict()


def _count_rejections(checked_events: DataFrame, examples: int) -> dict[str, dict[str, Any]]:
    """Count rejected lines per reason and quote a few, chosen by hash whatever their order.

    `impossible level` has the `values` found, with their lines.
    """
    rejected = checked_events.where("rejection is not null").select("rejection", "line", "level")
    by_hash = Window.partitionBy("rejection").orderBy(F.xxhash64("line"), "line")
    quoted = (
        rejected.withColumn("place", F.row_number().over(by_hash))
        .where(F.col("place") <= examples)
        .groupBy("rejection")
        .agg(F.array_sort(F.collect_list("line")).alias("examples"))
    )
    counts = rejected.groupBy("rejection").agg(F.count("*").alias("lines"))
    rows = counts.join(quoted, on="rejection", how="left").orderBy("rejection").collect()
    found = {
        row["rejection"]: {"lines": row["lines"], "examples": row["examples"] or []} for row in rows
    }
    if IMPOSSIBLE_LEVEL in found:
        of_level = rejected.where(F.col("rejection") == IMPOSSIBLE_LEVEL)
        found[IMPOSSIBLE_LEVEL]["values"] = _count_values(of_level, "level", MAX_VALUES)
    return found


def _format_utc(epoch_ms: int | None) -> str | None:
    """Write a moment as ISO 8601 in UTC; a datetime of Spark's would be in the machine's zone."""
    if epoch_ms is None:
        return None
    return (EPOCH + timedelta(milliseconds=epoch_ms)).replace(tzinfo=None).isoformat() + "Z"
