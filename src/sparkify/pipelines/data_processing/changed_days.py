"""Select the days or weeks of a table that have changed since it was made."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def digest_texts(texts: Iterable[str]) -> str:
    """Return a digest of texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def digest_weeks(digests: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest for each week, of all days up to its end.

    Args:
        digests: the digest of each day, as ISO 8601.
        settings: what else the table depends on.

    Returns:
        The digests by the Monday of each week, as ISO 8601.
    """
    weeks = {}
    digest = digest_texts([json.dumps(settings, sort_keys=True)])
    for day in sorted(digests):
        digest = digest_texts([digest, digests[day]])
        date_of_day = date.fromisoformat(day)
        weeks[(date_of_day - timedelta(days=date_of_day.weekday())).isoformat()] = digest
    return weeks


def plan_partitions(digests: Mapping[str, str], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the days or weeks that a table has after this run, and which of them to make.

    Args:
        digests: the digest of each partition, by its date (a day or a Monday) as ISO 8601.
        manifest: of the table; empty before the first run.

    Returns:
        All arguments of a `PartitionUpdate` but the rows.
    """
    earlier = manifest.get("partitions", {})
    partitions = {key: {"digest": digest} for key, digest in digests.items()}
    written = [key for key, made_from in partitions.items() if earlier.get(key) != made_from]
    return {"written": written, "partitions": partitions, "about": {}}


def select_days(events: DataFrame, update: Mapping[str, Any]) -> DataFrame:
    """Return the events of the days to make; all of them if these are all days.

    Spark skips files by the first and last `ts` in them, so days in a row are one range.
    """
    if update["written"] == [*update["partitions"]]:
        return events
    spans: list[tuple[date, date]] = []
    for day in map(date.fromisoformat, sorted(update["written"])):
        after = day + timedelta(days=1)
        first = spans.pop()[0] if spans and spans[-1][1] == day else day
        spans.append((first, after))
    is_selected = (_is_between(*span) for span in spans)
    return events.where(reduce(Column.__or__, is_selected, F.lit(False)))


def _is_between(first: date, after: date) -> Column:
    ts = F.col("ts")
    return (ts >= F.lit(first).cast("timestamp")) & (ts < F.lit(after).cast("timestamp"))
