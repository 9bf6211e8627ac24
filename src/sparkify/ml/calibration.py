"""Probabilities that come true: calibration learnt on predictions made out of fold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pyspark.ml import Transformer
from pyspark.ml.feature import SQLTransformer
from pyspark.ml.regression import IsotonicRegression, IsotonicRegressionModel
from pyspark.sql import SparkSession
from sklearn.isotonic import IsotonicRegression as Isotonic
from sklearn.metrics import log_loss

from sparkify.ml.churn_probability import UNCALIBRATED
from sparkify.ml.log_odds import LEAST, MOST, Array, log_odds, of_log_odds
from sparkify.ml.metrics import calibration_line


def best_calibration(out_of_fold: pd.DataFrame, methods: tuple[str, ...]) -> str:
    """Name the method that improves the log loss most, if it measurably does.

    Each fold is judged by what the others of the same repeat teach: another repeat has its users.
    A method takes the place of the first one only if it is better by more than the standard
    error of the difference over folds.

    Args:
        out_of_fold: one row per prediction: `churned`, `probability`, `repeat` and `fold`.
        methods: of `none`, `platt` and `isotonic`; the first stays unless another is better.
    """
    losses = pd.DataFrame({method: _fold_losses(out_of_fold, method) for method in methods})
    gains = losses.rsub(losses[methods[0]], axis="index")
    best = str(gains.mean().idxmax())
    if float(gains.mean()[best]) <= float(gains.sem()[best]):
        return methods[0]
    churned = out_of_fold["churned"].to_numpy(float)
    probability = out_of_fold["probability"].to_numpy(float)
    # A falling line would turn the ranking around: it comes from forecasts that are worth nothing.
    is_falling = best == "platt" and platt(churned, probability)[0] <= 0
    return methods[0] if is_falling else best


def _fold_losses(out_of_fold: pd.DataFrame, method: str) -> list[float]:
    """Return the log loss of every fold of every repeat."""
    return [
        float(log_loss(rows["churned"].astype(bool), rows["probability"], labels=[False, True]))
        for _, rows in cross_calibrated(out_of_fold, method).groupby(["repeat", "fold"])
    ]


def cross_calibrated(out_of_fold: pd.DataFrame, method: str) -> pd.DataFrame:
    """Calibrate each fold by what the other folds of its repeat teach."""
    calibrated = []
    for (repeat, fold), held_out in out_of_fold.groupby(["repeat", "fold"]):
        is_of_repeat = out_of_fold["repeat"] == repeat
        learnt = out_of_fold[is_of_repeat & (out_of_fold["fold"] != fold)]
        probability = _calibrated(
            learnt["churned"].to_numpy(float),
            learnt["probability"].to_numpy(float),
            held_out["probability"].to_numpy(float),
            method,
        )
        calibrated.append(held_out.assign(probability=probability))
    return pd.concat(calibrated, ignore_index=True)


def _calibrated(churned: Array, probability: Array, new: Array, method: str) -> Array:
    if method == "none" or len(np.unique(churned)) < 2:
        return new
    if method == "platt":
        slope, intercept = platt(churned, probability)
        return of_log_odds(intercept + slope * log_odds(new)).clip(LEAST, MOST)
    isotonic = Isotonic(y_min=LEAST, y_max=MOST, out_of_bounds="clip")
    return np.asarray(isotonic.fit(probability, churned).predict(new))


def platt(churned: Array, probability: Array) -> tuple[float, float]:
    """Fit slope and intercept of the log-odds that came true on those that were forecast.

    Forecasts that separate churners from others are left as they are.
    """
    return calibration_line(churned, probability, np.ones(len(churned))) or (1.0, 0.0)


def learn_calibration(
    spark: SparkSession, out_of_fold: pd.DataFrame, method: str
) -> dict[str, Any]:
    """Return the parameters of a calibration, learnt from predictions made out of fold.

    `slope` and `intercept` of `platt`; `boundaries` and `predictions` of `isotonic`.

    Args:
        spark: the session to fit an isotonic calibration with.
        out_of_fold: as for `best_calibration`.
        method: `none`, `platt` or `isotonic`.
    """
    churned = out_of_fold["churned"].to_numpy(float)
    probability = out_of_fold["probability"].to_numpy(float)
    if method == "platt":
        return dict(zip(("slope", "intercept"), platt(churned, probability), strict=True))
    if method == "isotonic":
        model = _fit_isotonic(spark, probability, churned)
        return {
            "boundaries": model.boundaries.toArray().tolist(),
            "predictions": model.predictions.toArray().tolist(),
        }
    return {}


def calibration_stages(
    spark: SparkSession, method: str, parameters: Mapping[str, Any]
) -> list[Transformer]:
    """Return the last stages of a model: from `uncalibrated` to `probability`.

    Args:
        spark: the session to make an isotonic calibration with.
        method: `none`, `platt` or `isotonic`.
        parameters: as `learn_calibration` returns them.
    """
    stages: list[Transformer] = []
    formula = UNCALIBRATED
    if method == "isotonic":
        # Spark has no other way to make a model: isotonic points fitted again stay as they are.
        stages = [_fit_isotonic(spark, parameters["boundaries"], parameters["predictions"])]
        formula = "isotonic"
    elif method == "platt":
        slope, intercept = parameters["slope"], parameters["intercept"]
        odds = f"{UNCALIBRATED} / (1 - {UNCALIBRATED})"
        formula = f"1 / (1 + exp(-({intercept!r} + {slope!r} * ln({odds}))))"
    clipped = f"greatest({LEAST!r}, least({MOST!r}, {formula}))"
    calibrated = f"SELECT *, {clipped} AS probability FROM __THIS__"  # noqa: S608 -- own names
    return [*stages, SQLTransformer(statement=calibrated)]


def _fit_isotonic(spark: SparkSession, probability: Any, outcome: Any) -> IsotonicRegressionModel:
    rows = pd.DataFrame({"label": outcome, UNCALIBRATED: probability})
    isotonic = IsotonicRegression(featuresCol=UNCALIBRATED, predictionCol="isotonic")
    model: IsotonicRegressionModel = isotonic.fit(spark.createDataFrame(rows))
    return model


def calibrated(out_of_fold: pd.DataFrame, method: str) -> pd.Series:
    """Calibrate predictions made out of fold by what the method learns from all of them."""
    churned = out_of_fold["churned"].to_numpy(float)
    probability = out_of_fold["probability"].to_numpy(float)
    return pd.Series(_calibrated(churned, probability, probability, method), out_of_fold.index)
