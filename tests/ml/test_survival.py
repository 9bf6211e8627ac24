import numpy as np
import pytest
from sksurv.metrics import brier_score, cumulative_dynamic_auc
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import Surv

from sparkify.ml import metrics
from sparkify.ml.bootstrap import Array
from sparkify.ml.survival import (
    compute_brier_score,
    compute_censoring_weights,
    count_by_day,
    estimate_kaplan_meier,
)

DAYS = 12


def draw_customers(count: int) -> tuple[Array, Array, Array]:
    """Return the day of departure (NaN if not seen), the follow-up and a forecast by day."""
    random = np.random.default_rng(5)
    risk = random.lognormal(-3, 1, count)
    day = np.ceil(random.exponential(1 / risk))
    follow_up = random.integers(1, 21, count).astype(float)
    left = np.where(day <= follow_up, day, np.nan)
    forecast = 1 - np.exp(-np.outer(risk * random.lognormal(0, 0.5, count), np.arange(1, 21)))
    return left, follow_up, forecast


def as_reference(left: Array, follow_up: Array) -> Array:
    """Return the times for scikit-survival; a follow-up ends after its last day."""
    is_seen = ~np.isnan(left)
    return Surv.from_arrays(is_seen, np.where(is_seen, left, follow_up + 0.5))


def test_kaplan_meier_equals_the_reference() -> None:
    left, follow_up, _ = draw_customers(300)
    ours = estimate_kaplan_meier(*count_by_day(left, follow_up, DAYS))
    times = as_reference(left, follow_up)
    at, staying = kaplan_meier_estimator(times["event"], times["time"])
    expected = [1 - staying[at <= day][-1] for day in range(1, DAYS + 1)]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_kaplan_meier_continues_with_the_mean_hazard() -> None:
    # Half leave on each of two days; then nobody is observed.
    share = estimate_kaplan_meier(np.array([4, 2, 0, 0]), np.array([2, 1, 0, 0]))
    np.testing.assert_allclose(share, [0.5, 0.75, 0.875, 0.9375])


@pytest.mark.parametrize("day", [1, 5, 12])
def test_censored_brier_score_equals_the_reference(day: int) -> None:
    left, follow_up, forecast = draw_customers(300)
    weight = compute_censoring_weights(left, follow_up, day)
    has_left = (left <= day).astype(float)
    ours = compute_brier_score(has_left, forecast[:, day - 1], weight, len(left))
    times = as_reference(left, follow_up)
    _, expected = brier_score(times, times, 1 - forecast[:, day - 1], day)
    assert ours == pytest.approx(expected[0], rel=1e-12)


@pytest.mark.parametrize("day", [1, 5, 12])
def test_censored_auc_equals_the_reference(day: int) -> None:
    left, follow_up, forecast = draw_customers(300)
    weight = compute_censoring_weights(left, follow_up, day)
    ours = metrics.auc((left <= day).astype(float), forecast[:, day - 1], weight)
    times = as_reference(left, follow_up)
    expected, _ = cumulative_dynamic_auc(times, times, forecast[:, day - 1], day)
    assert ours == pytest.approx(expected[0], rel=1e-12)


def test_customers_of_unknown_outcome_have_no_weight() -> None:
    # On day 2, one of three is no longer observed: the other two stand for the three.
    left, follow_up = np.array([2.0, np.nan, np.nan]), np.array([9.0, 1.0, 9.0])
    np.testing.assert_allclose(compute_censoring_weights(left, follow_up, 2), [1.5, 0, 1.5])
    np.testing.assert_allclose(compute_censoring_weights(left, follow_up, 1), [1, 1, 1])
