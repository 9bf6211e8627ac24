"""Sessions and levels of events whose log does not name them."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from sparkify.pipelines.data_processing.parameters import Level


def find_sessions(events: DataFrame, gap_minutes: int) -> DataFrame:
    """Give events without a session one: a new one begins after a pause of a customer's.

    Args:
        events: one row per event; `session_id` is null where the log names no session.
        gap_minutes: the longest pause within a session. Only events without a session count.

    Returns:
        The same rows. Such a session is called after the first of its events: "since" and its
        milliseconds since 1970.
    """
    is_nameless = F.col("session_id").isNull()
    in_time = _in_time("user_id", is_nameless)
    earlier = F.lag("ts").over(in_time)
    pause = F.unix_micros("ts") - F.unix_micros(earlier)
    begins = F.coalesce(pause > gap_minutes * 60_000_000, F.lit(True))
    began = F.max(F.when(begins, F.unix_millis("ts"))).over(in_time)
    name = F.concat(F.lit("since "), began.cast("string"))
    return events.withColumn("session_id", F.coalesce("session_id", F.when(is_nameless, name)))


def find_levels(events: DataFrame, plan_pages: Mapping[Level, tuple[str, ...]]) -> DataFrame:
    """Give events without a level that of the customer's last change of plan.

    Args:
        events: one row per event; `level` is null where the log names none.
        plan_pages: by level, the pages that a customer is on it after. The event on such a page
            still has the level before it.

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
    coming = F.first(changed_to, ignorenulls=True).over(from_here)
    at_first = "free" if plan_pages.get("paid") else "paid"
    found = F.coalesce(
        F.last(changed_to, ignorenulls=True).over(before), _opposite(coming), F.lit(at_first)
    )
    return events.withColumn("level", F.coalesce("level", found))


def _in_time(*keys: str | Column) -> WindowSpec:
    """Return the window of a customer's events in the order of time."""
    return Window.partitionBy(*keys).orderBy("ts", "item_in_session", "page")


def _opposite(level: Column) -> Column:
    return F.when(level == "free", "paid").when(level == "paid", "free")
