"""The probability threshold of a decision, from the parameters of the current run."""

from typing import Any

from sparkify.pipelines.evaluation.parameters import DecisionParameters


def describe_decision(decision: DecisionParameters, f1_threshold: float) -> dict[str, Any]:
    """Return the parameters of a decision and the `threshold` that follows from them.

    A customer whose calibrated probability is at least the threshold is predicted to churn.
    `threshold_by` names the rule:

    - profit: a contact costs `contact_cost`; with probability `contact_success` it keeps a churner
      with a value of `kept_customer_value`. It pays above cost / (success * value) (Elkan 2001).
      If it never pays, the threshold is 1.
    - f1: the model's `f1_threshold`, which is independent of costs.

    Args:
        decision: cost and gain of a contact, and the rule.
        f1_threshold: from the model card; `calibrate` learns it in training.
    """
    by_rule = {
        "profit": min(decision.contact_cost / decision.value_of_contact, 1.0),
        "f1": f1_threshold,
    }
    parameters = decision.model_dump()
    rule = parameters.pop("threshold")
    return {"threshold": by_rule[rule], "threshold_by": rule, **parameters}
