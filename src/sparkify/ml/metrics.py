"""Metrics of predicted probabilities: ranking, accuracy, calibration, and simple baselines."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from sparkify.ml.bootstrap import Array, Bootstrap, Estimates, Metric, estimate_metrics
from sparkify.ml.probability_limits import MAX_PROBABILITY, MIN_PROBABILITY

TOP_DECILE = 0.1
CALIBRATION_GROUPS = 10
BASELINE = "baseline_"  # prefix of columns that rank without a model


# scipy.special.logit and expit differ from the next two functions in the last digit.
def log_odds(probability: Array) -> Array:
    """Return the logarithm of p / (1 - p), with p kept off 0 and 1."""
    clipped = probability.clip(MIN_PROBABILITY, MAX_PROBABILITY)
    return np.asarray(np.log(clipped / (1 - clipped)))


def probability_from_log_odds(logits: Array) -> Array:
    """Return the probability with these log-odds."""
    return np.asarray(1 / (1 + np.exp(-logits)))


def auc(churned: Array, score: Array, weight: Array) -> float:
    """Return the area under the ROC curve: how often a churner is scored above a non-churner.

    An equal score counts as half (Mann and Whitney 1947).
    """
    churner_weights, weights = _sum_weights_by_score(churned, score, weight)
    rest = weights - churner_weights
    below = rest.sum() - rest.cumsum()
    pairs = churner_weights.sum() * rest.sum()
    return float((churner_weights * (below + rest / 2)).sum() / pairs)


def average_precision(churned: Array, score: Array, weight: Array) -> float:
    """Return the mean precision over churners, each at the highest threshold that includes it."""
    churner_weights, weights = _sum_weights_by_score(churned, score, weight)
    return float(
        (churner_weights * churner_weights.cumsum() / weights.cumsum()).sum()
        / churner_weights.sum()
    )


def lift_in_top_decile(churned: Array, score: Array, weight: Array) -> float:
    """Return the churn rate of the highest-scored tenth of the rows, over the base rate.

    Rows tied at the boundary of the tenth count in proportion.
    """
    churner_weights, weights = _sum_weights_by_score(churned, score, weight)
    tenth = TOP_DECILE * weights.sum()
    before = np.cumsum(weights) - weights
    share = np.clip((tenth - before) / np.maximum(weights, 1e-12), 0, 1)
    return float((share * churner_weights).sum() / tenth / (churner_weights.sum() / weights.sum()))


def _sum_weights_by_score(churned: Array, score: Array, weight: Array) -> tuple[Array, Array]:
    """Return the weights of churners and of all rows by distinct score, the highest first."""
    churner_weights, weights = _sum_by_score(score, weight * churned, weight)
    return churner_weights, weights


def _sum_by_score(score: Array, *values: Array) -> list[Array]:
    """Return the sums of each of `values` by distinct score, the highest first.

    Fast for rows that are sorted already.
    """
    order = np.argsort(-score, kind="stable")
    descending = score[order]
    starts = np.flatnonzero(np.append(True, descending[1:] != descending[:-1]))
    return [np.add.reduceat(one[order], starts) for one in values]


def expected_calibration_error(churned: Array, probability: Array, weight: Array) -> float:
    """Return the mean absolute gap of forecast and churn rate over ten groups of equal size.

    The groups follow the order of the forecast (Naeini et al. 2015, with groups of equal size).
    Rows with equal forecasts, or of high weight, are split across groups in proportion.
    """
    sums = _sum_by_score(probability, weight, weight * (churned - probability))
    weights, gaps = (one.cumsum() for one in sums)
    bounds = np.linspace(0, weights[-1], CALIBRATION_GROUPS + 1)
    within = np.diff(np.interp(bounds, np.append(0, weights), np.append(0, gaps)))
    return float(np.abs(within).sum() / weights[-1])


def calibration_slope(churned: Array, probability: Array, weight: Array) -> float:
    """Return the slope of the observed log-odds on the predicted ones: 1 is perfect.

    Below 1 the forecasts are too extreme, above 1 too moderate (Cox 1958). 0 where all forecasts
    are equal, NaN where no finite slope fits best.
    """
    line = fit_calibration_line(churned, probability, weight)
    return line[0] if line else np.nan


def fit_calibration_line(
    churned: Array, probability: Array, weight: Array
) -> tuple[float, float] | None:
    """Fit slope and intercept of the observed log-odds on the predicted ones.

    Where all forecasts are equal the slope is 0, and the intercept the log-odds of the base rate.
    None if the forecasts separate churners from non-churners: a steeper line always fits better.
    """
    forecast = log_odds(probability)
    if np.ptp(forecast) == 0:
        return 0.0, float(log_odds(np.array(_mean(churned, weight))))
    churner_log_odds, other_log_odds = forecast[churned == 1], forecast[churned == 0]
    if (
        churner_log_odds.min() >= other_log_odds.max()
        or churner_log_odds.max() <= other_log_odds.min()
    ):
        return None
    # Newton's method converges quadratically: this tolerance takes one or two more steps than the
    # default, and makes the line exact to 1e-8.
    line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, warm_start=True)
    line.coef_, line.intercept_ = np.ones((1, 1)), np.zeros(1)  # a perfect forecast is the start
    line.fit(forecast[:, None], churned, sample_weight=weight)
    return float(line.coef_[0, 0]), float(line.intercept_[0])


# y: churned, p: probability, d: predicted, w: weight.
# scikit-learn's AUC, average precision, log loss and Brier score have the same results, but take a
# millisecond a call. A bootstrap makes ten thousand calls.
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


def _mean(values: Array, weight: Array) -> float:
    return float(np.average(values, weights=weight))


def _share(part: Array, whole: Array) -> float:
    return float(part.sum() / whole.sum()) if whole.sum() else 0.0


def compare_forecasts(first: pd.DataFrame, second: pd.DataFrame, bootstrap: Bootstrap) -> Estimates:
    """Estimate how much worse the second forecast is than the first, on the same resamples.

    Both have the same rows in the same order. Returns AUC and average precision lost and log loss
    added, as `estimate_metrics` does.
    """
    return _compare(first, second["probability"], COSTS, bootstrap)


def _compare(
    rows: pd.DataFrame, other: pd.Series, metrics: dict[str, Metric], bootstrap: Bootstrap
) -> Estimates:
    """Estimate metrics that compare the forecast with another one, passed as `predicted`."""
    both = rows.assign(predicted=other.to_numpy())
    return estimate_metrics(both, metrics, bootstrap, allow_flat=True)


def _first_minus_second(metric: Metric) -> Metric:
    return lambda y, p, q, w: metric(y, p, q, w) - metric(y, q, p, w)


def _second_minus_first(metric: Metric) -> Metric:
    return lambda y, p, q, w: metric(y, q, p, w) - metric(y, p, q, w)


GAINS = {name: _first_minus_second(RANKING[name]) for name in ("auc", "average_precision")}
COSTS = {**GAINS, "log_loss": _second_minus_first(PROBABILITY["log_loss"])}


def evaluate_predictions(
    predictions: pd.DataFrame, threshold: float, bootstrap: Bootstrap | None
) -> dict[str, Any]:
    """Count users, snapshots and churners, and compute every metric with its interval.

    A row is predicted to churn if its probability is at least the threshold.
    """
    metrics = RANKING | PROBABILITY | CALIBRATION | DECISION
    predicted = predictions["probability"] >= threshold
    return {
        "users": int(predictions["user_id"].nunique()),
        "snapshots": len(predictions),
        "churned": int(predictions["churned"].sum()),
        "base_rate": float(predictions["churned"].mean()) if len(predictions) else 0.0,
        "threshold": threshold,
        **estimate_metrics(predictions.assign(predicted=predicted), metrics, bootstrap),
    }


def evaluate_baselines(
    predictions: pd.DataFrame, train_base_rate: float, bootstrap: Bootstrap
) -> dict[str, Any]:
    """Evaluate simple forecasts without a model, on the same rows.

    `base_rate` forecasts the training's churn rate for all customers. It does not rank, so its AUC
    and lift have no interval. The other baselines only rank.
    """
    constant = predictions.assign(probability=train_base_rate)
    varying = {"average_precision": RANKING["average_precision"], **PROBABILITY}
    ranked = {
        name: estimate_metrics(predictions.assign(probability=score), RANKING, bootstrap)
        for name, score in _baseline_scores(predictions).items()
    }
    base_rate = estimate_metrics(constant, RANKING, None)
    base_rate |= estimate_metrics(constant, varying, bootstrap)
    return {"base_rate": base_rate, **ranked}


def measure_gain_over_baselines(
    predictions: pd.DataFrame, bootstrap: Bootstrap
) -> dict[str, Estimates]:
    """Compute AUC and average precision of the forecast minus each ranking baseline's, by name.

    Both are computed on the same resamples of users.
    """
    return {
        name: _compare(predictions, score, GAINS, bootstrap)
        for name, score in _baseline_scores(predictions).items()
    }


def _baseline_scores(predictions: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the columns that rank without a model, by the baseline's name."""
    return {
        column.removeprefix(BASELINE): predictions[column]
        for column in predictions.columns
        if column.startswith(BASELINE)
    }


def find_best_f1_threshold(probability: pd.Series) -> float:
    """Return the threshold with the highest expected F1 of calibrated probabilities.

    Among the k highest, the expected number of churners is the sum of their probabilities (Lipton
    et al. 2014). Labels are not used: with a few dozen churners they mostly show chance.

    Args:
        probability: calibrated probabilities, predicted out of fold.
    """
    descending = np.sort(probability.to_numpy(float))[::-1]
    expected = descending.cumsum()
    predicted = np.arange(1, len(descending) + 1)
    is_last_of_equals = np.append(descending[:-1] > descending[1:], True)
    f1 = np.where(is_last_of_equals, 2 * expected / (predicted + expected[-1]), 0)
    best = int(f1.argmax())
    below = descending[best + 1] if best + 1 < len(descending) else 0.0
    return float((descending[best] + below) / 2)
