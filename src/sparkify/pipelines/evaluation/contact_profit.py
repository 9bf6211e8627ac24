"""What contacting customers would have gained on the hold-out, by how many are contacted."""

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from sparkify.ml.bootstrap import BOUNDS, Array, has_enough_churners, percentile_interval
from sparkify.ml.metrics import BASELINE
from sparkify.pipelines.evaluation.decision import describe_decision
from sparkify.pipelines.modelling.parameters import DecisionParameters, ModellingParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

POINTS = 200  # numbers of contacts that the table and its figure show


def contacts_weighed(
    test_predictions: DataFrame, champion: dict[str, Any], modelling: ModellingParameters
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Weigh what contacts cost against what they keep, on the hold-out.

    A contacted churner stays with `contact_success` and is worth `kept_customer_value` then;
    every contact costs `contact_cost`: dollars, per hold-out of one horizon.

    Returns:
        One row per number of customers contacted, the likeliest to churn first: `profit` with
        its 95 % interval over users, the same `at_random`, and by each baseline. And the plan:
        the best number with its interval, the number at the threshold in use, and the profit of
        contacting at random, everybody, and by each baseline.
    """
    decision = modelling.decision
    described = describe_decision(decision, champion["f1_threshold"])
    rows = to_sorted_pandas(test_predictions, *KEYS)
    gain = _gain(rows["churned"].to_numpy(float), decision)
    order = np.argsort(-rows["probability"].to_numpy(), kind="stable")
    curve = _profits(gain[order])
    sampled = _resampled(gain[order], modelling)
    called = int((rows["probability"] >= described["threshold"]).sum())
    best = int(curve.argmax())
    numbers = np.unique([*np.linspace(0, len(rows), POINTS + 1).round(), called, best]).astype(int)
    enough = has_enough_churners(rows, modelling.min_interval_churned)
    low, high = _intervals(sampled[:, numbers], numbers, enough)
    everybody = float(gain.sum())
    by_rule = {
        name.removeprefix(BASELINE): _profits(gain[np.argsort(-rows[name], kind="stable")])
        for name in rows.columns
        if name.startswith(BASELINE)
    }
    table = pd.DataFrame(
        {
            "contacted": numbers,
            "profit": curve[numbers],
            "profit_low": low,
            "profit_high": high,
            "at_random": everybody * numbers / len(rows),
            **{name: profits[numbers] for name, profits in by_rule.items()},
        }
    )

    def told(number: int) -> dict[str, Any]:
        place = int(np.searchsorted(numbers, number))
        bounds = [float(low[place]), float(high[place])]
        profit = {"value": float(curve[number]), "ci95": None if np.isnan(bounds[0]) else bounds}
        return {"contacted": number, "profit": profit}

    plan = {
        **described,
        "customers": len(rows),
        "best": told(best)
        | {"contacted_ci95": percentile_interval(sampled.argmax(axis=1)) if enough else None},
        "in_use": told(called) | {"threshold": described["threshold"]},
        "at_random": {"contacted": called, "profit": everybody * called / len(rows)},
        "everybody": {"contacted": len(rows), "profit": everybody},
        "baselines": {
            name: {"contacted": int(profits.argmax()), "profit": float(profits.max())}
            for name, profits in by_rule.items()
        },
    }
    return table, plan


def _gain(churned: Array, decision: DecisionParameters) -> Array:
    return np.asarray(churned * decision.worth_of_contact - decision.contact_cost)


def _profits(gain: Array) -> Array:
    """Return the profit of contacting the first 0, 1, 2, … customers."""
    return np.concatenate([[0.0], np.cumsum(gain)])


def _intervals(sampled: Array, numbers: Array, enough: bool) -> Array:
    """Return the bounds of profits, NaN where there are too few churners for an interval.

    A profit that is the same in every resample is known of nobody contacted alone.
    """
    bounds = np.percentile(sampled, BOUNDS, axis=0)
    is_flat = (bounds[0] == bounds[1]) & (numbers > 0)
    return np.where(is_flat | (not enough), np.nan, bounds)


def _resampled(gain: Array, modelling: ModellingParameters) -> Array:
    """Return the profits of resamples of customers, each in its own order of forecast."""
    random = np.random.default_rng(modelling.seed)
    draws = [
        np.sort(random.integers(0, len(gain), len(gain)))
        for _ in range(modelling.bootstrap_resamples)
    ]
    return np.array([_profits(gain[drawn]) for drawn in draws])
