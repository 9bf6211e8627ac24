"""The profit of contacting customers of the hold-out, by how many are contacted."""

from typing import Any

import numpy as np
import pandas as pd

from sparkify.ml.bootstrap import BOUNDS, Array, compute_interval, has_enough_churners
from sparkify.ml.metrics import BASELINE
from sparkify.pipelines.evaluation.parameters import DecisionParameters, EvaluationParameters

POINTS = 200  # rows of the table: evenly spaced numbers of contacts


def compute_contact_profit(
    rows: pd.DataFrame, decision: dict[str, Any], evaluation: EvaluationParameters
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Compute the profits by number of contacts, and the plan, for `estimate_contact_profit`.

    Args:
        rows: predictions of the hold-out, sorted by key.
        decision: the threshold in use and its costs, as `describe_decision` returns them.
        evaluation: resamples, their seed, and the value of a contact.
    """
    gain = _compute_gains(rows["churned"].to_numpy(float), evaluation.decision)
    order = np.argsort(-rows["probability"].to_numpy(), kind="stable")
    probability, churned = (rows[name].to_numpy()[order] for name in ("probability", "churned"))
    curve = _sum_gains(gain[order])
    selected = int((rows["probability"] >= decision["threshold"]).sum())
    best = int(curve.argmax())
    numbers = np.unique([*np.linspace(0, len(rows), POINTS + 1).round(), selected, best]).astype(
        int
    )
    has_enough = has_enough_churners(rows, evaluation.min_interval_churned)
    sampled, sampled_best = _resample_profits(gain[order], numbers, evaluation)
    low, high = _compute_intervals(sampled, numbers, has_enough)
    total = float(gain.sum())
    by_rule = {
        name.removeprefix(BASELINE): _sum_gains(gain[np.argsort(-rows[name], kind="stable")])
        for name in rows.columns
        if name.startswith(BASELINE)
    }
    table = pd.DataFrame(
        {
            "contacted": numbers,
            "probability": probability[np.maximum(numbers - 1, 0)],
            "churned": np.concatenate([[0], np.cumsum(churned)])[numbers],
            "profit": curve[numbers],
            "profit_low": low,
            "profit_high": high,
            "at_random": total * numbers / len(rows),
            **{name: profits[numbers] for name, profits in by_rule.items()},
        }
    )

    def describe_number(number: int) -> dict[str, Any]:
        position = int(np.searchsorted(numbers, number))
        bounds = [float(low[position]), float(high[position])]
        profit = {"value": float(curve[number]), "ci95": None if np.isnan(bounds[0]) else bounds}
        return {"contacted": number, "profit": profit}

    plan = {
        **decision,
        "customers": len(rows),
        "best": describe_number(best)
        | {"contacted_ci95": compute_interval(sampled_best) if has_enough else None},
        "in_use": describe_number(selected) | {"threshold": decision["threshold"]},
        "at_random": {"contacted": selected, "profit": total * selected / len(rows)},
        "all_customers": {"contacted": len(rows), "profit": total},
        "baselines": {
            name: {"contacted": int(profits.argmax()), "profit": float(profits.max())}
            for name, profits in by_rule.items()
        },
    }
    return table, plan


def _compute_gains(churned: Array, decision: DecisionParameters) -> Array:
    return np.asarray(churned * decision.value_of_contact - decision.contact_cost)


def _sum_gains(gain: Array) -> Array:
    """Return the profit of contacting the first 0, 1, 2, … customers."""
    return np.concatenate([[0.0], np.cumsum(gain)])


def _compute_intervals(sampled: Array, numbers: Array, has_enough: bool) -> Array:
    """Return the bounds of profits, NaN where there are too few churners for an interval.

    A profit that is the same in every resample has no interval, except that of 0 contacts.
    """
    bounds = np.percentile(sampled, BOUNDS, axis=0)
    is_flat = (bounds[0] == bounds[1]) & (numbers > 0)
    return np.where(is_flat | (not has_enough), np.nan, bounds)


def _resample_profits(
    gain: Array, numbers: Array, evaluation: EvaluationParameters
) -> tuple[Array, Array]:
    """Return each resample's profits at some numbers of contacts, and its best number of contacts.

    Args:
        gain: the gain from each customer, the highest probabilities first.
        numbers: the numbers of contacts.
        evaluation: the number of resamples and their seed.
    """
    random = np.random.default_rng(evaluation.seed)
    profits, best = [], []
    for _ in range(evaluation.bootstrap_resamples):
        draws = np.bincount(random.integers(0, len(gain), len(gain)), minlength=len(gain))
        curve = _sum_gains(np.repeat(gain, draws))
        profits.append(curve[numbers])
        best.append(curve.argmax())
    return np.array(profits), np.array(best)
