"""The value of customers, from the probability to have left by each day.

Spark's Python workers import this module, so it imports little.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sparkify.ml.bootstrap import Array

DAYS_PER_YEAR = 365
DAYS_PER_MONTH = DAYS_PER_YEAR / 12


class Values(NamedTuple):
    """Values of customers, per dollar of margin a day.

    `remaining` is the expected discounted margin, `deviation` its standard deviation, and `kept`
    the expected margin that is lost if the customer leaves within the horizon.
    """

    remaining: Array
    deviation: Array
    kept: Array


def compute_values(
    left: Array, horizon_days: int, annual_discount_rate: float, months: int
) -> Values:
    """Compute the value of a dollar of margin a day, until each customer leaves.

    A customer who leaves on a day brings no margin on it. A customer who is kept leaves later, as
    the curve says of customers who stay beyond the horizon. After the curve's last day, its mean
    hazard since the horizon continues.

    Args:
        left: probability to have left by the end of each day: a row per customer, a column per
            day; at least the horizon.
        horizon_days: days in which a contact prevents the departure.
        annual_discount_rate: 0.1 means that a dollar in a year is worth 1 / 1.1 dollars today.
        months: margins that count.
    """
    days = max(round(months * DAYS_PER_MONTH), horizon_days)
    staying = _extend(1 - left, horizon_days, days)
    discount = (1 + annual_discount_rate) ** (-np.arange(1, days + 1) / DAYS_PER_YEAR)
    remaining = staying @ discount
    # The margins until day n have the value total[n]; a customer stays until then by `staying`.
    total = discount.cumsum()
    mean_square = staying @ np.diff(total**2, prepend=0)
    deviation = np.sqrt(np.maximum(mean_square - remaining**2, 0))
    by_horizon = left[:, horizon_days - 1]
    within, after = discount[:horizon_days], discount[horizon_days:]
    until_departure = left[:, :horizon_days] @ within / by_horizon
    kept = until_departure + staying[:, horizon_days:] @ after / (1 - by_horizon)
    return Values(remaining, deviation, kept)


def average_kept_value(customers: pd.DataFrame) -> float:
    """Return the mean `kept_value` of customers, weighted by their `probability` to leave.

    Only those who would leave can be kept. Without weights if all are 0; NaN without customers.
    """
    if customers.empty:
        return float("nan")
    probability = customers["probability"]
    weights = probability if probability.any() else None
    return float(np.average(customers["kept_value"], weights=weights))


def _extend(staying: Array, horizon_days: int, days: int) -> Array:
    """Return the probability to stay until the end of each of so many days."""
    days_of_curve = staying.shape[1]
    since = horizon_days if days_of_curve > horizon_days else 0
    before = np.log(staying[:, since - 1]) if since else np.zeros(len(staying))
    hazard = (before - np.log(staying[:, -1])) / (days_of_curve - since)
    later = np.exp(-np.outer(hazard, np.arange(1, max(days - days_of_curve, 0) + 1)))
    return np.hstack([staying, staying[:, [-1]] * later])[:, :days]
