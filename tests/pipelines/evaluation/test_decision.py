import pandas as pd
import pytest

from sparkify.pipelines.evaluation.decision import best_f1_threshold, describe_decision
from sparkify.pipelines.modelling.parameters import DecisionParameters

WORTH = {"contact_success": 0.3, "kept_customer_value": 100}


def test_the_threshold_has_the_best_f1_to_expect() -> None:
    # Of the 1, 2, 3, 4 likeliest .6, 1.1, 1.2, 1.25 churn of 1.25: F1 .533, .677, .565, .476.
    assert best_f1_threshold(pd.Series([0.1, 0.5, 0.05, 0.6])) == pytest.approx(0.3)


def test_customers_of_equal_probability_are_called_together() -> None:
    # One of the three at .4 would be the best with the one at .9, were they apart.
    assert best_f1_threshold(pd.Series([0.4, 0.9, 0.4, 0.1, 0.4])) == pytest.approx(0.25)


def test_a_constant_forecast_calls_everybody_a_churner() -> None:
    assert 0 <= best_f1_threshold(pd.Series([0.1, 0.1])) < 0.1


@pytest.mark.parametrize(("contact_cost", "threshold"), [(3, 0.1), (12, 0.4), (30, 1), (50, 1)])
def test_a_contact_pays_where_it_keeps_more_than_it_costs(
    contact_cost: float, threshold: float
) -> None:
    profit = DecisionParameters(threshold="profit", contact_cost=contact_cost, **WORTH)
    assert describe_decision(profit, f1_threshold=0.2) == {
        "threshold": pytest.approx(threshold),
        "threshold_by": "profit",
        "contact_cost": contact_cost,
        **WORTH,
    }


def test_the_rule_of_the_best_f1_looks_at_no_cost() -> None:
    for cost in (1, 50):
        by_f1 = DecisionParameters(threshold="f1", contact_cost=cost, **WORTH)
        described = describe_decision(by_f1, f1_threshold=0.2)
        assert (described["threshold"], described["threshold_by"]) == (0.2, "f1")
