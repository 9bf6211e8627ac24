"""List the cutoffs of a log, and its customers at each cutoff."""

from datetime import date, timedelta
from functools import reduce
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.errors import TooLittleDataError, UserError
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import KEYS


class LogTooShortError(TooLittleDataError):
    """The log is too short for the first forecast."""


class LogGapError(UserError):
    """The log has more days in a row without any event than allowed."""


def list_cutoffs(
    first_day: date, log_end: date, parameters: FeatureEngineeringParameters
) -> list[date]:
    """Return the cutoffs of a log, one step apart, the latest (the hold-out's) first.

    Args:
        first_day: the first day with events.
        log_end: the day after the last full day.
        parameters: the horizon, the step and the shortest history.

    Raises:
        LogTooShortError: if the log is too short for a history and a horizon.
    """
    earliest = first_day + timedelta(days=parameters.min_history_days)
    holdout = log_end - timedelta(days=parameters.horizon_days)
    if holdout < earliest:
        raise LogTooShortError(
            f"events span {first_day} to {log_end}: too short for {parameters.min_history_days} "
            f"days of history (feature_engineering.min_history_days) and a horizon of "
            f"{parameters.horizon_days} days (feature_engineering.horizon_days). Use a longer log."
        )
    steps = (holdout - earliest).days // parameters.cutoff_step_days
    return [
        holdout - timedelta(days=step * parameters.cutoff_step_days) for step in range(steps + 1)
    ]


def find_log_span(
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
        raise LogTooShortError(
            "events has no rows: every record of the log was rejected. See data_quality."
        )
    _require_no_gap(span["days"], feature_engineering.max_gap_days)
    return span["days"][0], span["log_end"]


def _require_no_gap(days: list[date], max_days: int) -> None:
    for earlier, later in pairwise(days):
        if (later - earlier).days - 1 > max_days:
            raise LogGapError(
                f"events: no event between {earlier} and {later}. Wrong timestamps? Set the true "
                f"span by data_processing.earliest_event and latest_event. A real outage? Raise "
                f"feature_engineering.max_gap_days."
            )


def list_customers(
    user_days: DataFrame, days: list[date], feature_engineering: FeatureEngineeringParameters
) -> DataFrame:
    """Return the customers at each cutoff: one row per user and cutoff.

    A customer has events before the cutoff, and the last one is not a cancellation; with
    `returning_customers: final`, none is. With the outcome `downgrade`, the user is on the paid
    level; with `inactivity`, an event is in the last `active_within_days`.
    """
    return _select_customers(user_days, days, feature_engineering).select(*KEYS)


def label_customers(
    user_days: DataFrame, days: list[date], feature_engineering: FeatureEngineeringParameters
) -> DataFrame:
    """Return the customers at each cutoff, with the label `churned`.

    `churned` is whether the outcome happens in [cutoff, cutoff + horizon); with `inactivity`,
    whether there is no event. Every horizon must end within the log.
    """
    end = F.date_add("cutoff", feature_engineering.horizon_days)
    happens = F.exists("outcome_days", lambda day: (day >= F.col("cutoff")) & (day < end))
    churned = ~happens if feature_engineering.outcome == "inactivity" else happens
    customers = _select_customers(user_days, days, feature_engineering)
    return customers.select(*KEYS, churned.alias("churned"))


def _select_customers(
    user_days: DataFrame, days: list[date], feature_engineering: FeatureEngineeringParameters
) -> DataFrame:
    """Return the customers at each cutoff, with `outcome_days`: all days that can set the label."""
    outcomes = [F.col(name) > 0 for name in feature_engineering.outcome_columns]
    has_outcome = reduce(Column.__or__, outcomes) if outcomes else F.lit(True)
    users = user_days.groupBy("user_id").agg(
        F.min("day").alias("first_day"),
        F.min(F.when(F.col("cancellations") > 0, F.col("day"))).alias("cancelled_on"),
        F.collect_list(F.when(has_outcome, F.col("day"))).alias("outcome_days"),
        F.array_sort(F.collect_list(F.struct("day", "level", "ends_cancelled"))).alias("days"),
    )
    cutoff = F.explode(F.array(*[F.lit(day) for day in sorted(days)])).alias("cutoff")
    before = F.filter("days", lambda day: day["day"] < F.col("cutoff"))
    last_day = F.try_element_at(before, F.lit(-1))
    if feature_engineering.returning_customers == "return":
        is_customer = ~last_day["ends_cancelled"]
    else:
        is_customer = F.col("cancelled_on").isNull() | (F.col("cancelled_on") >= F.col("cutoff"))
    can_have_outcome = F.lit(True)
    if feature_engineering.outcome == "downgrade":
        can_have_outcome = last_day["level"] == "paid"
    elif feature_engineering.outcome == "inactivity":
        active_from = F.date_sub("cutoff", feature_engineering.active_within_days)
        can_have_outcome = last_day["day"] >= active_from
    return (
        users.select("*", cutoff)
        .where(F.col("first_day") < F.col("cutoff"))
        .where(is_customer & can_have_outcome)
    )


def find_last_known(customers: DataFrame, user_days: DataFrame, column: str) -> DataFrame:
    """Return the last known value of a column of `user_days` before the cutoff of each customer.

    One row per user and cutoff; none for a customer without a known value.
    """
    known = user_days.where(F.col(column).isNotNull()).select("user_id", "day", column)
    before = customers.select(*KEYS).join(known, on="user_id", how="inner").where("day < cutoff")
    return before.groupBy(*KEYS).agg(F.max_by(column, "day").alias(column))
