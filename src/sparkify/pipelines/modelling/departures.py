"""When customers leave: person-periods from training snapshots, and the curve fitted to them."""

from datetime import date
from functools import reduce
from typing import Any

from pyspark.ml import PipelineModel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.ml.calibration import UNCALIBRATED, build_calibration_stages
from sparkify.ml.hazard_model import count_person_periods, fit_leaving_curve, risk_of
from sparkify.ml.leaving_curve import LeavingCurve
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import KEYS


def get_first_day(feature_engineering: FeatureEngineeringParameters) -> int:
    """Return the first day on which a customer can leave; 1 is the day of the cutoff.

    With `inactivity`, a customer has left when the horizon has passed without an event, so not
    before its last day.
    """
    is_inactivity = feature_engineering.outcome == "inactivity"
    return feature_engineering.horizon_days if is_inactivity else 1


def find_departures(
    customers: DataFrame,
    user_days: DataFrame,
    log_end: date,
    feature_engineering: FeatureEngineeringParameters,
) -> DataFrame:
    """Add the day on which each customer leaves, and the days for which the customer is observed.

    With `inactivity`, customers leave on the last day of the first `horizon_days` without an event.

    Args:
        customers: one row per user and cutoff.
        user_days: one row per user and UTC day.
        log_end: the day from which nothing is known.
        feature_engineering: the outcome and the horizon.

    Returns:
        The same rows with `left_on_day` and `follow_up_days`. Day 1 is that of the cutoff; null is
        a customer not seen to leave. A follow-up is from the cutoff to `log_end`.
    """
    has_outcome = [F.col(name) > 0 for name in feature_engineering.outcome_columns]
    days = user_days.where(F.col("day") < F.lit(log_end))
    if has_outcome:
        days = days.where(reduce(Column.__or__, has_outcome))
    keys = customers.select(*KEYS)
    number = F.date_diff("day", "cutoff") + 1
    later = keys.join(days.select("user_id", "day"), on="user_id", how="inner").where(number > 0)
    numbers = later.groupBy(*KEYS).agg(F.collect_set(number).alias("day_numbers"))
    follow_up = F.date_diff(F.lit(log_end), "cutoff").alias("follow_up_days")
    joined = customers.join(numbers, on=KEYS, how="left").select("*", follow_up)
    day_numbers = F.coalesce("day_numbers", F.array().cast("array<int>"))
    if has_outcome:
        left_on_day = F.array_min(day_numbers)
    else:
        left_on_day = _find_end_of_silence(day_numbers, feature_engineering.horizon_days)
    return joined.withColumn("left_on_day", left_on_day).drop("day_numbers")


def _find_end_of_silence(active_days: Column, silent_days: int) -> Column:
    """Return the last day of the first so many days without an event; null if the log ends first.

    A silence begins at the cutoff or after a day with events.
    """
    ends = F.transform(F.array_union(F.array(F.lit(0)), active_days), lambda day: day + silent_days)
    is_silent = F.filter(
        ends,
        lambda end: (
            (end <= F.col("follow_up_days"))
            & ~F.exists(active_days, lambda day: (day > end - silent_days) & (day <= end))
        ),
    )
    return F.array_min(is_silent)


def forecast_out_of_fold(
    out_of_fold_predictions: DataFrame, trial: int, calibration: dict[str, Any]
) -> DataFrame:
    """Return a trial's out-of-fold predictions, calibrated: one `probability` per user and cutoff.

    If cross-validation was repeated, these are from its first repeat.
    """
    is_used = (F.col("trial") == trial) & (F.col("repeat") == 0)
    rows = out_of_fold_predictions.where(is_used).withColumnRenamed("probability", UNCALIBRATED)
    stages = build_calibration_stages(
        rows.sparkSession, calibration["method"], calibration["parameters"]
    )
    return PipelineModel(stages).transform(rows).select(*KEYS, "probability")


def learn_leaving_curve(
    forecasts: DataFrame,
    user_days: DataFrame,
    log_end: date,
    max_days: int,
    prior: float,
    feature_engineering: FeatureEngineeringParameters,
) -> LeavingCurve:
    """Fit the course of leaving to customers with a forecast.

    Args:
        forecasts: one row per training snapshot, with a `probability` from other users' outcomes.
        user_days: one row per user and UTC day.
        log_end: the day from which nothing is known.
        max_days: days after the cutoff that count, at least the horizon.
        prior: L2 penalty on the standardised coefficients, times the number of departures.
        feature_engineering: the outcome and the horizon.
    """
    departures = find_departures(forecasts, user_days, log_end, feature_engineering)
    horizon_days, first_day = feature_engineering.horizon_days, get_first_day(feature_engineering)
    counts = count_person_periods(
        departures.withColumn("risk", risk_of(F.col("probability"))),
        first_day,
        max(max_days, horizon_days),
    ).cache()
    try:
        return fit_leaving_curve(counts, horizon_days, first_day, prior)
    finally:
        counts.unpersist()
