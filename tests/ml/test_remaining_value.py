import numpy as np
import pandas as pd
import pytest

from sparkify.ml.remaining_value import average_kept_value, compute_values


def test_a_customer_who_never_leaves_brings_every_margin() -> None:
    values = compute_values(np.full((1, 30), 1e-12), 10, 0.0, 12)
    assert values.remaining == pytest.approx(365)
    assert values.deviation == pytest.approx(0, abs=0.01)


def test_later_margins_are_discounted() -> None:
    values = compute_values(np.full((1, 30), 1e-12), 10, 0.1, 24)
    assert values.remaining == pytest.approx(sum(1.1 ** (-day / 365) for day in range(1, 731)))


def test_the_mean_hazard_since_the_horizon_continues() -> None:
    # 10 % leave until the horizon; then 1 % of the rest each day.
    left = np.concatenate([np.linspace(0.01, 0.1, 10), 1 - 0.9 * 0.99 ** np.arange(1, 21)])
    (remaining,) = compute_values(left[None], 10, 0.0, 2).remaining
    assert remaining == pytest.approx(
        (1 - left[:10]).sum() + 0.9 * (0.99 ** np.arange(1, 52)).sum()
    )


def test_departures_lose_what_staying_customers_bring() -> None:
    # Expected value if none left within the horizon = expected value + value at risk.
    left = np.array([[0.1, 0.25, 0.4, 0.5]])
    values = compute_values(left, 2, 0.05, 1)
    days = np.arange(1, 31)
    discount = 1.05 ** (-days / 365)
    after = 0.5 * (0.5 / 0.75) ** ((days[4:] - 4) / 2)
    staying = np.concatenate([[1, 1], np.array([0.6, 0.5, *after]) / 0.75])
    assert values.remaining + 0.25 * values.kept == pytest.approx((staying * discount).sum())


def test_the_deviation_is_that_of_the_day_of_departure() -> None:
    # 50 % leave on day 1 and 30 % on day 2; the hazard of both days continues for the other 20 %.
    values = compute_values(np.array([[0.5, 0.8]]), 2, 0.0, 1)
    random = np.random.default_rng(1)
    later = np.floor(random.exponential(2 / np.log(5), 400_000)).clip(max=28)
    draw = random.random(400_000)
    margins = np.select([draw < 0.5, draw < 0.8], [0, 1], 2 + later)
    assert values.remaining == pytest.approx(margins.mean(), rel=0.01)
    assert values.deviation == pytest.approx(margins.std(), rel=0.01)


def test_a_kept_customer_is_worth_the_mean_weighted_by_the_probability_to_leave() -> None:
    customers = pd.DataFrame({"kept_value": [10.0, 90.0], "probability": [0.3, 0.1]})
    assert average_kept_value(customers) == pytest.approx(30)
    assert average_kept_value(customers.assign(probability=0.0)) == pytest.approx(50)
    assert np.isnan(average_kept_value(customers[:0]))
