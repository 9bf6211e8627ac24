"""Compare how many leave in two randomised groups: rates, intervals, tests and power.

Intervals of differences are Newcombe's (1998, Statistics in Medicine 17, method 10), of ratios
Donner and Zou's (2012, Statistical Methods in Medical Research 21). Both combine the Wilson
intervals of the groups. They keep their level for rare outcomes and small groups, where the
estimate ± 1.96 standard errors does not.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import brentq

Array = npt.NDArray[np.float64]
LEVEL = 0.95
Z = float(stats.norm.isf((1 - LEVEL) / 2))
MAX_Z = 40.0  # above this many standard errors, the p-value is 0
MAX_POINTS = 1_000  # maximum number of counts per group in the sum for the power
TAIL = 1e-7  # probability left out of that sum at either end


class Rates(NamedTuple):
    """The outcome rates of two groups, and their precision.

    Sizes are effective: the number of customers whose unadjusted rate has the same error. They
    exceed the group's if a covariate explains part of the outcome. `correlation` is of the rates.
    """

    treated: float
    control: float
    treated_size: float
    control_size: float
    correlation: float = 0.0


class Effect(NamedTuple):
    """The effect of a treatment.

    `kept` is the control rate minus the treated rate: the share of treated customers who stayed
    because of the treatment. `success` is `kept` as a share of the control rate: the share of
    leavers who stayed because of it. It is NaN if no customer of the control group left.
    `p_value` is from the two-sided test that matches the interval of `kept`: below 5 % if the
    interval excludes 0.
    """

    kept: float
    kept_low: float
    kept_high: float
    success: float
    success_low: float
    success_high: float
    p_value: float


def estimate_rates(
    outcome: Array,
    is_treated: npt.NDArray[np.bool_],
    covariate: Array | None = None,
    strata: npt.NDArray[np.int64] | None = None,
    users: npt.NDArray[np.int64] | None = None,
) -> Rates:
    """Return the outcome rate of the treated and of the control group.

    Args:
        outcome: 1 or 0, by row.
        is_treated: the group that each row was assigned to at random.
        covariate: a value known before the assignment. Rates are then predicted at the mean of
            all rows by a linear regression in each group. This reduces the variance (Lin 2013,
            Annals of Applied Statistics 7).
        strata: the number of each row's campaign, from 0. Groups are compared within each
            campaign, and campaigns are weighted by their number of treated customers.
        users: the number of the user of each row, from 0, where a user may have several rows.

    Returns:
        The rates; NaN where a group is empty in every stratum.
    """
    rows = len(outcome)
    strata = np.zeros(rows, int) if strata is None else strata
    users = np.arange(rows) if users is None else users
    both = [
        members
        for members in (np.flatnonzero(strata == stratum) for stratum in np.unique(strata))
        if 0 < is_treated[members].sum() < len(members)
    ]
    if not both:
        return Rates(np.nan, np.nan, np.nan, np.nan)
    treated = sum(is_treated[members].sum() for members in both)
    means, influence = np.zeros(2), np.zeros((rows, 2))
    for members in both:
        weight = is_treated[members].sum() / treated
        stratum_means, row_influence = _estimate_means(
            outcome[members],
            is_treated[members],
            None if covariate is None else covariate[members],
        )
        means += weight * stratum_means
        influence[members] += weight * row_influence
    user_influence = np.column_stack([np.bincount(users, column) for column in influence.T])
    variance = user_influence.T @ user_influence
    counted = np.concatenate(both)
    counts = [is_treated[counted].sum(), (~is_treated[counted]).sum()]
    sizes = [
        mean * (1 - mean) / variance[arm, arm] if variance[arm, arm] > 0 < mean < 1 else count
        for arm, (mean, count) in enumerate(zip(means, counts, strict=True))
    ]
    spread = np.sqrt(variance[0, 0] * variance[1, 1])
    treated_rate, control_rate = means.clip(0, 1).tolist()
    correlation = _divide(variance[0, 1], spread)
    return Rates(treated_rate, control_rate, float(sizes[0]), float(sizes[1]), correlation)


def _estimate_means(
    outcome: Array, is_treated: npt.NDArray[np.bool_], covariate: Array | None
) -> tuple[Array, Array]:
    """Return the mean outcome of the treated and the control, and each row's influence on them.

    The squared influences sum to the variance. With a covariate it is the heteroscedasticity-
    consistent one (HC2), plus the sampling variance of the covariate's mean.
    """
    means, influence = np.zeros(2), np.zeros((len(outcome), 2))
    for arm, is_member in enumerate((is_treated, ~is_treated)):
        outcomes = outcome[is_member]
        if covariate is None or np.ptp(covariate[is_member]) == 0:
            means[arm] = outcomes.mean()
            influence[is_member, arm] = (outcomes - means[arm]) / len(outcomes)
            continue
        centred = covariate - covariate.mean()
        design = np.column_stack([np.ones(len(outcomes)), centred[is_member]])
        inverse = np.linalg.inv(design.T @ design)
        intercept, slope = inverse @ design.T @ outcomes
        means[arm] = intercept
        leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
        residual = outcomes - design @ [intercept, slope]
        influence[:, arm] = slope * centred / len(outcome)
        influence[is_member, arm] += design @ inverse[0] * residual / np.sqrt(1 - leverage)
    return means, influence


def compare(rates: Rates, level: float = LEVEL) -> Effect:
    """Return the effect of the treatment, with intervals at `level`."""
    if not np.isfinite(rates.treated):
        return Effect(*[np.nan] * 7)
    z = float(stats.norm.isf((1 - level) / 2))
    kept = rates.control - rates.treated
    low, high = map(float, _compute_difference_bounds(rates, z))
    success_low, success_high = _compute_success_bounds(rates, z)
    success = _divide(kept, rates.control, np.nan)
    return Effect(kept, low, high, success, success_low, success_high, _compute_p_value(rates))


def compute_power(base_rate: float, success: float, treated: int, control: int) -> float:
    """Return the power: the probability that the unadjusted two-sided test at 5 % finds an effect.

    It is summed over the likely numbers of leavers in both groups, so it is exact for this test.

    Args:
        base_rate: the share that leaves without treatment.
        success: the share of leavers who stay because of the treatment.
        treated: number of treated customers.
        control: number of customers in the control group.
    """
    if not (treated and control):
        return 0.0
    treated_counts, treated_weights = _list_likely_counts(treated, base_rate * (1 - success))
    control_counts, control_weights = _list_likely_counts(control, base_rate)
    treated_shares: Any = treated_counts[:, None] / treated
    control_shares: Any = control_counts[None, :] / control
    low, high = _compute_difference_bounds(
        Rates(treated_shares, control_shares, treated, control), Z
    )
    return float(treated_weights @ ((low > 0) | (high < 0)) @ control_weights)


def find_detectable_success(
    base_rate: float, treated: int, control: int, wanted: float = 0.8
) -> float | None:
    """Return the smallest `success` with at least the wanted power; None if there is none."""

    def compute_shortfall(success: float) -> float:
        return compute_power(base_rate, success, treated, control) - wanted

    return (
        float(brentq(compute_shortfall, 0.0, 1.0, xtol=1e-4))
        if compute_shortfall(1.0) >= 0
        else None
    )


def find_needed_control(
    base_rate: float, success: float, listed: int, wanted: float = 0.8
) -> int | None:
    """Return the smallest control group that detects `success`; None if half the list does not."""
    return _find_smallest(
        lambda control: compute_power(base_rate, success, listed - control, control) >= wanted,
        listed // 2,
    )


def find_needed_campaigns(
    base_rate: float,
    success: float,
    treated: int,
    control: int,
    wanted: float = 0.8,
    maximum: int = 1_000,
) -> int | None:
    """Return how many equal campaigns detect `success` together; None if more than `maximum`."""
    return _find_smallest(
        lambda times: compute_power(base_rate, success, times * treated, times * control) >= wanted,
        maximum,
    )


def _find_smallest(is_enough: Callable[[int], bool], maximum: int) -> int | None:
    """Return the smallest whole number that is enough, by bisection; None above `maximum`."""
    if maximum < 1 or not is_enough(maximum):
        return None
    low, high = 0, maximum
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _list_likely_counts(size: int, rate: float) -> tuple[Array, Array]:
    """Return the counts that a binomial variable is likely to have, and their probabilities."""
    low, high = stats.binom.ppf([TAIL, 1 - TAIL], size, rate)
    counts = np.unique(np.linspace(low, high, MAX_POINTS).round())
    weights = stats.binom.pmf(counts, size, rate)
    return counts, weights / weights.sum()


def _compute_wilson_bounds(rate: Array, size: float, z: float) -> tuple[Array, Array]:
    """Return the bounds of a rate (Wilson 1927); `size` may be a fraction."""
    centre = (rate + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(rate * (1 - rate) / size + (z / (2 * size)) ** 2)
    return centre - half, centre + half


def _compute_difference_bounds(rates: Rates, z: float) -> tuple[Array, Array]:
    """Return the bounds of the control rate minus the treated rate."""
    treated, control = np.asarray(rates.treated), np.asarray(rates.control)
    treated_low, treated_high = _compute_wilson_bounds(treated, rates.treated_size, z)
    control_low, control_high = _compute_wilson_bounds(control, rates.control_size, z)

    def combine(control_gap: Array, treated_gap: Array) -> Array:
        product = 2 * rates.correlation * control_gap * treated_gap
        return np.sqrt(control_gap**2 + treated_gap**2 - product)

    kept = control - treated
    low = kept - combine(control - control_low, treated_high - treated)
    high = kept + combine(control_high - control, treated - treated_low)
    return low, high


def _compute_success_bounds(rates: Rates, z: float) -> tuple[float, float]:
    """Return the bounds of 1 minus the ratio of the treated to the control rate."""
    treated, control = rates.treated, rates.control
    if not control:
        return np.nan, np.nan
    treated_low, treated_high = _compute_wilson_bounds(np.asarray(treated), rates.treated_size, z)
    control_low, control_high = _compute_wilson_bounds(np.asarray(control), rates.control_size, z)

    def solve_ratio(treated_bound: Array, control_bound: Array, sign: int) -> float:
        """Solve the ratio's quadratic equation; `sign` -1 gives the lower bound, 1 the upper."""
        shared = (treated_bound - treated) * (control - control_bound) * rates.correlation
        middle = treated * control - shared
        square = control_bound * (2 * control - control_bound)
        constant = treated_bound * (2 * treated - treated_bound)
        root = float(np.sqrt(np.maximum(middle**2 - square * constant, 0)))
        return float((middle + sign * root) / square)

    return 1 - solve_ratio(treated_high, control_low, 1), 1 - solve_ratio(
        treated_low, control_high, -1
    )


def _compute_p_value(rates: Rates) -> float:
    """Return 1 minus the level of the widest interval that excludes 0."""

    def compute_distance(z: float) -> float:
        low, high = _compute_difference_bounds(rates, z)
        return float(max(low, -high))

    if compute_distance(1e-9) <= 0:
        return 1.0
    if compute_distance(MAX_Z) > 0:
        return 0.0
    return float(2 * stats.norm.sf(brentq(compute_distance, 1e-9, MAX_Z)))


def _divide(above: float, below: float, otherwise: float = 0.0) -> float:
    return float(above / below) if below else otherwise
