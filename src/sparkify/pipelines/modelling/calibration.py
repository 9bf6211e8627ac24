"""Probabilities that come true: calibration learnt on predictions made out of fold."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.ml import Transformer
from pyspark.ml.feature import SQLTransformer
from pyspark.ml.functions import vector_to_array
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.regression import IsotonicRegression
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.isotonic import IsotonicRegression as Isotonic
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from sparkify.pipelines.modelling.candidates import RAW_PROBABILITY

Array = npt.NDArray[np.float64]
UNCALIBRATED, PROBABILITY = "uncalibrated", "probability"
# No forecast is certain: one that was and failed would cost an infinite logarithm.
LEAST, MOST = 1e-6, 1 - 1e-6


class ChurnProbability(
    Transformer,
    HasInputCol,
    HasOutputCol,
    DefaultParamsReadable["ChurnProbability"],
    DefaultParamsWritable,
):
    """Takes the probability of the positive class out of a classifier's vector."""

    def __init__(self, inputCol: str = "", outputCol: str = "") -> None:  # noqa: N803 -- Spark ML's
        super().__init__()
        self._set(inputCol=inputCol, outputCol=outputCol)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        of_churning = vector_to_array(F.col(self.getInputCol()))[1]
        clipped = F.greatest(F.lit(LEAST), F.least(F.lit(MOST), of_churning))
        return dataset.withColumn(self.getOutputCol(), clipped)


def best_calibration(out_of_fold: pd.DataFrame, methods: tuple[str, ...]) -> str:
    """Name the method with the least log loss, each judged on folds that it has not learnt from.

    Args:
        out_of_fold: one row per prediction: `churned`, `probability` and `fold`.
        methods: of `none`, `platt` and `isotonic`; the first wins a tie.
    """
    losses = {method: _log_loss(out_of_fold, method) for method in methods}
    return min(losses, key=lambda method: losses[method])


def _log_loss(out_of_fold: pd.DataFrame, method: str) -> float:
    calibrated = pd.Series(0.0, index=out_of_fold.index)
    for fold in out_of_fold["fold"].unique():
        is_held_out = out_of_fold["fold"] == fold
        learnt = out_of_fold[~is_held_out]
        calibrated[is_held_out] = _calibrated(
            learnt["churned"].to_numpy(float),
            learnt["probability"].to_numpy(float),
            out_of_fold.loc[is_held_out, "probability"].to_numpy(float),
            method,
        )
    return float(log_loss(out_of_fold["churned"].astype(bool), calibrated, labels=[False, True]))


def _calibrated(churned: Array, probability: Array, new: Array, method: str) -> Array:
    if method == "none" or len(np.unique(churned)) < 2:
        return new
    if method == "platt":
        slope, intercept = platt(churned, probability)
        return 1 / (1 + np.exp(-(intercept + slope * _log_odds(new))))
    isotonic = Isotonic(y_min=LEAST, y_max=MOST, out_of_bounds="clip")
    return np.asarray(isotonic.fit(probability, churned).predict(new))


def platt(churned: Array, probability: Array) -> tuple[float, float]:
    """Fit slope and intercept of the log-odds that came true on those that were forecast."""
    fitted = LogisticRegression(C=np.inf).fit(_log_odds(probability)[:, None], churned)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _log_odds(probability: Array) -> Array:
    clipped = probability.clip(LEAST, MOST)
    return np.asarray(np.log(clipped / (1 - clipped)))


def calibration_stages(
    spark: SparkSession, out_of_fold: pd.DataFrame, method: str, threshold: float
) -> list[Transformer]:
    """Return the last stages of a model: from `raw_probability` to `probability`, `predicted`.

    Args:
        spark: the session to fit an isotonic calibration with.
        out_of_fold: as for `best_calibration`.
        method: of `none`, `platt` and `isotonic`.
        threshold: the calibrated probability from which on `predicted` is true.
    """
    taken = ChurnProbability(inputCol=RAW_PROBABILITY, outputCol=UNCALIBRATED)
    decided = f"probability >= {threshold!r} AS predicted"
    if method == "isotonic":
        rows = out_of_fold[["churned", "probability"]].astype(float)
        rows.columns = pd.Index(["label", UNCALIBRATED])
        isotonic = IsotonicRegression(featuresCol=UNCALIBRATED, predictionCol="isotonic")
        fitted = isotonic.fit(spark.createDataFrame(rows))
        formula = f"greatest({LEAST!r}, least({MOST!r}, isotonic))"
        stages: list[Transformer] = [taken, fitted]
    elif method == "platt":
        churned = out_of_fold["churned"].to_numpy(float)
        slope, intercept = platt(churned, out_of_fold["probability"].to_numpy(float))
        odds = f"{UNCALIBRATED} / (1 - {UNCALIBRATED})"
        formula = f"1 / (1 + exp(-({intercept!r} + {slope!r} * ln({odds}))))"
        stages = [taken]
    else:
        formula, stages = UNCALIBRATED, [taken]
    calibrated = f"SELECT *, {formula} AS probability FROM __THIS__"  # noqa: S608 -- own names
    return [
        *stages,
        SQLTransformer(statement=calibrated),
        SQLTransformer(statement=f"SELECT *, {decided} FROM __THIS__"),  # noqa: S608
    ]


def calibrated(out_of_fold: pd.DataFrame, method: str) -> pd.Series:
    """Calibrate predictions made out of fold by what the method learns from all of them."""
    churned = out_of_fold["churned"].to_numpy(float)
    probability = out_of_fold["probability"].to_numpy(float)
    return pd.Series(_calibrated(churned, probability, probability, method), out_of_fold.index)
