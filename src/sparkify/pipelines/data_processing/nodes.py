"""Check the records of the log, and count accepted and rejected records."""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.errors import UserError
from sparkify.log_formats.event_log import EventLogFiles
from sparkify.pipelines.data_processing.changed_days import (
    digest_texts,
    plan_partitions,
    select_days,
)
from sparkify.pipelines.data_processing.completion import assign_levels, assign_sessions
from sparkify.pipelines.data_processing.diagnosis import (
    LogError,
    describe_problems,
    detect_format,
    find_missing_fields,
    format_log_error,
)
from sparkify.pipelines.data_processing.fields import MAX_ITEMS
from sparkify.pipelines.data_processing.forgetting import (
    count_by_file,
    drop_customers,
    list_ids,
)
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.data_processing.parsing import IMPOSSIBLE_LEVEL, NO_USER, parse_records
from sparkify.pipelines.data_processing.reading_plan import describe_plan, plan_batches
from sparkify.pipelines.data_processing.record_counts import (
    count_batches,
    digest_all,
    digest_days,
    merge_rejections,
    merge_unknown_columns,
)
from sparkify.schemas import (
    CHECKED_RECORDS,
    EVENTS,
    PAGE_COUNTS,
    REPEATED_EVENTS,
    PartitionUpdate,
)
from sparkify.spark.checksums import LogDigest, record_hash
from sparkify.spark.functions import collect_one_row, is_in_share

logger = logging.getLogger(__name__)
COPY_KEY = ("record_hash", "ts")  # equal for the copies of a record
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SIMULATION = ("seed", "users")  # of a simulated log, quoted in data_quality
MAX_UNKNOWN_PLANS = 10  # listed in data_quality, the most frequent first


def plan_reading(
    raw_events: EventLogFiles,
    table_manifests: dict[str, Any],
    data_processing: DataProcessingParameters,
) -> dict[str, Any]:
    """Return which files of the log to read, and which records of earlier runs to keep.

    Args:
        raw_events: the files of the log, and the customers whose records are left out.
        table_manifests: what the tables of the last run were made from; empty before the first run.
        data_processing: when to start from scratch, and the smallest size of a batch.

    Returns:
        `batches`: the files of each batch, by its number. `new`: the batches to read. `reason`:
        why all files are read, or None. `about`: what the next plan needs to know.
    """
    forgotten = list_ids(raw_events.customers_to_forget)
    manifest = table_manifests["checked_events"]
    plan = plan_batches(raw_events, manifest, forgotten, data_processing)
    logger.info(describe_plan(plan, manifest))
    return plan


def check_events(
    raw_events: EventLogFiles,
    reading_plan: dict[str, Any],
    data_processing: DataProcessingParameters,
) -> PartitionUpdate:
    """Return the typed records of the new batches of files: a row per record.

    Records of customers to forget are left out.

    Raises:
        LogError: if the log is empty.
    """
    batches, new = reading_plan["batches"], reading_plan["new"]
    records = {number: raw_events.read(batches[number]) for number in new}
    if len(new) == len(batches) and all(rows.isEmpty() for rows in records.values()):
        raise LogError(
            "raw_events has no lines: the log is empty. Check raw_log in conf/<env>/globals.yml."
        )
    forgotten = list_ids(raw_events.customers_to_forget)
    checked = {
        number: drop_customers(check_records(rows, data_processing), forgotten)
        for number, rows in records.items()
    }
    return PartitionUpdate(
        rows={n: rows.withColumn("batch", F.lit(int(n))) for n, rows in checked.items()},
        written=new,
        partitions={number: {"files": files} for number, files in batches.items()},
        about=reading_plan["about"],
    )


def find_files_to_clean(
    raw_events: EventLogFiles,
    reading_plan: dict[str, Any],
    table_manifests: dict[str, Any],
    data_processing: DataProcessingParameters,
) -> dict[str, Any]:
    """Return the files of the log that hold customers to forget, with their records.

    The log belongs to the user: a run never changes it. Only files are searched that have changed
    since an earlier run searched them for the same customers.

    Returns:
        `files`: the number of these customers' records by file. `searched`: size and version of
        each file that was searched. `settings`: a digest of what decides how records are read.
    """
    forgotten = list_ids(raw_events.customers_to_forget)
    settings = digest_texts([json.dumps(reading_plan["about"]["settings"], sort_keys=True)])
    searched = dict(sorted(raw_events.states.items())) if forgotten else {}
    earlier = table_manifests["files_to_clean"]
    if earlier.get("settings") != settings:
        earlier = {"searched": {}, "files": {}}
    new = [file for file, state in searched.items() if earlier["searched"].get(file) != state]
    unchanged = searched.keys() - new
    counts = {file: number for file, number in earlier["files"].items() if file in unchanged}
    if new:
        records = raw_events.read(new)
        counts |= count_by_file(records, check_records(records, data_processing), forgotten)
    for file, number in counts.items():
        logger.warning("The log's file %s has %d records of customers to forget", file, number)
    return {"files": dict(sorted(counts.items())), "searched": searched, "settings": settings}


def check_records(records: DataFrame, parameters: DataProcessingParameters) -> DataFrame:
    """Return the typed records of a log: one row per record, accepted or with a `rejection`.

    Duplicates are accepted here; `find_repeated_events` finds them by `record_hash`.

    Args:
        records: one record per row. `value` is its JSON and `file` its file, relative to the log.
            Formats other than JSON lines add `problem`: why a row is not a record.
        parameters: how to read the log, and which values are possible.
    """
    lists_keys = is_in_share(record_hash(), parameters.unknown_columns_share)
    optional = {"file": parameters.needs_files, "problem": "problem" in records.columns}
    columns = records.select(
        F.col("value").cast("binary").alias("value"),
        record_hash().alias("record_hash"),
        lists_keys.alias("lists_keys"),
        *(name for name, is_needed in optional.items() if is_needed),
    )
    parse = partial(parse_records, parameters=parameters)
    return columns.mapInArrow(parse, CHECKED_RECORDS.struct)


def count_records(
    checked_events: DataFrame,
    table_manifests: dict[str, Any],
    data_processing: DataProcessingParameters,
) -> dict[str, Any]:
    """Count the records of each batch, and describe the events of each day by a digest.

    Only new batches are counted; a batch never changes.

    Returns:
        `batches`: the counts by the folder of a batch. `days`: a digest of the events of each UTC
        day. Tables by day keep the days whose digest is the same as before.
    """
    manifest = table_manifests["checked_events"]
    folders = manifest["folders"]
    earlier = table_manifests["record_counts"].get("batches", {})
    new = [int(number) for number, folder in folders.items() if folder and folder not in earlier]
    counted = count_batches(checked_events, new, data_processing)
    batches = {
        folder: earlier.get(folder) or counted[int(number)]
        for number, folder in folders.items()
        if folder
    }
    settings = manifest["about"]["settings"]
    return {"batches": batches, "days": digest_days([*batches.values()], settings)}


def find_repeated_events(
    checked_events: DataFrame,
    record_counts: dict[str, Any],
    table_manifests: dict[str, Any],
) -> PartitionUpdate:
    """Return the events that the log has more than once, of days whose events changed.

    Equal records have equal times, so no other day can have a copy.

    Raises:
        OutdatedCountsError: if `checked_events` has changed since its records were counted.
    """
    require_current_counts(record_counts, table_manifests["checked_events"])
    update = plan_partitions(record_counts["days"], table_manifests["repeated_events"])
    rows = find_copies(select_days(checked_events, update))
    return PartitionUpdate(rows, **update)


class OutdatedCountsError(UserError):
    """The counts of records are of other batches than `checked_events` has."""


def require_current_counts(
    record_counts: dict[str, Any], checked_events_manifest: dict[str, Any]
) -> None:
    """Stop if `checked_events` has changed since its records were counted.

    Raises:
        OutdatedCountsError: if so; a run began at a later node than `count_records`.
    """
    folders = {folder for folder in checked_events_manifest["folders"].values() if folder}
    if record_counts["batches"].keys() != folders:
        raise OutdatedCountsError(
            "record_counts is older than checked_events. Run the pipeline data_processing, or "
            "start at the node data_processing.count_records."
        )


def find_copies(checked_events: DataFrame) -> DataFrame:
    """Return the accepted events that occur more than once, with the number of `copies`.

    Events with the same `record_hash` and `ts` that differ in another column are separate rows,
    with one copy each.
    """
    accepted = _select_accepted(checked_events)
    # Almost all hashes are unique, so a partial count before the shuffle saves nothing.
    counts = accepted.select(*COPY_KEY).repartition("record_hash").groupBy(*COPY_KEY)
    repeated = counts.count().where("count > 1").select(*COPY_KEY)
    events = accepted.join(F.broadcast(repeated), on=[*COPY_KEY], how="left_semi")
    columns = [name for name in REPEATED_EVENTS.columns if name not in ("copies", "day")]
    copies = events.groupBy(*columns).agg(F.count("*").alias("copies"))
    return copies.withColumn("day", F.to_date("ts"))


def count_pages(
    checked_events: DataFrame,
    repeated_events: DataFrame,
    record_counts: dict[str, Any],
    table_manifests: dict[str, Any],
    data_processing: DataProcessingParameters,
) -> PartitionUpdate:
    """Return the number of events by user, session and page, of days whose events changed.

    If sessions or levels are derived from a customer's whole history, of all days once any changed.

    Raises:
        OutdatedCountsError: if `checked_events` has changed since its records were counted.
    """
    require_current_counts(record_counts, table_manifests["checked_events"])
    days = record_counts["days"]
    if data_processing.lacks("sessionId") or data_processing.lacks("level"):
        days = dict.fromkeys(days, digest_texts(days.values()))
    update = plan_partitions(days, table_manifests["page_counts"])
    events = complete_events(
        select_days(checked_events, update), select_days(repeated_events, update), data_processing
    )
    # A file per day: else each task would write one for every day.
    return PartitionUpdate(sum_events(events).repartition("day"), **update)


def sum_events(events: DataFrame) -> DataFrame:
    """Return the number of events by day and all that identifies them in `page_counts`.

    Plain integer sums let Spark aggregate by hash instead of sorting. This is three times as fast
    as one conditional count per page, with a fifth of the rows. `last_position` orders events by
    time, then by item, in one integer.
    """
    # Whole milliseconds: a sum of fractions would depend on the order of the rows.
    length_ms = F.expr("try_cast(round(length * 1000) as bigint)")
    position = F.unix_millis("ts") * MAX_ITEMS + F.col("item_in_session")
    # Gender and revenue are keys: the maximum of a struct would make Spark sort the events.
    keys = ["user_id", "session_id", "page", "level", "gender", "revenue", "time_format"]
    return (
        events.groupBy(*keys, F.to_date("ts").alias("day"))
        .agg(
            F.count("*").alias("events"),
            F.coalesce(F.sum(length_ms), F.lit(0)).alias("length_ms"),
            F.min("ts").alias("first_ts"),
            F.max("ts").alias("last_ts"),
            F.max(position).alias("last_position"),
            F.min("registration").alias("registration"),
        )
        .select(*PAGE_COUNTS.columns)
    )


def count_events(page_counts: DataFrame) -> DataFrame:
    """Return the number of events by UTC day, page, level and time format.

    One row per combination, with `events` and the first and the last `ts` among them.
    """
    return page_counts.groupBy("day", "page", "level", "time_format").agg(
        F.sum("events").alias("events"),
        F.min("first_ts").alias("first_ts"),
        F.max("last_ts").alias("last_ts"),
    )


def summarize_data_quality(
    checked_events: DataFrame,
    record_counts: dict[str, Any],
    repeated_events: DataFrame,
    page_counts: DataFrame,
    event_counts: DataFrame,
    files_to_clean: dict[str, Any],
    raw_events: EventLogFiles,
    data_processing: DataProcessingParameters,
) -> dict[str, Any]:
    """Return the numbers of accepted and rejected records, the reasons and the log's source.

    Returns:
        `rejections` counts the first reason of each rejected record, with examples (`impossible
        level` has the unknown `values`, with their numbers of records); `problems` counts all
        reasons, with a value of the field. `rejected_share` excludes records without a
        user. `source` is `simulated` if the log's checksum is that of its simulation record, else
        `provided`; `simulation` has the seed and the users of a simulated log. `files_to_clean`
        counts the files of the log that hold customers to forget. `pages`, `levels` and
        `time_formats` count events. `fields_without_values` and `malformed_format` help to explain
        why a log cannot be used.
    """
    batches = [*record_counts["batches"].values()]
    digest = digest_all(batches)
    max_listed_pages = data_processing.max_listed_pages
    time_formats = _count_values(event_counts, "time_format", F.sum("events"), max_listed_pages)
    if len(time_formats) > 1:
        logger.warning(
            "The log has several time formats: %s. If only one is right, set "
            "data_processing.time_format",
            ", ".join(f"{name} ({events:,} events)" for name, events in time_formats.items()),
        )
    rejections = merge_rejections(batches, data_processing.examples_per_rejection)
    if IMPOSSIBLE_LEVEL in rejections:
        rejections[IMPOSSIBLE_LEVEL]["values"] = _count_unknown_plans(checked_events)
    rejections |= _count_duplicates(repeated_events, data_processing.examples_per_rejection)
    lines = digest["lines"]
    rejected = sum(counts["lines"] for counts in rejections.values())
    without_user = rejections.get(NO_USER, {"lines": 0})["lines"]
    rejected_share = (rejected - without_user) / max(lines - without_user, 1)
    is_unusable = rejected == lines or rejected_share > data_processing.max_rejected_share
    return {
        **_describe_source(digest, raw_events.simulation_record),
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
        "files_to_clean": len(files_to_clean["files"]),
        "unknown_columns": merge_unknown_columns(batches, data_processing.max_unknown_columns),
        "unknown_columns_share": data_processing.unknown_columns_share,
        "users": page_counts.select("user_id").distinct().count(),
        **_find_span(event_counts),
        "pages": _count_values(event_counts, "page", F.sum("events"), max_listed_pages),
        "levels": _count_values(
            event_counts, "level", F.sum("events"), len(data_processing.levels)
        ),
        "time_formats": time_formats,
    }


def _describe_source(digest: LogDigest, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether a log is the simulated one that the record describes."""
    is_simulated = bool(record) and record["log"] == digest
    return {
        "source": "simulated" if is_simulated else "provided",
        "simulation": {name: record[name] for name in SIMULATION} if is_simulated else {},
    }


def _find_span(event_counts: DataFrame) -> dict[str, str | None]:
    """Return the times of the first and the last event."""
    span = collect_one_row(
        event_counts.agg(
            F.min(F.unix_micros("first_ts")).alias("first"),
            F.max(F.unix_micros("last_ts")).alias("last"),
        )
    )
    return {
        "first_event": _format_utc(span["first"]),
        "last_event": _format_utc(span["last"]),
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


def select_events(
    checked_events: DataFrame,
    repeated_events: DataFrame,
    data_quality: dict[str, Any],
    data_processing: DataProcessingParameters,
) -> DataFrame:
    """Return the accepted records, one row per event.

    A view on the saved tables, not a second copy on disk.

    Raises:
        LogError: if too many records of the log were rejected.
    """
    require_usable_log(data_quality)
    events = complete_events(checked_events, repeated_events, data_processing)
    return events.select(*EVENTS.columns)


def complete_events(
    checked_events: DataFrame,
    repeated_events: DataFrame,
    parameters: DataProcessingParameters,
) -> DataFrame:
    """Return the log's events, with the sessions and levels that the log lacks.

    They are derived from all events of a customer.
    """
    events = drop_duplicates(checked_events, repeated_events)
    if parameters.lacks("sessionId"):
        events = assign_sessions(events, parameters.session_gap_minutes)
    if parameters.lacks("level"):
        events = assign_levels(events, parameters.plan_pages)
    return events


def drop_duplicates(checked_events: DataFrame, repeated_events: DataFrame) -> DataFrame:
    """Return the log's events: its accepted records without duplicates."""
    columns = [*EVENTS.columns, "time_format"]
    repeated = F.broadcast(repeated_events.select(*COPY_KEY).distinct())
    unique = _select_accepted(checked_events).join(repeated, on=[*COPY_KEY], how="left_anti")
    return unique.select(*columns).unionByName(repeated_events.select(*columns))


def _select_accepted(checked_events: DataFrame) -> DataFrame:
    return checked_events.where("rejection is null")


def _count_values(rows: DataFrame, column: str, count: Column, limit: int) -> dict[str, int]:
    """Return a count for each value of a column, the most frequent first."""
    counts = rows.groupBy(column).agg(count.alias("number"))
    listed = counts.orderBy(F.desc("number"), column).limit(limit)
    return {row[column]: row["number"] for row in listed.collect()}


def _count_unknown_plans(checked_events: DataFrame) -> dict[str, int]:
    rejected = checked_events.where(F.col("rejection") == IMPOSSIBLE_LEVEL)
    return _count_values(rejected, "level", F.count("*"), MAX_UNKNOWN_PLANS)


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
