"""The champion's settings fitted anew to other rows or inputs, and what that is worth."""

from typing import Any

import pandas as pd
from pyspark.sql import DataFrame

from sparkify.ml import metrics
from sparkify.ml.bootstrap import Bootstrap, in_one_row, with_intervals
from sparkify.pipelines.modelling import cross_validation
from sparkify.pipelines.modelling.candidates import Trial, list_trials
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters


def chosen(champion: dict[str, Any]) -> Trial:
    """Return the trial that won."""
    return Trial.of(champion)


def champion_and_simplest(
    champion: dict[str, Any], cv_results: pd.DataFrame, modelling: ModellingParameters
) -> list[Trial]:
    """Return the champion's trial, and the best one of the candidate that is listed first."""
    competing = list_trials(modelling)
    of_champion = chosen(champion)
    first = cv_results[cv_results["candidate"] == competing[0].candidate]
    simplest = competing[int(first["trial"].iloc[0])]
    return [of_champion] if simplest.candidate == of_champion.candidate else [of_champion, simplest]


def refitted(
    train: DataFrame,
    test: DataFrame,
    trial: Trial,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> pd.DataFrame:
    """Fit a trial anew and forecast, uncalibrated: one row per row of `test`."""
    with cross_validation.prepared_rows(train, inputs, modelling) as prepared:
        model = cross_validation.fit_trial(prepared, trial, modelling)
        return cross_validation.predict_uncalibrated(model, test)


def ranking(forecast: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, float]:
    """Return AUC and average precision with the bounds of their intervals, one column each."""
    wanted = {name: metrics.RANKING[name] for name in ("auc", "average_precision")}
    return in_one_row(with_intervals(forecast, wanted, bootstrap))


def costs(whole: pd.DataFrame, without: pd.DataFrame, bootstrap: Bootstrap) -> dict[str, float]:
    """Return what the second forecast loses against the first, on the same draws of users."""
    return in_one_row(metrics.costs(whole, without, bootstrap), "_cost")
