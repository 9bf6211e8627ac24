"""Fit a discrete-time hazard model: the course of curves of leaving.

A customer who has not left before a day leaves on it with a probability of 1 - exp(-hazard)
(Prentice and Gloeckler 1978). The logarithm of the hazard depends on the
customer's risk, the day and its weekday. The effect of the risk changes with time, since customers
of high risk who stay prove to be less at risk than their forecast. The model determines the course
of a curve; a classifier's probability determines its level at the horizon.
"""

from collections.abc import Sequence

from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import GeneralizedLinearRegression
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.ml.leaving_curve import WEEKDAYS, LeavingCurve
from sparkify.ml.probability_limits import MAX_PROBABILITY, MIN_PROBABILITY
from sparkify.spark.functions import collect_one_row

COUNT_KEYS = ["day", "weekday", "risk"]
DIGITS = 6  # significant digits of a coefficient; further ones depend on the processor
RISK_STEP = 10  # risks are rounded to a tenth, so that person-periods can be counted by risk


def risk_of(probability: Column) -> Column:
    """Return the logarithm of the cumulative hazard of a probability, rounded to a tenth."""
    clipped = F.greatest(F.lit(MIN_PROBABILITY), F.least(F.lit(MAX_PROBABILITY), probability))
    return F.round(F.log(-F.log1p(-clipped)) * RISK_STEP) / RISK_STEP


def count_person_periods(
    departures: DataFrame, first_day: int, days: int, keys: Sequence[str] = COUNT_KEYS
) -> DataFrame:
    """Count customers under observation, and those who leave, by day and other keys.

    Args:
        departures: one row per customer and cutoff, with `cutoff`, `left_on_day` and
            `follow_up_days`. Day 1 is that of the cutoff; null is a customer not seen to leave.
        first_day: the first day on which customers can leave.
        days: the last day to count.
        keys: `day`, and any of `weekday` (0 is Monday) and columns of `departures`.

    Returns:
        One row per combination of the keys, with the counts `at_risk` and `left`.

    Example:
        ```
        cutoff      risk  left_on_day  follow_up_days
        2018-10-01  -3.2  2            5
        2018-10-01  -3.2  null         1

        day  weekday  risk  at_risk  left
        1    0        -3.2  2        0
        2    1        -3.2  1        1
        ```
    """
    last_day = F.least(F.coalesce("left_on_day", "follow_up_days"), F.lit(days))
    observed = departures.withColumn("last_day", last_day).where(F.col("last_day") >= first_day)
    day = F.explode(F.sequence(F.lit(first_day), "last_day")).alias("day")
    periods = observed.select("*", day)
    weekday = F.weekday(F.date_add("cutoff", F.col("day") - 1))
    return (
        periods.withColumn("weekday", weekday)
        .groupBy(*keys)
        .agg(
            F.count("*").alias("at_risk"),
            F.count_if(F.col("left_on_day") == F.col("day")).alias("left"),
        )
    )


def fit_leaving_curve(
    counts: DataFrame, horizon_days: int, first_day: int, prior: float
) -> LeavingCurve:
    """Fit the course of leaving to counted person-periods.

    Args:
        counts: as `count_person_periods` returns them; at least one customer leaves.
        horizon_days: the day on which a curve has the classifier's probability.
        first_day: the first day on which customers can leave.
        prior: L2 penalty on the standardised coefficients, times the number of departures.
    """
    log_day = F.log(F.col("day") - (first_day - 1))
    terms = {"log_day": log_day, "risk_by_log_day": F.col("risk") * log_day}
    if first_day > 1:
        is_first = (F.col("day") == first_day).cast("double")
        terms |= {"is_first": is_first, "risk_by_is_first": F.col("risk") * is_first}
    weekdays = [f"weekday_{number}" for number in range(1, WEEKDAYS)]
    terms |= {
        name: (F.col("weekday") == number).cast("double")
        for number, name in enumerate(weekdays, start=1)
    }
    totals = collect_one_row(counts.agg(F.sum("left"), F.max("day"), F.min("risk"), F.max("risk")))
    left, days, min_risk, max_risk = totals
    names = ["risk", *terms]
    rows = (
        counts.coalesce(1)
        .sortWithinPartitions(*COUNT_KEYS)
        .withColumns({**terms, "share": F.col("left") / F.col("at_risk")})
    )
    assembled = VectorAssembler(inputCols=names, outputCol="inputs").transform(rows)
    regression = GeneralizedLinearRegression(
        family="binomial",
        link="cloglog",
        featuresCol="inputs",
        labelCol="share",
        weightCol="at_risk",
        regParam=prior / left,
    )
    values = regression.fit(assembled).coefficients.toArray()
    fitted = {name: float(f"{value:.{DIGITS}g}") for name, value in zip(names, values, strict=True)}
    # Not the coefficient of `risk`: a customer's level comes from the classifier.
    return LeavingCurve(
        horizon_days,
        first_day,
        days,
        log_day=fitted["log_day"],
        risk_by_log_day=fitted["risk_by_log_day"],
        is_first=fitted.get("is_first", 0.0),
        risk_by_is_first=fitted.get("risk_by_is_first", 0.0),
        weekdays=(0.0, *(fitted[name] for name in weekdays)),
        min_risk=min_risk,
        max_risk=max_risk,
    )
