"""From a probability to a decision: from where on a customer is called a churner."""

import numpy as np
import pandas as pd

from sparkify.pipelines.modelling.parameters import DecisionParameters


def best_threshold(probability: pd.Series, decision: DecisionParameters) -> float:
    """Return the calibrated probability from which on calling a customer a churner serves best.

    By `decision.threshold` that is the best F1 to expect, or the highest profit. Both follow from
    calibrated probabilities alone; labels of a few dozen churners would say more about chance.

    - profit: a contact costs `contact_cost`; with probability `contact_success` it keeps a churner
      who is worth `kept_customer_value`. It pays from cost / (success * value) on (Elkan 2001);
      1, for nobody, where it never does.
    - F1: of the k likeliest, as many churn as their probabilities sum up to; the k with the
      highest expected F1 are called churners (Lipton et al. 2014).

    Args:
        probability: calibrated probabilities, made out of fold.
        decision: what a contact costs and gains, and what the threshold is to serve.
    """
    if decision.threshold == "profit":
        return min(decision.contact_cost / decision.worth_of_contact, 1.0)
    falling = np.sort(probability.to_numpy(float))[::-1]
    found = falling.cumsum()
    called = np.arange(1, len(falling) + 1)
    is_last_of_equals = np.append(falling[:-1] > falling[1:], True)
    f1 = np.where(is_last_of_equals, 2 * found / (called + found[-1]), 0)
    best = int(f1.argmax())
    below = falling[best + 1] if best + 1 < len(falling) else 0.0
    return float((falling[best] + below) / 2)
