"""95 % intervals over users, and where there are too few churners for one."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sparkify.schemas import KEYS

Array = npt.NDArray[Any]
Metric = Callable[[Array, Array, Array, Array], float]
Figures = dict[str, dict[str, Any]]
BOUNDS = [2.5, 97.5]  # percentiles of a 95 % interval
MAX_UNDEFINED = 0.025  # of resamples; with more of them a bound may be undefined


class Bootstrap(NamedTuple):
    """How 95 % intervals are made: resamples of users, their seed, and the churners needed."""

    resamples: int
    seed: int
    min_churned: int


def resampled(
    predictions: pd.DataFrame, metrics: Mapping[str, Metric], bootstrap: Bootstrap | None
) -> Figures:
    """Compute metrics with 95 % percentile-bootstrap intervals over users.

    Users are resampled, not rows, because one user's snapshots resemble each other.

    Args:
        predictions: rows with `user_id`, `cutoff`, `churned`, `probability`, and `predicted`
            where metrics look at it.
        metrics: what to compute, by name; NaN where a resample does not define it.
        bootstrap: how intervals are made; None for no intervals.

    Returns:
        `{name: {"value": …, "ci95": [low, high]}}`. `value` is None where it is not defined.
        `ci95` is None where fewer users than `bootstrap.min_churned` churned, or did not, or where
        too many resamples do not define the metric. Empty if all rows churned or none did.
    """
    ordered = predictions.sort_values(KEYS, ignore_index=True)
    churned, probability = (ordered[name].to_numpy(float) for name in ("churned", "probability"))
    predicted = ordered.get("predicted", pd.Series(np.nan, ordered.index)).to_numpy(float)
    if ordered["churned"].nunique() < 2:
        return {}
    figures: Figures = {
        name: {"value": _defined(metric(churned, probability, predicted, np.ones(len(ordered))))}
        for name, metric in metrics.items()
    }
    if bootstrap is None:
        return figures
    intervals: dict[str, list[float] | None] = dict.fromkeys(metrics)
    if has_enough(ordered, bootstrap.min_churned):
        draws = []
        for weight in weights(ordered, bootstrap):
            keep = weight > 0
            drawn = churned[keep], probability[keep], predicted[keep], weight[keep]
            draws.append([metric(*drawn) for metric in metrics.values()])
        intervals |= zip(metrics, map(interval, np.transpose(draws)), strict=True)
    return {name: {**figure, "ci95": intervals[name]} for name, figure in figures.items()}


def with_intervals(
    predictions: pd.DataFrame, metrics: Mapping[str, Metric], bootstrap: Bootstrap | None
) -> Figures:
    """Compute metrics as `resampled` does, without intervals that have no width.

    A precision of 0 in every resample is not known to be 0: nobody was found to resample.
    """
    figures = resampled(predictions, metrics, bootstrap)
    for figure in figures.values():
        low, high = figure.get("ci95") or (-np.inf, np.inf)
        if low == high:
            figure["ci95"] = None
    return figures


def has_enough(rows: pd.DataFrame, min_churned: int) -> bool:
    """Return whether so many users churned, and so many did not."""
    is_churner = rows["churned"].astype(bool)
    churners, others = rows.loc[is_churner, "user_id"], rows.loc[~is_churner, "user_id"]
    return min(churners.nunique(), others.nunique()) >= min_churned


def weights(rows: pd.DataFrame, bootstrap: Bootstrap) -> Iterator[Array]:
    """Yield how often each row counts in each resample of users that holds churners and others."""
    user, users = pd.factorize(rows["user_id"])
    churned = rows["churned"].to_numpy(bool)
    random = np.random.default_rng(bootstrap.seed)
    for _ in range(bootstrap.resamples):
        drawn = np.bincount(random.integers(0, len(users), len(users)), minlength=len(users))
        of_row = drawn[user].astype(float)
        if of_row[churned].any() and of_row[~churned].any():
            yield of_row


def interval(sampled: Array) -> list[float] | None:
    """Return the bounds of a 95 % interval, None where too many values are not defined."""
    is_defined = np.isfinite(sampled)
    if (~is_defined).mean() > MAX_UNDEFINED:
        return None
    return [float(bound) for bound in np.percentile(sampled[is_defined], BOUNDS)]


def in_one_row(figures: Mapping[str, Mapping[str, Any]], suffix: str = "") -> dict[str, float]:
    """Return figures and the bounds of their intervals as columns of one row; NaN for None."""
    row: dict[str, float] = {}
    for name, figure in figures.items():
        value = np.nan if figure["value"] is None else figure["value"]
        low, high = figure["ci95"] or (np.nan, np.nan)
        row |= {f"{name}{suffix}": value, f"{name}_low": low, f"{name}_high": high}
    return row


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
