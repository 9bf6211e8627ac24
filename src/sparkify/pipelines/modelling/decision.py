"""From a probability to a decision: from where on a customer is called a churner."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve

from sparkify.pipelines.modelling.parameters import DecisionParameters


def best_threshold(
    churned: pd.Series, probability: pd.Series, decision: DecisionParameters
) -> float:
    """Return the probability from which on calling a customer a churner serves best.

    By `decision.threshold` that is the best F1, or the highest profit: a contacted churner stays
    with probability `contact_success` and is worth `kept_customer_value` then; every contact
    costs `contact_cost`. Where no contact pays, the threshold is 1.
    """
    if decision.threshold == "f1":
        precision, recall, thresholds = precision_recall_curve(churned, probability)
        gain = 2 * precision * recall / (precision + recall).clip(min=1e-12)
        best = int(gain[:-1].argmax())
        return _between(thresholds, best)
    thresholds = np.unique(probability)
    worth = decision.contact_success * decision.kept_customer_value
    by_threshold = (
        pd.DataFrame({"profit": churned * worth - decision.contact_cost})
        .groupby(probability.to_numpy())["profit"]
        .sum()
    )
    profit = by_threshold[::-1].cumsum()[::-1].to_numpy()
    return _between(thresholds, int(profit.argmax())) if profit.max() > 0 else 1.0


def _between(thresholds: Any, place: int) -> float:
    below = thresholds[place - 1] if place else 0.0
    return float((thresholds[place] + below) / 2)
