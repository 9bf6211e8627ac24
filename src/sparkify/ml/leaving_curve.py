"""Curves of leaving: the probability to have left by each day, from the probability at a horizon.

A discrete-time hazard model (Prentice and Gloeckler 1978): a customer who is still there on the
morning of a day leaves on it with a probability of 1 - exp(-hazard). The logarithm of the hazard
depends on the customer's risk, the day and its weekday. The effect of the risk changes with time:
customers of high risk who stay prove to be less at risk than their forecast. The model determines
the course of the curve; a classifier's probability determines its level at the horizon.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import GeneralizedLinearRegression
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.ml.bootstrap import Array
from sparkify.ml.metrics import MAX_PROBABILITY, MIN_PROBABILITY
from sparkify.spark.functions import collect_one_row

COUNT_KEYS = ["day", "weekday", "risk"]
WEEKDAYS = 7
DIGITS = 6  # significant digits of a coefficient; further ones depend on the processor
RISK_STEP = 10  # risks are rounded to a tenth, so that person-periods can be counted by risk


@dataclass(frozen=True)
class LeavingCurve:
    """The course of leaving, as coefficients of the logarithm of the hazard.

    Attributes:
        horizon_days: the day on which a curve has the classifier's probability.
        first_day: the first day on which customers can leave; 1 is the day of the cutoff.
        days: the last day with customers under observation in training.
        log_day: effect of the logarithm of the days since `first_day`, which counts as 1.
        risk_by_log_day: change of that effect with the risk.
        is_first: effect of `first_day`; 0 where customers can leave on day 1.
        risk_by_is_first: change of that effect with the risk.
        weekdays: effects of the weekdays, Monday first.
        min_risk: lowest risk in training; a lower one counts as this one in the course.
        max_risk: highest risk in training, likewise.
    """

    horizon_days: int
    first_day: int
    days: int
    log_day: float
    risk_by_log_day: float
    is_first: float
    risk_by_is_first: float
    weekdays: tuple[float, ...]
    min_risk: float
    max_risk: float

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes for JSON."""
        return asdict(self) | {"weekdays": list(self.weekdays)}

    @classmethod
    def from_dict(cls, attributes: dict[str, Any]) -> "LeavingCurve":
        """Return the curve with these attributes."""
        return cls(**attributes | {"weekdays": tuple(attributes["weekdays"])})

    def predict(self, probability: Array, first_weekday: Array, days: int) -> Array:
        """Return the probability to have left by the end of each day.

        Args:
            probability: of leaving within the horizon, one per customer.
            first_weekday: weekday of each customer's cutoff, 0 for Monday.
            days: number of days.

        Returns:
            One row per customer, one column per day. No row falls from one day to the next.
        """
        clipped = probability.clip(MIN_PROBABILITY, MAX_PROBABILITY)
        risk = np.log(-np.log1p(-clipped)).clip(self.min_risk, self.max_risk)[:, None]
        day = np.arange(self.first_day, max(days, self.horizon_days) + 1)
        log_day, is_first = np.log(day - self.first_day + 1), day == self.first_day
        by_risk = self.risk_by_log_day * log_day + self.risk_by_is_first * is_first
        weekday = np.array(self.weekdays)[(first_weekday[:, None] + day - 1) % WEEKDAYS]
        baseline = self.log_day * log_day + self.is_first * is_first + weekday
        total = np.exp(baseline + by_risk * risk).cumsum(axis=1)
        relative = total / total[:, [self.horizon_days - self.first_day]]
        left = -np.expm1(np.log1p(-clipped)[:, None] * relative)
        before = np.zeros((len(left), self.first_day - 1))
        return np.hstack([before, left])[:, :days]


def find_median_days(left: Array) -> Array:
    """Return the first day with a probability of at least a half to have left; 0 if there is none.

    Args:
        left: as `LeavingCurve.predict` returns it.
    """
    has_half = left >= 0.5
    return np.where(has_half.any(axis=1), has_half.argmax(axis=1) + 1, 0)


def risk_of(probability: Column) -> Column:
    """Return the logarithm of the cumulative hazard of a probability, rounded to a tenth."""
    clipped = F.greatest(F.lit(MIN_PROBABILITY), F.least(F.lit(MAX_PROBABILITY), probability))
    return F.round(F.log(-F.log1p(-clipped)) * RISK_STEP) / RISK_STEP


def count_person_periods(
    departures: DataFrame, first_day: int, days: int, keys: Sequence[str] = COUNT_KEYS
) -> DataFrame:
    """Count customers under observation, and those who leave, by day and other keys.

    Args:
        departures: one row per customer and cutoff: `cutoff`, `left_on_day` (1 is the day of the
            cutoff, null if not seen to leave), `follow_up_days`, and the keys but for `day` and
            `weekday`.
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
