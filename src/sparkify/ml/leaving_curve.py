"""Curves of leaving: the probability to have left by each day, from that at the horizon.

`hazard_model` fits them. Spark's Python workers import this module, so it imports little.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from sparkify.ml.bootstrap import Array
from sparkify.ml.probability_limits import MAX_PROBABILITY, MIN_PROBABILITY

WEEKDAYS = 7


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
    def from_card(cls, card: Mapping[str, Any], max_days: int) -> "LeavingCurve":
        """Return the curve in a model card, with at most so many days."""
        attributes = card["leaving_curve"]
        curve = cls(**attributes | {"weekdays": tuple(attributes["weekdays"])})
        return replace(curve, days=min(curve.days, max_days))

    def predict_customers(self, customers: pd.DataFrame) -> Array:
        """Return the probability to have left by each of `days`: one row per customer.

        Args:
            customers: `cutoff` and `probability`.
        """
        weekday = pd.to_datetime(customers["cutoff"]).dt.weekday.to_numpy()
        return self.predict(customers["probability"].to_numpy(float), weekday, self.days)

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
