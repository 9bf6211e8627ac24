"""The moments that are looked at, and who was a customer then."""

from datetime import date, timedelta
from functools import reduce
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.errors import TooLittleDataError, UserError
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import KEYS


class LogTooShortError(TooLittleDataError):
    """The log does not span the days that the first forecast needs."""


class LogGapError(UserError):
    """The log has days without any event, more of them in a row than can be."""


def cutoffs(first_day: date, log_end: date, parameters: FeatureEngineeringParameters) -> list[date]:
    """List the cutoffs of a log, the hold-out's first, then weekly backwards.

    Args:
        first_day: the first day with events.
        log_end: the day after the last full day.
        parameters: the horizon, the step and the shortest history.

    Raises:
        LogTooShortError: if the log has room for no cutoff.
    """
    earliest = first_day + timedelta(days=parameters.min_history_days)
    holdout = log_end - timedelta(days=parameters.horizon_days)
    if holdout < earliest:
        raise LogTooShortError(
            f"events span {first_day} to {log_end}: no room for {parameters.min_history_days} "
            f"days of history (feature_engineering.min_history_days) and a horizon of "
            f"{parameters.horizon_days} days (feature_engineering.horizon_days)."
        )
    steps = (holdout - earliest).days // parameters.cutoff_step_days
    return [
        holdout - timedelta(days=step * parameters.cutoff_step_days) for step in range(steps + 1)
    ]


def log_span(
    user_days: DataFrame, feature_engineering: FeatureEngineeringParameters
) -> tuple[date, date]:
    """Return the first day with events, and the day after the last full day.

    Raises:
        LogTooShortError: if there are no events.
        LogGapError: if too many days in a row have no event.
    """
    tolerance_seconds = feature_engineering.log_end_tolerance_hours * 3_600
    tolerance = F.make_dt_interval(secs=F.lit(tolerance_seconds).cast("decimal(18,6)"))
    span = user_days.agg(
        F.to_date(F.max("last_ts") + tolerance).alias("log_end"),
        F.array_sort(F.collect_set("day")).alias("days"),
    ).first()
    if span is None or not span["days"]:
        raise LogTooShortError("events holds no rows: every line of the log was rejected.")
    _refuse_gaps(span["days"], feature_engineering.most_days_without_events)
    return span["days"][0], span["log_end"]


def _refuse_gaps(days: list[date], most: int) -> None:
    for earlier, later in pairwise(days):
        if (later - earlier).days - 1 > most:
            raise LogGapError(
                f"events: none between {earlier} and {later}. If a clock was wrong, set the true "
                f"span by data_processing.earliest_event and latest_event; if the service rested, "
                f"raise feature_engineering.most_days_without_events."
            )


def list_customers(
    user_days: DataFrame, days: list[date], feature_engineering: FeatureEngineeringParameters
) -> DataFrame:
    """List who was a customer at each of some cutoffs: one row per user and cutoff.

    A customer was seen before the cutoff, and the last event then was no cancellation; with
    `returning_customers: final`, the user had never cancelled before it. With the outcome
    `downgrade`, the user was on the paid level then; with `inactivity`, the user was seen in the
    last `active_within_days` before the cutoff.
    """
    return _customers(user_days, days, feature_engineering).select(*KEYS)


def label_customers(
    user_days: DataFrame, days: list[date], feature_engineering: FeatureEngineeringParameters
) -> DataFrame:
    """List the customers at each of some cutoffs, with `churned`.

    `churned` says whether the outcome is on a day from the cutoff to the end of the horizon; with
    `inactivity`, whether no event is. Every horizon has to lie inside of the log.
    """
    end = F.date_add("cutoff", feature_engineering.horizon_days)
    shows = F.exists("decisive_days", lambda day: (day >= F.col("cutoff")) & (day < end))
    churned = ~shows if feature_engineering.outcome == "inactivity" else shows
    customers = _customers(user_days, days, feature_engineering)
    return customers.select(*KEYS, churned.alias("churned"))


def _customers(
    user_days: DataFrame, days: list[date], feature_engineering: FeatureEngineeringParameters
) -> DataFrame:
    """List the customers at each cutoff, with all `decisive_days`: those that decide the label."""
    shown = [F.col(name) > 0 for name in feature_engineering.outcome_columns]
    is_decisive = reduce(Column.__or__, shown) if shown else F.lit(True)
    users = user_days.groupBy("user_id").agg(
        F.min("day").alias("first_day"),
        F.min(F.when(F.col("cancellations") > 0, F.col("day"))).alias("cancelled_on"),
        F.collect_list(F.when(is_decisive, F.col("day"))).alias("decisive_days"),
        F.array_sort(F.collect_list(F.struct("day", "level", "ends_cancelled"))).alias("days"),
    )
    cutoff = F.explode(F.array(*[F.lit(day) for day in sorted(days)])).alias("cutoff")
    before = F.filter("days", lambda seen: seen["day"] < F.col("cutoff"))
    last_day = F.try_element_at(before, F.lit(-1))
    if feature_engineering.returning_customers == "return":
        is_customer = ~last_day["ends_cancelled"]
    else:
        is_customer = F.col("cancelled_on").isNull() | (F.col("cancelled_on") >= F.col("cutoff"))
    may_have_outcome = F.lit(True)
    if feature_engineering.outcome == "downgrade":
        may_have_outcome = last_day["level"] == "paid"
    elif feature_engineering.outcome == "inactivity":
        active_from = F.date_sub("cutoff", feature_engineering.active_within_days)
        may_have_outcome = last_day["day"] >= active_from
    return (
        users.select("*", cutoff)
        .where(F.col("first_day") < F.col("cutoff"))
        .where(is_customer & may_have_outcome)
    )
