"""Times until customers leave; some customers are still there when the log ends."""

import numpy as np

from sparkify.ml.bootstrap import Array


def count_by_day(left_on_day: Array, follow_up_days: Array, days: int) -> tuple[Array, Array]:
    """Return the numbers of customers under observation, and of those who leave, on each day.

    Args:
        left_on_day: the day on which each customer left, from 1; NaN if not seen to leave.
        follow_up_days: whole days for which each customer was observed.
        days: number of days.
    """
    day = np.arange(1, days + 1)[:, None]
    last_day = np.where(np.isnan(left_on_day), follow_up_days, left_on_day)
    return (last_day >= day).sum(axis=1), (left_on_day == day).sum(axis=1)


def estimate_kaplan_meier(at_risk: Array, left: Array) -> Array:
    """Return the share of customers who have left by the end of each day (Kaplan and Meier 1958).

    After the last day with a customer under observation, the mean hazard until then continues.

    Args:
        at_risk: customers under observation, by day from 1.
        left: those who leave, by day.
    """
    with np.errstate(divide="ignore"):
        staying = np.log1p(-left / np.maximum(at_risk, 1)).cumsum()
    last_day = int(np.max(np.flatnonzero(at_risk), initial=0)) + 1
    days = np.arange(1, len(staying) + 1)
    staying[last_day:] = staying[last_day - 1] / last_day * days[last_day:]
    return np.asarray(-np.expm1(staying))


def compute_censoring_weights(left_on_day: Array, follow_up_days: Array, day: int) -> Array:
    """Return weights with which known outcomes by the end of a day represent all customers.

    Customers whose follow-up ends before the day without leaving get 0. The others get the inverse
    of the probability to be observed for so long (Graf et al. 1999). It is the Kaplan-Meier
    estimate with departures and ends of follow-up exchanged. Without such customers all weights
    are 1.

    Args:
        left_on_day: as for `count_by_day`.
        follow_up_days: likewise; a follow-up ends after the departures of its last day.
        day: the day by whose end a customer has left or not.
    """
    has_left = left_on_day <= day
    is_known = has_left | (follow_up_days >= day)
    is_censored = np.isnan(left_on_day)
    last_day = np.where(is_censored, follow_up_days, left_on_day)
    days = np.arange(day)
    ended = (follow_up_days[is_censored][None, :] == days[:, None]).sum(axis=1)
    present = (last_day[None, :] > days[:, None]).sum(axis=1) + ended
    # By day: the probability of a follow-up that has not ended before it.
    observed = np.cumprod([1.0, *(1 - ended / np.maximum(present, 1))])
    until = np.where(has_left, left_on_day, day).astype(int)
    return np.where(is_known, 1 / np.where(is_known, observed[until], 1), 0.0)


def compute_brier_score(left: Array, probability: Array, weight: Array, customers: float) -> float:
    """Return the mean squared error of a probability to have left.

    Args:
        left: 1 for customers who have left, else 0.
        probability: the forecast.
        weight: as `compute_censoring_weights` returns them.
        customers: number of customers, with those of unknown outcome.
    """
    return float((weight * (left - probability) ** 2).sum() / customers)
