"""How good predictions are, and how sure one can be of it."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from sparkify.ml.bootstrap import (
    Array,
    Bootstrap,
    Figures,
    Metric,
    resampled,
    with_intervals,
)
from sparkify.ml.log_odds import log_odds

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

    Below 1 the forecasts are too extreme, above 1 too timid (Cox 1958); 0 where all are equal,
    and NaN where no slope is the best.
    """
    line = calibration_line(churned, probability, weight)
    return line[0] if line else np.nan


def calibration_line(
    churned: Array, probability: Array, weight: Array
) -> tuple[float, float] | None:
    """Fit slope and intercept of the log-odds that came true on those that were forecast.

    Where all forecasts are equal the slope is 0, and the intercept the log-odds of the base rate.
    Where forecasts separate churners from others there is no line: any steeper one fits better.
    """
    forecast = log_odds(probability)
    if np.ptp(forecast) == 0:
        return 0.0, float(log_odds(np.array(_mean(churned, weight))))
    of_churners, of_others = forecast[churned == 1], forecast[churned == 0]
    if of_churners.min() >= of_others.max() or of_churners.max() <= of_others.min():
        return None
    # Each of Newton's steps doubles the digits: one or two more than the default tolerance asks
    # for make the line exact to 1e-8.
    line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
    line.fit(forecast[:, None], churned, sample_weight=weight)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


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


def costs(first: pd.DataFrame, second: pd.DataFrame, bootstrap: Bootstrap) -> Figures:
    """Compute what the second forecast loses against the first, on the same draws of users.

    Both have the same rows in the same order. AUC and average precision lost, log loss added;
    as `resampled` has them.
    """
    return _differences(first, second["probability"], COSTS, bootstrap)


def _differences(
    rows: pd.DataFrame, other: pd.Series, metrics: dict[str, Metric], bootstrap: Bootstrap
) -> Figures:
    """Compute metrics of the forecast and of another one, which takes the decision's place."""
    return resampled(rows.assign(predicted=other.to_numpy()), metrics, bootstrap)


def _loss_of(metric: Metric) -> Metric:
    return lambda y, p, q, w: metric(y, p, q, w) - metric(y, q, p, w)


def _gain_of(metric: Metric) -> Metric:
    return lambda y, p, q, w: metric(y, q, p, w) - metric(y, p, q, w)


COMPARED = {name: _loss_of(RANKING[name]) for name in ("auc", "average_precision")}
COSTS = {**COMPARED, "log_loss": _gain_of(PROBABILITY["log_loss"])}


def evaluated(
    predictions: pd.DataFrame, threshold: float, bootstrap: Bootstrap | None
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
        **with_intervals(predictions.assign(predicted=predicted), every, bootstrap),
    }


def baselines(
    predictions: pd.DataFrame, train_base_rate: float, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Evaluate what needs no model, on the same rows.

    The base rate forecasts the training's share of churners for everybody: it ranks nobody, so
    that its AUC and lift have no interval. The others only rank.
    """
    certain = predictions.assign(probability=train_base_rate)
    varying = {"average_precision": RANKING["average_precision"], **PROBABILITY}
    ranked = {
        name: with_intervals(predictions.assign(probability=score), RANKING, bootstrap)
        for name, score in _ranking_baselines(predictions).items()
    }
    of_base_rate = with_intervals(certain, RANKING, None)
    of_base_rate |= with_intervals(certain, varying, bootstrap)
    return {"base_rate": of_base_rate, **ranked}


def gain_over_baselines(predictions: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, Figures]:
    """Compute by how much the forecast ranks better than each ranking baseline, by its name.

    AUC and average precision of the forecast less the baseline's, on the same draws of users.
    """
    return {
        name: _differences(predictions, score, COMPARED, bootstrap)
        for name, score in _ranking_baselines(predictions).items()
    }


def _ranking_baselines(predictions: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the columns that rank without a model, by the baseline's name."""
    return {
        column.removeprefix(BASELINE): predictions[column]
        for column in predictions.columns
        if column.startswith(BASELINE)
    }


def best_f1_threshold(probability: pd.Series) -> float:
    """Return the threshold with the highest F1 to expect from calibrated probabilities.

    Of the k highest, as many churn as their probabilities sum up to (Lipton et al. 2014). Labels
    are not used: those of a few dozen churners would mostly show chance.

    Args:
        probability: calibrated probabilities, predicted out of fold.
    """
    falling = np.sort(probability.to_numpy(float))[::-1]
    expected = falling.cumsum()
    predicted = np.arange(1, len(falling) + 1)
    is_last_of_equals = np.append(falling[:-1] > falling[1:], True)
    f1 = np.where(is_last_of_equals, 2 * expected / (predicted + expected[-1]), 0)
    best = int(f1.argmax())
    below = falling[best + 1] if best + 1 < len(falling) else 0.0
    return float((falling[best] + below) / 2)
