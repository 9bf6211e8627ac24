"""Records that a log holds more than once."""

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.schemas import EVENTS
from sparkify.spark.functions import collect_one_row

DUPLICATE = "duplicate"


def drop_copies(checked_events: DataFrame, repeated_events: DataFrame) -> DataFrame:
    """Return the log's events: its accepted records, one of those that are equal."""
    columns = [*EVENTS.columns, "time_format"]
    repeated_hashes = F.broadcast(repeated_events.select("record_hash").distinct())
    once = accept(checked_events).join(repeated_hashes, on="record_hash", how="left_anti")
    return once.select(*columns).unionByName(repeated_events.select(*columns))


def accept(checked_events: DataFrame) -> DataFrame:
    """Return the records that were not rejected, copies among them."""
    return checked_events.where("rejection is null")


def count_copies(repeated_events: DataFrame, examples: int) -> dict[str, dict[str, Any]]:
    """Count all but one of equal records as duplicates, and show a few of the events."""
    (copies,) = collect_one_row(repeated_events.agg(F.sum(F.col("copies") - 1)))
    if not copies:
        return {}
    event = F.to_json(F.struct(*EVENTS.columns)).alias("event")
    shown = repeated_events.where("copies > 1").orderBy("record_hash").select(event).limit(examples)
    return {DUPLICATE: {"lines": copies, "examples": [row["event"] for row in shown.collect()]}}
