import pandas as pd
import pytest

from sparkify.pipelines.modelling.decision import best_threshold
from sparkify.pipelines.modelling.parameters import ModellingParameters


def with_decision(modelling: ModellingParameters, **settings: object) -> ModellingParameters:
    return modelling.model_copy(update={"decision": modelling.decision.model_copy(update=settings)})


def test_the_threshold_has_the_best_f1(modelling: ModellingParameters) -> None:
    churned = pd.Series([False, False, True, False, True, True])
    probability = pd.Series([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    # Above 0.25: 3 of 4 right, none missed (F1 .857); above 0.45: 2 of 2, one missed (.8).
    by_f1 = with_decision(modelling, threshold="f1").decision
    assert best_threshold(churned, probability, by_f1) == pytest.approx(0.25)


def test_a_constant_forecast_calls_everybody_a_churner(modelling: ModellingParameters) -> None:
    constant = pd.Series([0.1, 0.1])
    threshold = best_threshold(pd.Series([True, False]), constant, modelling.decision)
    assert 0 <= threshold < 0.1


@pytest.mark.parametrize(
    ("contact_cost", "threshold"),
    [
        # A contacted churner is worth 0.3 * $100. From the highest down, profits are
        (12, 0.25),  # 18, 36, 24, 42, 30, 18
        (17, 0.45),  # 13, 26, 9, 22, 5, -12
        (29, 0.45),  # 1, 2, -27, -26, -55, -84
        (30, 1.0),  # 0, 0, -30, -30, -60, -90
        (50, 1.0),
    ],
)
def test_the_threshold_has_the_highest_profit(
    modelling: ModellingParameters, contact_cost: float, threshold: float
) -> None:
    churned = pd.Series([False, False, True, False, True, True])
    probability = pd.Series([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    worth = {"contact_success": 0.3, "kept_customer_value": 100}
    profit = with_decision(modelling, threshold="profit", contact_cost=contact_cost, **worth)
    found = best_threshold(churned, probability, profit.decision)
    assert found == pytest.approx(threshold)


def test_customers_of_equal_probability_are_contacted_together(
    modelling: ModellingParameters,
) -> None:
    churned = pd.Series([True, False, False, True, True])
    probability = pd.Series([0.2, 0.2, 0.2, 0.2, 0.6])
    worth = {"contact_success": 0.5, "kept_customer_value": 100, "contact_cost": 26}
    profit = with_decision(modelling, threshold="profit", **worth).decision
    # The one at 0.6 brings 24; the four at 0.2 cost 104 and bring 100.
    assert best_threshold(churned, probability, profit) == pytest.approx(0.4)
