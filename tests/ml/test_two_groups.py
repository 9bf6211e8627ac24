import numpy as np
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import confint_proportions_2indep

from sparkify.ml.two_groups import (
    Rates,
    compare,
    detectable_success,
    estimate_rates,
    needed_campaigns,
    needed_control,
    power,
)


def groups(treated: tuple[int, int], control: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and groups with (leavers, customers) each."""
    outcome = np.concatenate(
        [np.arange(size) < leavers for leavers, size in (treated, control)]
    ).astype(float)
    return outcome, np.repeat([True, False], [treated[1], control[1]])


def test_rates_are_the_shares_of_each_group() -> None:
    rates = estimate_rates(*groups((2, 10), (3, 5)))
    assert rates == pytest.approx(Rates(0.2, 0.6, 10, 5, 0.0))


@pytest.mark.parametrize(
    ("treated", "control"), [((30, 300), (60, 300)), ((190, 2700), (30, 300)), ((0, 27), (2, 3))]
)
def test_the_interval_of_the_difference_is_newcombes(
    treated: tuple[int, int], control: tuple[int, int]
) -> None:
    effect = compare(estimate_rates(*groups(treated, control)))
    expected = confint_proportions_2indep(*control, *treated, method="newcomb", compare="diff")
    assert (effect.kept_low, effect.kept_high) == pytest.approx(expected)


def test_the_success_is_the_share_of_leavers_kept() -> None:
    # 10 % leave of the contacted, 20 % of the control: half of those who would leave stay.
    effect = compare(estimate_rates(*groups((30, 300), (60, 300))))
    assert effect.kept == pytest.approx(0.1)
    assert effect.success == pytest.approx(0.5)
    low, high = confint_proportions_2indep(30, 300, 60, 300, method="score", compare="ratio")
    assert (effect.success_low, effect.success_high) == pytest.approx((1 - high, 1 - low), abs=0.01)


def test_the_p_value_is_5_percent_where_a_bound_is_0() -> None:
    rates = estimate_rates(*groups((30, 300), (60, 300)))
    p_value = compare(rates).p_value
    assert p_value == pytest.approx(0.00066, abs=0.0001)
    assert compare(rates, level=1 - p_value).kept_low == pytest.approx(0, abs=1e-9)
    assert compare(estimate_rates(*groups((10, 100), (10, 100)))).p_value == 1


def test_a_success_is_unknown_where_nobody_leaves_without_a_contact() -> None:
    effect = compare(estimate_rates(*groups((1, 30), (0, 3))))
    assert effect.kept == pytest.approx(-1 / 30)
    assert np.isnan([effect.success, effect.success_low, effect.success_high]).all()


def test_without_a_control_group_nothing_is_known() -> None:
    outcome, is_treated = groups((3, 30), (0, 0))
    assert np.isnan(compare(estimate_rates(outcome, is_treated))).all()


def test_the_adjusted_rates_are_those_of_a_regression_with_interactions() -> None:
    random = np.random.default_rng(5)
    forecast = random.beta(1, 9, 500)
    is_treated = random.random(500) < 0.7
    outcome = (random.random(500) < forecast * np.where(is_treated, 0.6, 1)).astype(float)
    rates = estimate_rates(outcome, is_treated, forecast)
    centred = forecast - forecast.mean()
    design = np.column_stack([np.ones(500), is_treated, centred, is_treated * centred])
    fitted = sm.OLS(outcome, design).fit(cov_type="HC2")
    assert rates.control == pytest.approx(fitted.params[0])
    assert rates.treated == pytest.approx(fitted.params[0] + fitted.params[1])
    # On top of HC2, the forecast's mean varies with the sample.
    error = rates.control * (1 - rates.control) / rates.control_size
    mean_varies = (fitted.params[2] ** 2) * centred.var() / 500
    assert error == pytest.approx(fitted.cov_params()[0, 0] + mean_varies, rel=0.01)


def test_campaigns_are_compared_within_themselves() -> None:
    # Campaign 0: 1 of 2 and 2 of 2 leave; campaign 1: 1 of 4 and 0 of 1.
    outcome = np.array([1, 0, 1, 1, 1, 0, 0, 0, 0], float)
    is_treated = np.array([1, 1, 0, 0, 1, 1, 1, 1, 0], bool)
    strata = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
    rates = estimate_rates(outcome, is_treated, strata=strata)
    assert rates.treated == pytest.approx((2 * 0.5 + 4 * 0.25) / 6)
    assert rates.control == pytest.approx((2 * 1 + 4 * 0) / 6)


def test_a_user_in_two_campaigns_counts_once() -> None:
    outcome, is_treated = groups((20, 100), (40, 100))
    once = estimate_rates(outcome, is_treated)
    twice = estimate_rates(
        np.tile(outcome, 2),
        np.tile(is_treated, 2),
        strata=np.repeat([0, 1], 200),
        users=np.tile(np.arange(200), 2),
    )
    assert twice == pytest.approx(once)


def test_the_power_is_the_share_of_campaigns_that_find_the_effect() -> None:
    random = np.random.default_rng(2)
    readings = [
        compare(
            Rates(random.binomial(900, 0.06) / 900, random.binomial(100, 0.2) / 100, 900, 100)
        ).p_value
        < 0.05
        for _ in range(2_000)
    ]
    assert power(0.2, 0.7, 900, 100) == pytest.approx(np.mean(readings), abs=0.03)


def test_power_grows_with_the_effect_and_is_5_percent_without_one() -> None:
    assert power(0.1, 0.0, 2700, 300) == pytest.approx(0.05, abs=0.01)
    assert power(0.1, 0.2, 2700, 300) < power(0.1, 0.4, 2700, 300) < power(0.1, 0.4, 1500, 1500)
    assert power(0.1, 0.4, 2700, 0) == 0


def test_the_detectable_success_has_the_wanted_power() -> None:
    success = detectable_success(0.1, 2700, 300)
    assert success is not None
    assert power(0.1, success, 2700, 300) == pytest.approx(0.8, abs=0.001)
    assert detectable_success(0.2, 30, 3) is None


def test_the_needed_control_group_is_the_smallest_that_is_enough() -> None:
    control = needed_control(0.1, 0.3, 3_000)
    assert control is not None
    assert power(0.1, 0.3, 3_000 - control, control) >= 0.8
    assert power(0.1, 0.3, 3_000 - control + 10, control - 10) < 0.8
    assert needed_control(0.2, 0.2, 33) is None


def test_the_needed_campaigns_are_counted() -> None:
    times = needed_campaigns(0.1, 0.2, 2_700, 300)
    assert times is not None
    assert power(0.1, 0.2, times * 2_700, times * 300) >= 0.8
    assert power(0.1, 0.2, (times - 1) * 2_700, (times - 1) * 300) < 0.8
    assert needed_campaigns(0.1, 0.2, 30, 0) is None
