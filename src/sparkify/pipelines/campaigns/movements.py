"""Movements of customers between active, quiet, returned and cancelled, week by week."""

from datetime import date, timedelta

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters

NEW, ACTIVE, RETURNED, QUIET, CANCELLED = STATES = (
    *("new", "active", "returned", "quiet", "cancelled"),
)
STEP_DAYS = 7
KEYS = ["week_end", "level", "before", "now"]


def list_week_ends(
    first_day: date, log_end: date, silent_after_days: int, weeks: int
) -> list[date]:
    """Return the days that weeks end before, the last of them the log's end.

    At most `weeks` + 1. The first is at least `silent_after_days` after the log's first day: before
    that, no customer can be quiet.
    """
    earliest = first_day + timedelta(days=silent_after_days)
    ends = [log_end - timedelta(days=STEP_DAYS * step) for step in range(weeks + 1)]
    return sorted(end for end in ends if end >= earliest)


def count_steps(
    user_days: DataFrame,
    week_ends: list[date],
    silent_after_days: int,
    feature_engineering: FeatureEngineeringParameters,
) -> pd.DataFrame:
    """Count the customers by their state before and after each week, and by level.

    A state follows from the events before a moment. Cancelled: the last event is a cancellation
    (with `returning_customers: final`, any event is). Quiet: no event for more than
    `silent_after_days`. Otherwise the customer is active. A customer first seen in the week was
    `new` before it. One who is active and was quiet or cancelled before has `returned`.

    Returns:
        One row per `week_end`, `level`, `before` and `now`, with `customers`.
    """
    if len(week_ends) < 2:
        return pd.DataFrame(columns=[*KEYS, "customers"])
    week_end = F.explode(F.array(*map(F.lit, week_ends))).alias("week_end")
    ever_cancelled = F.max(F.col("cancellations") > 0)
    last = F.max_by(F.struct("level", "ends_cancelled"), "day")
    histories = (
        user_days.select("user_id", "day", "level", "ends_cancelled", "cancellations", week_end)
        .where(F.col("day") < F.col("week_end"))
        .groupBy("user_id", "week_end")
        .agg(F.max("day").alias("last_day"), last.alias("last"), ever_cancelled.alias("ever"))
    )
    is_final = feature_engineering.returning_customers == "final"
    is_cancelled = F.col("ever") if is_final else F.col("last.ends_cancelled")
    is_quiet = F.col("last_day") < F.date_sub("week_end", silent_after_days)
    state = F.when(is_cancelled, CANCELLED).when(is_quiet, QUIET).otherwise(ACTIVE)
    in_time = Window.partitionBy("user_id").orderBy("week_end")
    states = histories.select("user_id", "week_end", F.col("last.level"), state.alias("state"))
    before = F.coalesce(F.lag("state").over(in_time), F.lit(NEW))
    steps = states.withColumn("before", before).where(F.col("week_end") > F.lit(week_ends[0]))
    counts = steps.groupBy("week_end", "level", "before", _name_returned().alias("now")).count()
    rows: pd.DataFrame = counts.withColumnRenamed("count", "customers").toPandas()
    return rows.sort_values(KEYS, ignore_index=True)


def _name_returned() -> Column:
    is_back = F.col("before").isin(QUIET, CANCELLED) & (F.col("state") == ACTIVE)
    return F.when(is_back, RETURNED).otherwise(F.col("state"))
