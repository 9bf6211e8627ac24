from datetime import date

import numpy as np
import pandas as pd
import pytest

from sparkify.ml.leaving_curve import LeavingCurve, find_median_days

CURVE = LeavingCurve(
    horizon_days=10,
    first_day=1,
    days=30,
    log_day=0.2,
    risk_by_log_day=-0.1,
    is_first=0.0,
    risk_by_is_first=0.0,
    weekdays=(0.0, 0.1, 0.0, -0.2, 0.0, -0.7, -0.8),
    min_risk=-6.0,
    max_risk=0.5,
)
CONSTANT = LeavingCurve(10, 1, 30, 0, 0, 0, 0, (0.0,) * 7, -6, 1)
PROBABILITY = np.array([0.0, 1e-4, 0.03, 0.4, 0.9, 1.0])


def test_curves_have_the_forecast_at_the_horizon_and_never_fall() -> None:
    left = CURVE.predict(PROBABILITY, np.arange(6), 30)
    assert left.shape == (6, 30)
    np.testing.assert_allclose(left[:, 9], PROBABILITY.clip(1e-6, 1 - 1e-6), rtol=1e-9)
    assert (np.diff(left, axis=1) >= 0).all()
    assert left.min() >= 0
    assert left.max() <= 1


def test_a_constant_hazard_gives_an_exponential_curve() -> None:
    (left,) = CONSTANT.predict(np.array([0.19]), np.array([3]), 20)
    assert left[4] == pytest.approx(0.1)  # 0.9 * 0.9 = 0.81
    assert left[19] == pytest.approx(1 - 0.81**2)


def test_fewer_days_than_the_horizon_are_the_beginning_of_the_curve() -> None:
    whole = CURVE.predict(PROBABILITY, np.full(6, 2), 30)
    np.testing.assert_array_equal(CURVE.predict(PROBABILITY, np.full(6, 2), 4), whole[:, :4])


def test_the_weekday_of_the_cutoff_moves_the_days_with_few_departures() -> None:
    friday, monday = CURVE.predict(np.array([0.1, 0.1]), np.array([4, 0]), 10)
    friday_steps, monday_steps = np.diff(friday, prepend=0), np.diff(monday, prepend=0)
    assert friday_steps[1] < friday_steps[3]  # Saturday, Monday
    assert monday_steps[6] < monday_steps[4]  # Sunday, Friday


def test_customers_cannot_leave_before_the_first_day() -> None:
    late = LeavingCurve(10, 10, 30, 0, 0, 1.5, 0.2, (0.0,) * 7, -6, 1)
    (left,) = late.predict(np.array([0.2]), np.array([0]), 30)
    assert left[:9].tolist() == [0] * 9
    assert left[9] == pytest.approx(0.2)
    assert 0.2 < left[10] < left[29] < 1


def test_the_median_is_the_first_day_with_a_half() -> None:
    left = np.array([[0.1, 0.5, 0.6], [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]])
    assert find_median_days(left).tolist() == [2, 0, 1]


def test_a_curve_in_a_model_card_is_the_same_with_fewer_days() -> None:
    card = {"leaving_curve": CURVE.to_dict()}
    assert LeavingCurve.from_card(card, 99) == CURVE
    shorter = LeavingCurve.from_card(card, 20)
    customers = pd.DataFrame({"cutoff": [date(2018, 12, 1)], "probability": [0.3]})
    saturday = CURVE.predict(np.array([0.3]), np.array([5]), 20)
    np.testing.assert_array_equal(shorter.predict_customers(customers), saturday)
