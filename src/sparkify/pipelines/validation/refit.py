"""Fit trials to other rows or inputs, and evaluate their predictions."""

from typing import Any

import pandas as pd
from pyspark.sql import DataFrame

from sparkify.ml import metrics
from sparkify.ml.bootstrap import Bootstrap, estimate_metrics, flatten_estimates
from sparkify.pipelines.modelling import cross_validation
from sparkify.pipelines.modelling.candidates import Trial, list_trials
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

RANKING = {name: metrics.RANKING[name] for name in ("auc", "average_precision")}


def select_champion_and_simplest(
    champion: dict[str, Any], cv_results: pd.DataFrame, modelling: ModellingParameters
) -> list[Trial]:
    """Return the champion's trial, and the first candidate's best trial if that is different."""
    trials, winner = list_trials(modelling), Trial.from_description(champion)
    first_results = cv_results[cv_results["candidate"] == trials[0].candidate]
    simplest = trials[int(first_results["trial"].iloc[0])]
    return [winner] if simplest.candidate == winner.candidate else [winner, simplest]


def refit_and_predict(
    train: DataFrame,
    test: DataFrame,
    trial: Trial,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> pd.DataFrame:
    """Fit a trial and predict, without calibration: one row per row of `test`, sorted by key."""
    with cross_validation.prepared_rows(train, inputs, modelling) as prepared:
        model = cross_validation.fit_trial(prepared, trial, modelling)
        return to_sorted_pandas(cross_validation.predict_uncalibrated(model, test), *KEYS)


def evaluate_ranking(forecast: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, float]:
    """Return AUC and average precision with the bounds of their intervals, by column name."""
    return flatten_estimates(estimate_metrics(forecast, RANKING, bootstrap))
