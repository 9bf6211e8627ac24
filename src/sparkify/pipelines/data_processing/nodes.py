"""Check every line of the log once."""

from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkify.errors import UserError
from sparkify.log_digest import line_hash, log_digest
from sparkify.pipelines.data_processing import parsing, reasons
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.schemas import CHECKED_EVENTS
from sparkify.shares import is_in_share

# What to do about a log without an event, by what is wrong with most of its lines.
REMEDIES = {
    "malformed JSON": "A log has one JSON object per line, in UTF-8.",
    "ts in seconds": "Multiply ts by 1,000: it counts milliseconds since 1970.",
    "ts in microseconds": "Divide ts by 1,000: it counts milliseconds since 1970.",
    "no user": "An event of a customer has a userId and the time of the registration.",
}


class LogError(UserError):
    """The log as a whole cannot be used."""


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
    simulation describes; any other log is `provided`.

    Raises:
        LogError: if no line of the log is an event.
    """
    accepted = _accepted(checked_events)
    rejections = _rejections(checked_events, data_processing.examples_per_rejection)
    if not accepted["events"]:
        _require_essential_columns(checked_events, data_processing)
        _refuse_a_log_without_events(rejections)
    is_simulated = bool(simulation_record) and simulation_record["log"] == log_digest(raw_events)
    rejected = sum(reason["lines"] for reason in rejections.values())
    return {
        "source": "simulated" if is_simulated else "provided",
        "lines": accepted["events"] + rejected,
        "accepted": accepted["events"],
        "rejected": rejected,
        "rejections": rejections,
        "unknown_columns": _unknown_columns(checked_events, data_processing),
        "unknown_columns_share": data_processing.unknown_columns_share,
        "users": accepted["users"],
        "first_event": _iso(accepted["first_event"]),
        "last_event": _iso(accepted["last_event"]),
    }


def _accepted(checked_events: DataFrame) -> dict[str, Any]:
    """Count events and users, by user first: a distinct count over all events is slow."""
    by_user = checked_events.where("rejection is null").groupBy("user_id")
    return _one_row(
        by_user.agg(
            F.count("*").alias("events"),
            F.min("ts").alias("first_event"),
            F.max("ts").alias("last_event"),
        ).agg(
            F.coalesce(F.sum("events"), F.lit(0)).alias("events"),
            F.count("*").alias("users"),
            F.min("first_event").alias("first_event"),
            F.max("last_event").alias("last_event"),
        )
    )


def _require_essential_columns(
    checked_events: DataFrame, parameters: DataProcessingParameters
) -> None:
    """Raise a LogError if JSON lines were rejected and none has some essential column."""
    well_formed = checked_events.where("rejection != 'malformed JSON'")
    having = [F.count_if(_has_value(key)).alias(key) for key in parsing.ESSENTIAL]
    found = _one_row(well_formed.agg(F.count("*").alias("lines"), *having))
    keys = {field: parameters.fields[field] for field in parsing.ESSENTIAL}
    missing = [keys[field] for field in keys if found[field] == 0]
    if missing and found["lines"]:
        raise LogError(
            f"raw_events: none of its {found['lines']} JSON lines has a value in the essential "
            f"column{'s' if len(missing) > 1 else ''} {', '.join(missing)}. "
            f"The columns a log must have are {', '.join(keys.values())} "
            f"(data_processing.fields)."
        )


def _refuse_a_log_without_events(rejections: dict[str, dict[str, Any]]) -> None:
    by_lines = sorted(rejections, key=lambda why: rejections[why]["lines"], reverse=True)
    told = ", ".join(f"{rejections[why]['lines']:,} {why}" for why in by_lines)
    lines = sum(reason["lines"] for reason in rejections.values())
    remedy = REMEDIES.get(by_lines[0], "checked_events quotes every line with its reason.")
    raise LogError(f"raw_events: none of its {lines:,} lines is an event ({told}). {remedy}")


def _unknown_columns(checked_events: DataFrame, parameters: DataProcessingParameters) -> list[str]:
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


def _has_value(key: str) -> Column:
    """Return whether a line has a value under an essential key, usable or not."""
    name, _ = parsing.FIELDS[key]
    is_unusable = F.col("rejection").rlike(f"^({key} in|impossible {key}|wrong type of {key})")
    return F.col(name).isNotNull() | is_unusable


def _rejections(checked_events: DataFrame, examples: int) -> dict[str, dict[str, Any]]:
    """Count rejected lines per reason and quote a few, chosen by hash whatever their order."""
    rejected = checked_events.where("rejection is not null").select("rejection", "line")
    by_hash = Window.partitionBy("rejection").orderBy(F.xxhash64("line"), "line")
    quoted = (
        rejected.withColumn("place", F.row_number().over(by_hash))
        .where(F.col("place") <= examples)
        .groupBy("rejection")
        .agg(F.array_sort(F.collect_list("line")).alias("examples"))
    )
    counts = rejected.groupBy("rejection").agg(F.count("*").alias("lines"))
    rows = counts.join(quoted, on="rejection", how="left").orderBy("rejection").collect()
    return {row["rejection"]: {"lines": row["lines"], "examples": row["examples"]} for row in rows}


def _iso(moment: Any) -> str | None:
    return moment.isoformat() + "Z" if moment else None
