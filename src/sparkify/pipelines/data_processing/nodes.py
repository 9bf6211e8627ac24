"""Check every record of the log once, and count accepted and rejected records."""

import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkify.pipelines.data_processing.diagnosis import (
    LogError,
    describe_problems,
    detect_format,
    find_missing_fields,
    format_log_error,
)
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.data_processing.parsing import IMPOSSIBLE_LEVEL, NO_USER, parse_records
from sparkify.schemas import CHECKED_EVENTS, EVENTS, REPEATED_EVENTS
from sparkify.spark.checksums import LogDigest, add_hash_halves, record_hash, sum_hash_halves
from sparkify.spark.functions import collect_one_row, is_in_share

logger = logging.getLogger(__name__)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_UNKNOWN_PLANS = 10  # listed in data_quality, the most frequent first


def check_events(raw_events: DataFrame, data_processing: DataProcessingParameters) -> DataFrame:
    """Return the typed records of the log: one row per record, accepted or with a `rejection`.

    Duplicates are accepted here; `find_repeated_events` finds them by `record_hash`.

    Args:
        raw_events: the log, one record per row. `value` is its JSON and `file` its file, relative
            to the log. Formats other than JSON lines add `problem`: why a row is not a record.
        data_processing: how to read the log, and which values are possible.

    Raises:
        LogError: if the log is empty.
    """
    if raw_events.isEmpty():
        raise LogError(
            "raw_events has no lines: the log is empty. Check raw_log in conf/<env>/globals.yml."
        )
    lists_keys = is_in_share(record_hash(), data_processing.unknown_columns_share)
    optional = {"file": data_processing.needs_files, "problem": "problem" in raw_events.columns}
    records = raw_events.select(
        F.col("value").cast("binary").alias("value"),
        record_hash().alias("record_hash"),
        lists_keys.alias("lists_keys"),
        *(name for name, is_needed in optional.items() if is_needed),
    )
    parse = partial(parse_records, parameters=data_processing)
    return records.mapInArrow(parse, CHECKED_EVENTS.struct)


def find_repeated_events(checked_events: DataFrame) -> DataFrame:
    """Return the accepted events that the log has more than once, with the number of `copies`.

    Events with the same `record_hash` that differ in a column are separate rows, with one copy
    each.
    """
    accepted = _select_accepted(checked_events)
    # Almost all hashes are unique, so a partial count before the shuffle saves nothing.
    counts = accepted.select("record_hash").repartition("record_hash").groupBy("record_hash")
    repeated = counts.count().where("count > 1").select("record_hash")
    columns = [name for name in REPEATED_EVENTS.columns if name != "copies"]
    events = accepted.join(F.broadcast(repeated), on="record_hash", how="left_semi")
    return events.groupBy(*columns).agg(F.count("*").alias("copies"))


def count_events(checked_events: DataFrame, repeated_events: DataFrame) -> DataFrame:
    """Return the number of events by UTC day, page, level and time format.

    One row per combination, with `events` and the first and the last `ts` among them.
    """
    day = F.to_date("ts").alias("day")
    return (
        drop_duplicates(checked_events, repeated_events)
        .groupBy(day, "page", "level", "time_format")
        .agg(
            F.count("*").alias("events"),
            F.min("ts").alias("first_ts"),
            F.max("ts").alias("last_ts"),
        )
    )


def summarize_data_quality(
    checked_events: DataFrame,
    repeated_events: DataFrame,
    event_counts: DataFrame,
    simulation_record: dict[str, Any],
    data_processing: DataProcessingParameters,
) -> dict[str, Any]:
    """Return the numbers of accepted and rejected records, the reasons and the log's source.

    Returns:
        `rejections` counts the first reason of each rejected record, with examples; `problems`
        counts all reasons, with a value of the field. `rejected_share` excludes records without a
        user. `source` is `simulated` if the log's checksum is that of the simulation record, else
        `provided`. `pages`, `levels` and `time_formats` count events. `fields_without_values` and
        `malformed_format` help to explain why a log cannot be used.
    """
    digest, users = _compute_digest(checked_events)
    max_listed_pages = data_processing.max_listed_pages
    time_formats = _count_values(event_counts, "time_format", F.sum("events"), max_listed_pages)
    if len(time_formats) > 1:
        logger.warning(
            "The log has several time formats: %s. If only one is right, set "
            "data_processing.time_format",
            ", ".join(f"{name} ({events:,} events)" for name, events in time_formats.items()),
        )
    rejections = _count_rejections(checked_events, data_processing.examples_per_rejection)
    rejections |= _count_duplicates(repeated_events, data_processing.examples_per_rejection)
    lines = digest["lines"]
    rejected = sum(counts["lines"] for counts in rejections.values())
    without_user = rejections.get(NO_USER, {"lines": 0})["lines"]
    rejected_share = (rejected - without_user) / max(lines - without_user, 1)
    is_unusable = rejected == lines or rejected_share > data_processing.max_rejected_share
    is_simulated = bool(simulation_record) and simulation_record["log"] == digest
    span = collect_one_row(
        event_counts.agg(
            F.min(F.unix_micros("first_ts")).alias("first"),
            F.max(F.unix_micros("last_ts")).alias("last"),
        )
    )
    return {
        "source": "simulated" if is_simulated else "provided",
        "lines": lines,
        "accepted": lines - rejected,
        "rejected": rejected,
        "without_user": without_user,
        "rejected_share": rejected_share,
        "max_rejected_share": data_processing.max_rejected_share,
        "rejections": dict(sorted(rejections.items())),
        "problems": describe_problems(checked_events, data_processing) if is_unusable else {},
        "malformed_format": detect_format(checked_events) if is_unusable else None,
        "fields_without_values": (
            find_missing_fields(checked_events, data_processing) if rejected == lines else {}
        ),
        "unknown_columns": _list_unknown_columns(checked_events, data_processing),
        "unknown_columns_share": data_processing.unknown_columns_share,
        "users": users,
        "first_event": _format_utc(span["first"]),
        "last_event": _format_utc(span["last"]),
        "pages": _count_values(event_counts, "page", F.sum("events"), max_listed_pages),
        "levels": _count_values(
            event_counts, "level", F.sum("events"), len(data_processing.levels)
        ),
        "time_formats": time_formats,
    }


def require_usable_log(data_quality: dict[str, Any]) -> None:
    """Stop if the log has no events, or more rejected records than allowed.

    Records without a user do not count: in a web log they may be most of all records.

    Raises:
        LogError: if so, with reasons, counts, a value of each field and remedies.
    """
    is_rejected = data_quality["rejected_share"] > data_quality["max_rejected_share"]
    if not data_quality["accepted"] or is_rejected:
        raise LogError(format_log_error(data_quality))


def drop_duplicates(checked_events: DataFrame, repeated_events: DataFrame) -> DataFrame:
    """Return the log's events: its accepted records without duplicates."""
    columns = [*EVENTS.columns, "time_format"]
    hashes = F.broadcast(repeated_events.select("record_hash").distinct())
    unique = _select_accepted(checked_events).join(hashes, on="record_hash", how="left_anti")
    return unique.select(*columns).unionByName(repeated_events.select(*columns))


def _select_accepted(checked_events: DataFrame) -> DataFrame:
    return checked_events.where("rejection is null")


def _compute_digest(checked_events: DataFrame) -> tuple[LogDigest, int]:
    """Return the log's digest and the number of users with events, in one pass.

    Counts by user first: a distinct count over all events is slow.
    """
    by_user = checked_events.groupBy("user_id").agg(
        F.count("*").alias("lines"),
        F.max(F.col("rejection").isNull()).alias("has_events"),
        *sum_hash_halves(F.col("record_hash")),
    )
    sums = collect_one_row(
        by_user.agg(
            *(F.sum(name).alias(name) for name in ("lines", "upper", "lower")),
            F.count_if("has_events").alias("users"),
        )
    )
    digest = LogDigest(lines=sums["lines"] or 0, hash_sum=str(add_hash_halves(sums)))
    return digest, sums["users"]


def _count_values(rows: DataFrame, column: str, count: Column, limit: int) -> dict[str, int]:
    """Return a count for each value of a column, the most frequent first."""
    counts = rows.groupBy(column).agg(count.alias("number"))
    listed = counts.orderBy(F.desc("number"), column).limit(limit)
    return {row[column]: row["number"] for row in listed.collect()}


def _list_unknown_columns(
    checked_events: DataFrame, parameters: DataProcessingParameters
) -> list[str]:
    """Return the first keys in alphabetical order; a malformed log may have millions."""
    keys = checked_events.where("unknown_columns is not null").select(
        F.explode("unknown_columns").alias("key")
    )
    shortened = F.substring("key", 1, parameters.max_line_characters).alias("key")
    listed = keys.select(shortened).distinct().orderBy("key").limit(parameters.max_unknown_columns)
    return [row["key"] for row in listed.collect()]


def _count_rejections(checked_events: DataFrame, examples: int) -> dict[str, dict[str, Any]]:
    """Return the number of rejected `lines` per reason, with a few `examples`.

    A hash selects the examples, so they do not depend on the order of records. `impossible level`
    has the unknown `values`, with their numbers of records.
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
    rejections = {
        row["rejection"]: {"lines": row["lines"], "examples": row["examples"] or []}
        for row in counts.join(quoted, on="rejection", how="left").collect()
    }
    if IMPOSSIBLE_LEVEL in rejections:
        with_level = rejected.where(F.col("rejection") == IMPOSSIBLE_LEVEL)
        values = _count_values(with_level, "level", F.count("*"), MAX_UNKNOWN_PLANS)
        rejections[IMPOSSIBLE_LEVEL]["values"] = values
    return rejections


def _count_duplicates(repeated_events: DataFrame, examples: int) -> dict[str, dict[str, Any]]:
    """Return the number of copies beyond the first, with a few `examples`; empty without copies."""
    (copies,) = collect_one_row(repeated_events.agg(F.sum(F.col("copies") - 1)))
    if not copies:
        return {}
    event = F.to_json(F.struct(*EVENTS.columns)).alias("event")
    quoted = repeated_events.where("copies > 1").orderBy("record_hash").select(event)
    lines = [row["event"] for row in quoted.limit(examples).collect()]
    return {"duplicate": {"lines": copies, "examples": lines}}


def _format_utc(epoch_us: int | None) -> str | None:
    """Return a moment as ISO 8601 in UTC; Spark's datetimes are in the machine's time zone."""
    if epoch_us is None:
        return None
    return (EPOCH + timedelta(microseconds=epoch_us)).replace(tzinfo=None).isoformat() + "Z"
