"""How good predictions are, and how sure one can be of it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from sparkify.schemas import KEYS

Array = npt.NDArray[Any]
Metric = Callable[[Array, Array, Array, Array], float]
TOP_DECILE = 0.1
CALIBRATION_GROUPS = 10
BASELINE = "baseline_"


def auc(churned: Array, score: Array, weight: Array) -> float:
    """Return the area under the ROC curve: how often a churner is scored above another row.

    An equal score counts as half (Mann and Whitney 1947).
    """
    churns, sizes = _by_score(churned, score, weight)
    others = sizes - churns
    below = others.sum() - others.cumsum()
    return float((churns * (below + others / 2)).sum() / (churns.sum() * others.sum()))


def average_precision(churned: Array, score: Array, weight: Array) -> float:
    """Return the mean precision over churners, each at the threshold that just finds it."""
    churns, sizes = _by_score(churned, score, weight)
    return float((churns * churns.cumsum() / sizes.cumsum()).sum() / churns.sum())


def lift_in_top_decile(churned: Array, score: Array, weight: Array) -> float:
    """Return how many times the base rate churns among the tenth of rows scored highest.

    Rows of equal score share what room is left in the tenth.
    """
    churns, sizes = _by_score(churned, score, weight)
    room = TOP_DECILE * sizes.sum()
    before = np.cumsum(sizes) - sizes
    taken = np.clip((room - before) / np.maximum(sizes, 1e-12), 0, 1)
    return float((taken * churns).sum() / room / (churns.sum() / sizes.sum()))


def _by_score(churned: Array, score: Array, weight: Array) -> tuple[Array, Array]:
    """Return the weights of churners and of all rows by distinct score, the highest first."""
    _, place = np.unique(-score, return_inverse=True)
    return np.bincount(place, weight * churned), np.bincount(place, weight)


def expected_calibration_error(churned: Array, probability: Array, weight: Array) -> float:
    """Return how far forecasts are from what happened, in the mean over ten groups of rows.

    The groups are of equal size, in the order of the forecast; in each the mean forecast is
    compared with the share that churned (Naeini et al. 2015, with groups of equal size). Equal
    forecasts are divided among groups as one, and so is a row of much weight.
    """
    _, forecast = np.unique(probability, return_inverse=True)
    sizes = np.bincount(forecast, weight).cumsum()
    gaps = np.bincount(forecast, weight * (churned - probability)).cumsum()
    bounds = np.linspace(0, sizes[-1], CALIBRATION_GROUPS + 1)
    within = np.diff(np.interp(bounds, [0, *sizes], [0, *gaps]))
    return float(np.abs(within).sum() / sizes[-1])


def calibration_slope(churned: Array, probability: Array, weight: Array) -> float:
    """Return by how much the log-odds that came true grow with those forecast: 1 is right.

    Below 1 the forecasts are too extreme, above 1 too timid (Cox 1958); 0 where all are equal.
    """
    log_odds = np.log(probability / (1 - probability))
    if np.ptp(log_odds) == 0:
        return 0.0
    line = LogisticRegression(C=np.inf, solver="newton-cholesky")  # fast with one column
    line.fit(log_odds[:, None], churned, sample_weight=weight)
    return float(line.coef_[0, 0])


# scikit-learn has the first two, and the log loss and Brier score, and says the same; but at a
# millisecond a call, which a bootstrap pays ten thousand times.
RANKING: dict[str, Metric] = {
    "auc": lambda y, p, _, w: auc(y, p, w),
    "average_precision": lambda y, p, _, w: average_precision(y, p, w),
    "lift_top_decile": lambda y, p, _, w: lift_in_top_decile(y, p, w),
}
PROBABILITY: dict[str, Metric] = {
    "log_loss": lambda y, p, _, w: _mean(-np.log(np.where(y > 0, p, 1 - p).clip(1e-15)), w),
    "brier": lambda y, p, _, w: _mean((p - y) ** 2, w),
}
CALIBRATION: dict[str, Metric] = {
    "expected_calibration_error": lambda y, p, _, w: expected_calibration_error(y, p, w),
    "calibration_slope": lambda y, p, _, w: calibration_slope(y, p, w),
}
DECISION: dict[str, Metric] = {
    "precision": lambda y, _, d, w: _share(w * y * d, w * d),
    "recall": lambda y, _, d, w: _share(w * y * d, w * y),
    "f1": lambda y, _, d, w: _share(2 * w * y * d, w * (y + d)),
    "accuracy": lambda y, _, d, w: _mean(y == d, w),
}


def _mean(of_row: Array, weight: Array) -> float:
    return float(np.average(of_row, weights=weight))


def _share(part: Array, whole: Array) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else 0.0


def with_intervals(
    predictions: pd.DataFrame, metrics: dict[str, Metric], resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Compute metrics with 95 % percentile-bootstrap intervals over users.

    Users are resampled, not rows, because one user's snapshots resemble each other.

    Args:
        predictions: rows with `user_id`, `cutoff`, `churned`, `probability`, and `predicted`
            where metrics look at it.
        metrics: what to compute, by name.
        resamples: how many times users are drawn anew; 0 for no intervals.
        seed: of the draws.

    Returns:
        `{name: {"value": …, "ci95": [low, high]}}`; resamples without a churner, or with nothing
        else, say nothing and are left out. Empty where the rows themselves are so.
    """
    ordered = predictions.sort_values(KEYS, ignore_index=True)
    churned = ordered["churned"].to_numpy(float)
    probability = ordered["probability"].to_numpy(float)
    predicted = ordered.get("predicted", pd.Series(np.nan, ordered.index)).to_numpy(float)
    user, users = pd.factorize(ordered["user_id"])
    if len(np.unique(churned)) < 2:
        return {}
    random = np.random.default_rng(seed)
    sampled: dict[str, list[float]] = {name: [] for name in metrics}
    for _ in range(resamples):
        drawn = np.bincount(random.integers(0, len(users), len(users)), minlength=len(users))
        keep = drawn[user] > 0
        if len(np.unique(churned[keep])) < 2:
            continue
        weight = drawn[user][keep].astype(float)
        for name, metric in metrics.items():
            sampled[name].append(metric(churned[keep], probability[keep], predicted[keep], weight))
    everyone = np.ones(len(ordered))
    return {
        name: {
            "value": float(metric(churned, probability, predicted, everyone)),
        }
        | (
            {"ci95": [float(bound) for bound in np.percentile(sampled[name], [2.5, 97.5])]}
            if sampled[name]
            else {}
        )
        for name, metric in metrics.items()
    }


def in_one_row(found: Mapping[str, Mapping[str, Any]], suffix: str = "") -> dict[str, float]:
    """Return figures and the bounds of their intervals as columns of one row."""
    row: dict[str, float] = {}
    for name, figure in found.items():
        low, high = figure.get("ci95", [figure["value"]] * 2)
        row |= {f"{name}{suffix}": figure["value"], f"{name}_low": low, f"{name}_high": high}
    return row


def costs(
    first: pd.DataFrame, second: pd.DataFrame, resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Compute what the second forecast loses against the first, on the same draws of users.

    Both have the same rows in the same order. AUC and average precision lost, log loss added;
    as `with_intervals` has them.
    """
    both = first.assign(predicted=second["probability"].to_numpy())
    differences: dict[str, Metric] = {
        "auc": _loss_of(RANKING["auc"]),
        "average_precision": _loss_of(RANKING["average_precision"]),
        "log_loss": _gain_of(PROBABILITY["log_loss"]),
    }
    return with_intervals(both, differences, resamples, seed)


def _loss_of(metric: Metric) -> Metric:
    return lambda y, p, q, w: metric(y, p, q, w) - metric(y, q, p, w)


def _gain_of(metric: Metric) -> Metric:
    return lambda y, p, q, w: metric(y, q, p, w) - metric(y, p, q, w)


def evaluated(
    predictions: pd.DataFrame, threshold: float, resamples: int, seed: int
) -> dict[str, Any]:
    """Describe a set of predictions: who was in it, and every metric with its interval.

    Whoever's probability is at least the threshold is predicted to churn.
    """
    every = RANKING | PROBABILITY | CALIBRATION | DECISION
    predicted = predictions["probability"] >= threshold
    return {
        "users": int(predictions["user_id"].nunique()),
        "snapshots": len(predictions),
        "churned": int(predictions["churned"].sum()),
        "base_rate": float(predictions["churned"].mean()) if len(predictions) else 0.0,
        "threshold": threshold,
        **with_intervals(predictions.assign(predicted=predicted), every, resamples, seed),
    }


def baselines(
    predictions: pd.DataFrame, train_base_rate: float, resamples: int, seed: int
) -> dict[str, Any]:
    """Evaluate what needs no model, on the same rows.

    The base rate forecasts the training's share of churners for everybody; the others, the
    columns that begin with `baseline_`, only rank.
    """
    certain = predictions.assign(probability=train_base_rate)
    ranked = {
        column.removeprefix(BASELINE): with_intervals(
            predictions.assign(probability=predictions[column]), RANKING, resamples, seed
        )
        for column in predictions.columns
        if column.startswith(BASELINE)
    }
    return {
        "base_rate": with_intervals(certain, RANKING | PROBABILITY, resamples, seed),
        **ranked,
    }
