"""From a probability to a decision, by the parameters of the run that decides."""

from typing import Any

import numpy as np
import pandas as pd

from sparkify.pipelines.modelling.parameters import DecisionParameters


def describe_decision(decision: DecisionParameters, f1_threshold: float) -> dict[str, Any]:
    """Return the parameters of a decision and the `threshold` that follows from them.

    A customer whose calibrated probability is at least the threshold is called a churner.
    `threshold_by` says which rule gives it:

    - profit: a contact costs `contact_cost`; with probability `contact_success` it keeps a churner
      who is worth `kept_customer_value`. It pays from cost / (success * value) on (Elkan 2001);
      1, for nobody, where it never does.
    - f1: the model's own `f1_threshold`, which depends on no cost.

    Args:
        decision: what a contact costs and gains, and the rule.
        f1_threshold: from the model's card, as `best_f1_threshold` finds it in training.
    """
    by_rule = {
        "profit": min(decision.contact_cost / decision.worth_of_contact, 1.0),
        "f1": f1_threshold,
    }
    parameters = decision.model_dump()
    rule = parameters.pop("threshold")
    return {"threshold": by_rule[rule], "threshold_by": rule, **parameters}


def best_f1_threshold(probability: pd.Series) -> float:
    """Return the threshold with the highest F1 to expect from calibrated probabilities.

    Of the k likeliest, as many churn as their probabilities sum up to (Lipton et al. 2014). No
    label is used: those of a few dozen churners would say more about chance.

    Args:
        probability: calibrated probabilities, made out of fold.
    """
    falling = np.sort(probability.to_numpy(float))[::-1]
    found = falling.cumsum()
    called = np.arange(1, len(falling) + 1)
    is_last_of_equals = np.append(falling[:-1] > falling[1:], True)
    f1 = np.where(is_last_of_equals, 2 * found / (called + found[-1]), 0)
    best = int(f1.argmax())
    below = falling[best + 1] if best + 1 < len(falling) else 0.0
    return float((falling[best] + below) / 2)
