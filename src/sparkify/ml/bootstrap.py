"""Metrics with 95 % bootstrap intervals over users."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[Any]
Metric = Callable[
    [Array, Array, Array, Array], float
]  # churned, probability, predicted, weight -> value
Estimates = dict[str, dict[str, Any]]
ROW_KEYS = ["user_id", "cutoff"]  # sort keys: with a fixed order, sums are reproducible
BOUNDS = [2.5, 97.5]  # percentiles of a 95 % interval
MAX_UNDEFINED = 0.025  # share of undefined resamples above which there is no interval


class Bootstrap(NamedTuple):
    """Settings of 95 % intervals: number of resamples, seed, and minimum of churners."""

    resamples: int
    seed: int
    min_churned: int


def estimate_metrics(
    predictions: pd.DataFrame,
    metrics: Mapping[str, Metric],
    bootstrap: Bootstrap | None,
    *,
    allow_flat: bool = False,
) -> Estimates:
    """Compute metrics with 95 % percentile-bootstrap intervals over users.

    Users are resampled, not rows, because one user's snapshots resemble each other.

    Args:
        predictions: rows with `user_id`, `cutoff`, `churned`, `probability`, and `predicted`
            where a metric needs it.
        metrics: the functions to compute, by name; NaN where a resample leaves one undefined.
        bootstrap: how to compute intervals; None for none.
        allow_flat: whether an interval may have no width. A difference can be 0 in every
            resample; a precision of 0 in every resample means no row is predicted to churn.

    Returns:
        `{name: {"value": …, "ci95": [low, high]}}`. `value` is None where it is undefined.
        `ci95` is None where fewer than `bootstrap.min_churned` users churned, or did not, or where
        too many resamples leave the metric undefined. Empty if all rows churned or none did.
    """
    ordered = predictions.sort_values(ROW_KEYS, ignore_index=True)
    churned, probability = (ordered[name].to_numpy(float) for name in ("churned", "probability"))
    predicted = ordered.get("predicted", pd.Series(np.nan, ordered.index)).to_numpy(float)
    if ordered["churned"].nunique() < 2:
        return {}
    estimates: Estimates = {
        name: {
            "value": _none_if_nan(metric(churned, probability, predicted, np.ones(len(ordered))))
        }
        for name, metric in metrics.items()
    }
    if bootstrap is None:
        return estimates
    intervals: dict[str, list[float] | None] = dict.fromkeys(metrics)
    if has_enough_churners(ordered, bootstrap.min_churned):
        values = []
        by_score = np.argsort(-probability, kind="stable")  # metrics of ranking need not sort again
        for weight in draw_row_weights(ordered, bootstrap):
            keep = by_score[weight[by_score] > 0]
            resample = churned[keep], probability[keep], predicted[keep], weight[keep]
            values.append([metric(*resample) for metric in metrics.values()])
        intervals |= zip(metrics, map(compute_interval, np.transpose(values)), strict=True)
    for name, estimate in estimates.items():
        bounds = intervals[name]
        is_flat = bounds is not None and bounds[0] == bounds[1]
        estimate["ci95"] = None if is_flat and not allow_flat else bounds
    return estimates


def has_enough_churners(rows: pd.DataFrame, min_churned: int) -> bool:
    """Return whether at least `min_churned` users churned and as many did not."""
    is_churner = rows["churned"].astype(bool)
    users = (rows.loc[is_row, "user_id"].nunique() for is_row in (is_churner, ~is_churner))
    return min(users) >= min_churned


def draw_row_weights(rows: pd.DataFrame, bootstrap: Bootstrap) -> Iterator[Array]:
    """Yield the weight of each row, for each resample of users.

    A resample without churners, or without non-churners, is skipped.
    """
    user, users = pd.factorize(rows["user_id"])
    churned = rows["churned"].to_numpy(bool)
    random = np.random.default_rng(bootstrap.seed)
    for _ in range(bootstrap.resamples):
        counts = np.bincount(random.integers(0, len(users), len(users)), minlength=len(users))
        row_weights = counts[user].astype(float)
        if row_weights[churned].any() and row_weights[~churned].any():
            yield row_weights


def compute_interval(values: Array) -> list[float] | None:
    """Return the bounds of a 95 % interval; None if too many values are undefined."""
    is_defined = np.isfinite(values)
    if (~is_defined).mean() > MAX_UNDEFINED:
        return None
    return [float(bound) for bound in np.percentile(values[is_defined], BOUNDS)]


def flatten_estimates(
    estimates: Mapping[str, Mapping[str, Any]], suffix: str = ""
) -> dict[str, float]:
    """Return estimates and the bounds of their intervals as columns of one row; NaN for None."""
    row: dict[str, float] = {}
    for name, estimate in estimates.items():
        value = np.nan if estimate["value"] is None else estimate["value"]
        low, high = estimate["ci95"] or (np.nan, np.nan)
        row |= {f"{name}{suffix}": value, f"{name}_low": low, f"{name}_high": high}
    return row


def _none_if_nan(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
