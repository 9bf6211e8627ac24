"""Derive sessions and levels for logs without them."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from sparkify.pipelines.data_processing.parameters import Level


def assign_sessions(events: DataFrame, gap_minutes: int) -> DataFrame:
    """Return events with sessions: a new session begins after a pause of the customer.

    Args:
        events: one row per event; `session_id` is null if the log has none.
        gap_minutes: the longest pause within a session.

    Returns:
        The same rows. A new session ID is "since" and the first event's milliseconds since 1970.
    """
    is_missing = F.col("session_id").isNull()
    by_time = _order_by_time("user_id", is_missing)
    previous = F.lag("ts").over(by_time)
    pause = F.unix_micros("ts") - F.unix_micros(previous)
    is_first = F.coalesce(pause > gap_minutes * 60_000_000, F.lit(True))
    start = F.max(F.when(is_first, F.unix_millis("ts"))).over(by_time)
    session_id = F.concat(F.lit("since "), start.cast("string"))
    return events.withColumn("session_id", F.coalesce("session_id", F.when(is_missing, session_id)))


def assign_levels(events: DataFrame, plan_pages: Mapping[Level, tuple[str, ...]]) -> DataFrame:
    """Return events with levels: the level after the customer's last change of plan.

    Args:
        events: one row per event; `level` is null if the log has none.
        plan_pages: by level, the pages that start it. The event on such a page still has the
            previous level.

    Returns:
        The same rows. Before the first change, a customer has the opposite level. Customers without
        a change are free if a page starts the paid level, else paid.
    """
    changed_to = F.lit(None).cast("string")
    for level, pages in plan_pages.items():
        changed_to = F.when(F.col("page").isin(*pages), level).otherwise(changed_to)
    by_time = _order_by_time("user_id")
    before = by_time.rowsBetween(Window.unboundedPreceding, -1)
    from_here = by_time.rowsBetween(Window.currentRow, Window.unboundedFollowing)
    last_change = F.last(changed_to, ignorenulls=True).over(before)
    next_change = F.first(changed_to, ignorenulls=True).over(from_here)
    before_next = F.when(next_change == "free", "paid").when(next_change == "paid", "free")
    default = F.lit("free" if plan_pages.get("paid") else "paid")
    return events.withColumn("level", F.coalesce("level", last_change, before_next, default))


def _order_by_time(*keys: str | Column) -> WindowSpec:
    """Return the window of a customer's events, sorted by time."""
    return Window.partitionBy(*keys).orderBy("ts", "item_in_session", "page")
