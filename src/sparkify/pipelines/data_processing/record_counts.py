"""Count the records of each batch, and describe the events of each day by a digest."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.schemas import CHECKED_RECORDS
from sparkify.spark.checksums import LogDigest, add_hash_halves, sum_hash_halves

Counts = dict[str, Any]


def count_batches(
    checked_events: DataFrame, batches: list[int], parameters: DataProcessingParameters
) -> dict[int, Counts]:
    """Return the counts of some batches.

    Returns:
        By batch: `lines` and `hash_sum` of its records; the `days` of its events, with their
        number and the sum of their hashes; `rejections`: by first reason, the `lines` and some
        `examples` with their hashes, the smallest hashes first; and `unknown_columns`.
    """
    counts: dict[int, Counts] = {
        batch: {"lines": 0, "hash_sum": 0, "days": {}, "rejections": {}, "unknown_columns": []}
        for batch in batches
    }
    if not batches:
        return counts
    rows = checked_events.where(F.col("batch").isin(batches))
    for group in _sum_records(rows, parameters).collect():
        one = counts[group["batch"]]
        one["lines"] += group["lines"]
        one["hash_sum"] += add_hash_halves(group)
        if group["rejection"] is not None:
            rejection = {"lines": 0, "examples": []}
            one["rejections"].setdefault(group["rejection"], rejection)["lines"] += group["lines"]
        else:
            content = str(add_hash_halves(group["content"]))
            one["days"][group["day"].isoformat()] = [group["lines"], content]
    for one in counts.values():
        one["hash_sum"] = str(one["hash_sum"])
    for row in _select_examples(rows, parameters.examples_per_rejection).collect():
        examples = [[pair["hash"], pair["line"]] for pair in row["examples"]]
        counts[row["batch"]]["rejections"][row["rejection"]]["examples"] = examples
    for row in _list_unknown_columns(rows, parameters).collect():
        counts[row["batch"]]["unknown_columns"].append(row["key"])
    return counts


def _sum_records(rows: DataFrame, parameters: DataProcessingParameters) -> DataFrame:
    """Return the number of records and sums of hashes by batch, rejection and day."""
    content: Column = F.col("record_hash")
    if parameters.needs_files:  # equal texts in different files may be different events
        content = F.xxhash64(*CHECKED_RECORDS.columns[: CHECKED_RECORDS.columns.index("line")])
    is_event = F.col("rejection").isNull()
    day = F.when(is_event, F.to_date("ts")).alias("day")
    return (
        rows.select("batch", "rejection", day, "record_hash", content.alias("content"))
        .groupBy("batch", "rejection", "day")
        .agg(
            F.count("*").alias("lines"),
            *sum_hash_halves(F.col("record_hash")),
            F.struct(*sum_hash_halves(F.col("content"))).alias("content"),
        )
    )


def _select_examples(rows: DataFrame, examples: int) -> DataFrame:
    """Return a few rejected records by batch and rejection.

    A hash selects the examples, so they do not depend on the order of records.
    """
    rejected = rows.where("rejection is not null").select(
        "batch", "rejection", F.xxhash64("line").alias("hash"), "line"
    )
    by_hash = Window.partitionBy("batch", "rejection").orderBy("hash", "line")
    return (
        rejected.withColumn("place", F.row_number().over(by_hash))
        .where(F.col("place") <= examples)
        .groupBy("batch", "rejection")
        .agg(F.array_sort(F.collect_list(F.struct("hash", "line"))).alias("examples"))
    )


def _list_unknown_columns(rows: DataFrame, parameters: DataProcessingParameters) -> DataFrame:
    """Return the first keys in alphabetical order; a malformed log may have millions."""
    shortened = F.substring("key", 1, parameters.max_line_characters).alias("key")
    keys = (
        rows.where("unknown_columns is not null")
        .select("batch", F.explode("unknown_columns").alias("key"))
        .select("batch", shortened)
        .distinct()
    )
    by_key = Window.partitionBy("batch").orderBy("key")
    first = keys.withColumn("place", F.row_number().over(by_key))
    return first.where(F.col("place") <= parameters.max_unknown_columns).orderBy("batch", "key")


def digest_days(batches: list[Counts], settings: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest of the events of each UTC day; equal events have an equal digest.

    Args:
        batches: the counts of all batches.
        settings: what decides how records are read.
    """
    lines: dict[str, int] = defaultdict(int)
    sums: dict[str, int] = defaultdict(int)
    for counts in batches:
        for day, (number, hash_sum) in counts["days"].items():
            lines[day] += number
            sums[day] += int(hash_sum)
    read_by = json.dumps(settings, sort_keys=True)
    return {
        day: hashlib.sha256(f"{lines[day]} {sums[day]} {read_by}".encode()).hexdigest()
        for day in sorted(lines)
    }


def digest_all(batches: list[Counts]) -> LogDigest:
    """Return the digest of all records."""
    return LogDigest(
        lines=sum(counts["lines"] for counts in batches),
        hash_sum=str(sum(int(counts["hash_sum"]) for counts in batches)),
    )


def merge_rejections(batches: list[Counts], examples: int) -> dict[str, dict[str, Any]]:
    """Return the number of rejected `lines` by reason, with a few `examples`."""
    merged: dict[str, dict[str, Any]] = {}
    for counts in batches:
        for reason, rejection in counts["rejections"].items():
            one = merged.setdefault(reason, {"lines": 0, "examples": []})
            one["lines"] += rejection["lines"]
            one["examples"] += rejection["examples"]
    return {
        reason: {
            "lines": one["lines"],
            "examples": sorted(line for _, line in sorted(one["examples"])[:examples]),
        }
        for reason, one in merged.items()
    }


def merge_unknown_columns(batches: list[Counts], limit: int) -> list[str]:
    """Return the first unknown keys of all batches in alphabetical order."""
    return sorted({key for counts in batches for key in counts["unknown_columns"]})[:limit]
