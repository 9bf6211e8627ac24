"""Calibration of a classifier's probabilities, as the last stages of a model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pyspark.ml import Transformer
from pyspark.ml.feature import SQLTransformer
from pyspark.ml.functions import vector_to_array
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.regression import IsotonicRegression, IsotonicRegressionModel
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.isotonic import IsotonicRegression as Isotonic
from sklearn.metrics import log_loss

from sparkify.ml.bootstrap import Array
from sparkify.ml.metrics import (
    fit_calibration_line,
    log_odds,
    probability_from_log_odds,
)
from sparkify.ml.probability_limits import MAX_PROBABILITY, MIN_PROBABILITY

UNCALIBRATED = "uncalibrated"


class ChurnProbability(
    Transformer,
    HasInputCol,
    HasOutputCol,
    DefaultParamsReadable["ChurnProbability"],
    DefaultParamsWritable,
):
    """Extracts the probability of the positive class from a classifier's vector."""

    def __init__(self, inputCol: str = "", outputCol: str = "") -> None:  # noqa: N803 -- Spark ML's
        super().__init__()
        self._set(inputCol=inputCol, outputCol=outputCol)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        positive = vector_to_array(F.col(self.getInputCol()))[1]
        clipped = F.greatest(F.lit(MIN_PROBABILITY), F.least(F.lit(MAX_PROBABILITY), positive))
        return dataset.withColumn(self.getOutputCol(), clipped)


def select_calibration(out_of_fold: pd.DataFrame, methods: tuple[str, ...]) -> str:
    """Return the method with the lowest cross-validated log loss, or the first if none is better.

    Each fold is calibrated with the other folds of its repeat only, since other repeats include
    the fold's users. A method replaces the first one only if it is better by more than the
    standard error of the difference over folds.

    Args:
        out_of_fold: one row per prediction: `churned`, `probability`, `repeat` and `fold`.
        methods: from `none`, `platt` and `isotonic`; the first is the default.
    """
    losses = pd.DataFrame({method: _compute_fold_losses(out_of_fold, method) for method in methods})
    gains = losses.rsub(losses[methods[0]], axis="index")
    best = str(gains.mean().idxmax())
    if float(gains.mean()[best]) <= float(gains.sem()[best]):
        return methods[0]
    # A negative slope would reverse the ranking; it results from uninformative forecasts.
    is_falling = best == "platt" and fit_platt(*_get_label_and_probability(out_of_fold))[0] <= 0
    return methods[0] if is_falling else best


def _compute_fold_losses(out_of_fold: pd.DataFrame, method: str) -> list[float]:
    """Return the log loss of every fold of every repeat."""
    return [
        float(log_loss(rows["churned"].astype(bool), rows["probability"], labels=[False, True]))
        for _, rows in cross_calibrate(out_of_fold, method).groupby(["repeat", "fold"])
    ]


def cross_calibrate(out_of_fold: pd.DataFrame, method: str) -> pd.DataFrame:
    """Calibrate each fold with the other folds of its repeat."""
    calibrated = []
    for (repeat, fold), held_out in out_of_fold.groupby(["repeat", "fold"]):
        is_same_repeat = out_of_fold["repeat"] == repeat
        other_folds = out_of_fold[is_same_repeat & (out_of_fold["fold"] != fold)]
        raw = held_out["probability"].to_numpy(float)
        probability = _calibrate(*_get_label_and_probability(other_folds), raw, method)
        calibrated.append(held_out.assign(probability=probability))
    return pd.concat(calibrated, ignore_index=True)


def calibrate(out_of_fold: pd.DataFrame, method: str) -> pd.Series:
    """Calibrate out-of-fold predictions with a calibration fitted on all of them."""
    churned, probability = _get_label_and_probability(out_of_fold)
    return pd.Series(_calibrate(churned, probability, probability, method), out_of_fold.index)


def _calibrate(churned: Array, probability: Array, raw: Array, method: str) -> Array:
    if method == "none" or len(np.unique(churned)) < 2:
        return raw
    if method == "platt":
        slope, intercept = fit_platt(churned, probability)
        calibrated = probability_from_log_odds(intercept + slope * log_odds(raw))
        return calibrated.clip(MIN_PROBABILITY, MAX_PROBABILITY)
    isotonic = Isotonic(y_min=MIN_PROBABILITY, y_max=MAX_PROBABILITY, out_of_bounds="clip")
    return np.asarray(isotonic.fit(probability, churned).predict(raw))


def fit_platt(churned: Array, probability: Array) -> tuple[float, float]:
    """Fit slope and intercept of the observed log-odds on the predicted ones.

    Returns (1, 0), the identity, if the forecasts separate churners from non-churners.
    """
    return fit_calibration_line(churned, probability, np.ones(len(churned))) or (1.0, 0.0)


def _get_label_and_probability(predictions: pd.DataFrame) -> tuple[Array, Array]:
    return predictions["churned"].to_numpy(float), predictions["probability"].to_numpy(float)


def learn_calibration(
    spark: SparkSession, out_of_fold: pd.DataFrame, method: str
) -> dict[str, Any]:
    """Learn the parameters of a calibration from out-of-fold predictions.

    Returns `slope` and `intercept` (platt), `boundaries` and `predictions` (isotonic) or nothing.

    Args:
        spark: the session that fits an isotonic calibration.
        out_of_fold: as for `select_calibration`.
        method: `none`, `platt` or `isotonic`.
    """
    churned, probability = _get_label_and_probability(out_of_fold)
    if method == "platt":
        return dict(zip(("slope", "intercept"), fit_platt(churned, probability), strict=True))
    if method == "isotonic":
        model = _fit_isotonic(spark, probability, churned)
        return {
            "boundaries": model.boundaries.toArray().tolist(),
            "predictions": model.predictions.toArray().tolist(),
        }
    return {}


def build_calibration_stages(
    spark: SparkSession, method: str, parameters: Mapping[str, Any]
) -> list[Transformer]:
    """Return the last stages of a model: from `uncalibrated` to `probability`.

    Args:
        spark: the session that fits an isotonic calibration.
        method: `none`, `platt` or `isotonic`.
        parameters: as `learn_calibration` returns them.
    """
    stages: list[Transformer] = []
    formula = UNCALIBRATED
    if method == "isotonic":
        # Spark creates this model only by fitting: a fit to its own points reproduces them.
        stages = [_fit_isotonic(spark, parameters["boundaries"], parameters["predictions"])]
        formula = "isotonic"
    elif method == "platt":
        slope, intercept = parameters["slope"], parameters["intercept"]
        odds = f"{UNCALIBRATED} / (1 - {UNCALIBRATED})"
        formula = f"1 / (1 + exp(-({intercept!r} + {slope!r} * ln({odds}))))"
    clipped = f"greatest({MIN_PROBABILITY!r}, least({MAX_PROBABILITY!r}, {formula}))"
    statement = f"SELECT *, {clipped} AS probability FROM __THIS__"  # noqa: S608 -- fixed names
    return [*stages, SQLTransformer(statement=statement)]


def _fit_isotonic(spark: SparkSession, probability: Any, outcome: Any) -> IsotonicRegressionModel:
    rows = pd.DataFrame({"label": outcome, UNCALIBRATED: probability})
    isotonic = IsotonicRegression(featuresCol=UNCALIBRATED, predictionCol="isotonic")
    model: IsotonicRegressionModel = isotonic.fit(spark.createDataFrame(rows))
    return model
