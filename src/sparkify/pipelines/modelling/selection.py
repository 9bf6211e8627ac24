"""Cross-validation on folds of users."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
from pyspark import inheritable_thread_target
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from sklearn.metrics import average_precision_score, precision_recall_curve

from sparkify.pipelines.modelling.candidates import LABEL, Trial, pipeline, trials
from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.schemas import KEYS

logger = logging.getLogger(__name__)


def feature_columns(model_input: DataFrame) -> list[str]:
    """List the columns of a model input that a model may use."""
    return [name for name in model_input.columns if name not in (*KEYS, "churned", "fold", LABEL)]


def churn_probability() -> Column:
    """Return the probability of the positive class from a model's `probability` vector."""
    return vector_to_array(F.col("probability"))[1].alias("probability")


def _labelled(model_input: DataFrame) -> DataFrame:
    return model_input.withColumn(LABEL, F.col("churned").cast("double"))


def cross_validated(train: DataFrame, parameters: ModellingParameters) -> pd.DataFrame:
    """Predict every training row with every trial, fitted on the other folds.

    Returns:
        One row per trial and training row: `trial` (its place in `trials(parameters)`), the
        row's keys, `churned`, `fold`, `probability`, and the fit's `fit_seconds`.
    """
    competing = trials(parameters)
    inputs = feature_columns(train)
    labelled = _labelled(train).cache()

    def out_of_fold(place_and_fold: tuple[int, int]) -> pd.DataFrame:
        place, fold = place_and_fold
        unfitted = pipeline(competing[place], inputs, parameters.seed)
        start = time.perf_counter()
        model = unfitted.fit(labelled.where(F.col("fold") != fold))
        seconds = time.perf_counter() - start
        held_out = model.transform(labelled.where(F.col("fold") == fold))
        wanted = held_out.select(*KEYS, "churned", "fold", churn_probability())
        predicted: pd.DataFrame = wanted.orderBy(*KEYS).toPandas()
        logger.info("Fold %d of %s: %.1f s", fold + 1, competing[place], seconds)
        return predicted.assign(trial=place, fit_seconds=seconds)

    in_session = inheritable_thread_target(train.sparkSession)
    fits = [(place, fold) for place in range(len(competing)) for fold in range(parameters.folds)]
    try:
        with ThreadPoolExecutor(parameters.parallel_fits) as pool:
            predictions: list[pd.DataFrame] = list(pool.map(in_session(out_of_fold), fits))
    finally:
        labelled.unpersist()
    return pd.concat(predictions, ignore_index=True)


def compared(predictions: pd.DataFrame, parameters: ModellingParameters) -> pd.DataFrame:
    """Score every trial: one row per trial, the best first.

    `average_precision` is the mean over folds that hold a cancellation, `standard_error` that
    of this mean, `fit_seconds` the mean time of a fit.
    """
    rows = []
    for place, trial in enumerate(trials(parameters)):
        folds = predictions[predictions["trial"] == place].groupby("fold")
        scores = [
            average_precision_score(fold["churned"], fold["probability"])
            for _, fold in folds
            if fold["churned"].any()
        ]
        by_fold = pd.Series(scores)
        rows.append(
            {
                "trial": place,
                "candidate": trial.candidate,
                "settings": ", ".join(f"{key}={value:g}" for key, value in trial.settings.items()),
                "average_precision": by_fold.mean(),
                "standard_error": by_fold.sem(),
                "folds": len(by_fold),
                "fit_seconds": folds["fit_seconds"].first().mean(),
            }
        )
    return pd.DataFrame(rows).sort_values(
        ["average_precision", "trial"], ascending=[False, True], ignore_index=True
    )


def simplest_of_the_best(compared: pd.DataFrame) -> int:
    """Return the first trial within one standard error of the best: the simplest, as listed.

    The one-standard-error rule (Breiman et al. 1984): what is not measurably better is not
    worth being more complex. `modelling.candidates` lists the simplest first.
    """
    best = compared.iloc[0]
    good_enough = best["average_precision"] - best["standard_error"]
    return int(compared.loc[compared["average_precision"] >= good_enough, "trial"].min())


def best_f1_threshold(churned: pd.Series, probability: pd.Series) -> float:
    """Return the probability above which calling a row churned gives the best F1."""
    precision, recall, thresholds = precision_recall_curve(churned, probability)
    f1 = 2 * precision * recall / (precision + recall).clip(min=1e-12)
    best = int(f1[:-1].argmax())
    below = thresholds[best - 1] if best else 0.0
    return float((thresholds[best] + below) / 2)


def champion_model(
    train: DataFrame, trial: Trial, threshold: float, parameters: ModellingParameters
) -> PipelineModel:
    """Fit the winning trial on all training rows; its `prediction` follows the threshold."""
    labelled = _labelled(train).cache()
    unfitted = pipeline(trial, feature_columns(train), parameters.seed)
    classifier = unfitted.getStages()[-1]
    classifier.set(classifier.getParam("thresholds"), [1 - threshold, threshold])
    try:
        return unfitted.fit(labelled)
    finally:
        labelled.unpersist()
