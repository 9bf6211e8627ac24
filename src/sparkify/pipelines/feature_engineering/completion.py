"""Sessions and levels of events without them."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from sparkify.pipelines.data_processing.parameters import Level


def assign_sessions(events: DataFrame, gap_minutes: int) -> DataFrame:
    """Return the events with a session each: a new one begins after a pause of the customer.

    Args:
        events: one row per event; `session_id` is null where the log names no session.
        gap_minutes: the longest pause within a session, between events without one.

    Returns:
        The same rows. The name of such a session is "since" and the milliseconds since 1970 of its
        first event.
    """
    has_none = F.col("session_id").isNull()
    in_time = _in_time("user_id", has_none)
    earlier = F.lag("ts").over(in_time)
    pause = F.unix_micros("ts") - F.unix_micros(earlier)
    begins = F.coalesce(pause > gap_minutes * 60_000_000, F.lit(True))
    began = F.max(F.when(begins, F.unix_millis("ts"))).over(in_time)
    name = F.concat(F.lit("since "), began.cast("string"))
    return events.withColumn("session_id", F.coalesce("session_id", F.when(has_none, name)))


def assign_levels(events: DataFrame, plan_pages: Mapping[Level, tuple[str, ...]]) -> DataFrame:
    """Return the events with a level each: that of the customer's last change of plan.

    Args:
        events: one row per event; `level` is null where the log names none.
        plan_pages: by level, the pages that lead to it. The event on such a page still has the
            level before it.

    Returns:
        The same rows. Before a customer's first change the level is the other one. Customers
        without a change are on the free level if a page leads to the paid one, else on the paid.
    """
    changed_to = F.lit(None).cast("string")
    for level, pages in plan_pages.items():
        changed_to = F.when(F.col("page").isin(*pages), level).otherwise(changed_to)
    in_time = _in_time("user_id")
    before = in_time.rowsBetween(Window.unboundedPreceding, -1)
    from_here = in_time.rowsBetween(Window.currentRow, Window.unboundedFollowing)
    last_change = F.last(changed_to, ignorenulls=True).over(before)
    next_change = F.first(changed_to, ignorenulls=True).over(from_here)
    before_next = F.when(next_change == "free", "paid").when(next_change == "paid", "free")
    default = F.lit("free" if plan_pages.get("paid") else "paid")
    return events.withColumn("level", F.coalesce("level", last_change, before_next, default))


def _in_time(*keys: str | Column) -> WindowSpec:
    """Return the window of a customer's events, sorted by time."""
    return Window.partitionBy(*keys).orderBy("ts", "item_in_session", "page")
