import pytest

from sparkify.pipelines.evaluation.decision import describe_decision
from sparkify.pipelines.evaluation.parameters import DecisionParameters

GAINS = {"contact_success": 0.3, "kept_customer_value": 100}


@pytest.mark.parametrize(("contact_cost", "threshold"), [(3, 0.1), (12, 0.4), (30, 1), (50, 1)])
def test_a_contact_pays_where_it_keeps_more_than_it_costs(
    contact_cost: float, threshold: float
) -> None:
    profit = DecisionParameters(threshold="profit", contact_cost=contact_cost, **GAINS)
    assert describe_decision(profit, f1_threshold=0.2) == {
        "threshold": pytest.approx(threshold),
        "threshold_by": "profit",
        "contact_cost": contact_cost,
        **GAINS,
    }


def test_the_f1_threshold_does_not_depend_on_costs() -> None:
    for cost in (1, 50):
        by_f1 = DecisionParameters(threshold="f1", contact_cost=cost, **GAINS)
        described = describe_decision(by_f1, f1_threshold=0.2)
        assert (described["threshold"], described["threshold_by"]) == (0.2, "f1")
