"""Retention: the share of customers who have not cancelled, by the week of their sign-up."""

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

EARLIER = "earlier"  # sign-up weeks before the newest ones
COLUMNS = ["signed_up", "weeks", "customers", "retained"]


def count_retained(
    user_days: DataFrame, first_day: date, log_end: date, cohorts: int, weeks: Sequence[int]
) -> pd.DataFrame:
    """Count the customers who have not cancelled some weeks after they were first observable.

    A customer is observable from the sign-up or from the log's first day, whichever is later. The
    log does not have those who cancelled before it.

    Args:
        user_days: one row per user and UTC day.
        first_day: the log's first day.
        log_end: the day after the last full day.
        cohorts: number of sign-up weeks, the newest; customers of earlier weeks are one cohort.
        weeks: after how many weeks the customers are counted.

    Returns:
        One row per `signed_up` and `weeks`: the `customers` who are observable for so long, and how
        many of them are `retained`. `signed_up` is the Monday of the week, or "earlier". Users
        without a time of registration are left out.
    """
    start = F.greatest(F.to_date(F.min("registration")), F.lit(first_day)).alias("start")
    week = F.to_date(F.date_trunc("week", F.min("registration"))).alias("week")
    cancelled_on = F.min(F.when(F.col("cancellations") > 0, F.col("day"))).alias("cancelled_on")
    users = user_days.groupBy("user_id").agg(start, week, cancelled_on).where("week IS NOT NULL")
    oldest = log_end - timedelta(days=log_end.weekday() + 7 * (cohorts - 1))
    is_recent = F.col("week") >= F.lit(oldest)
    signed_up = F.when(is_recent, F.col("week").cast("string")).otherwise(EARLIER)
    is_retained = F.col("cancelled_on").isNull() | (F.col("cancelled_on") >= F.col("end"))
    rows: pd.DataFrame = (
        users.withColumn("weeks", F.explode(F.array(*map(F.lit, weeks))))
        .withColumn("end", F.date_add("start", 7 * F.col("weeks")))
        .where(F.col("end") <= F.lit(log_end))
        .groupBy(signed_up.alias("signed_up"), "weeks")
        .agg(F.count("*").alias("customers"), F.count_if(is_retained).alias("retained"))
        .toPandas()
    )
    return rows[COLUMNS].sort_values(COLUMNS[:2], ignore_index=True)
