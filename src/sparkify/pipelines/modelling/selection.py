"""The choice of a champion by what the trials forecast out of fold."""

from collections.abc import Iterable, Sequence

import pandas as pd
from sklearn.metrics import average_precision_score, log_loss

from sparkify.pipelines.modelling.candidates import Trial, list_trials
from sparkify.pipelines.modelling.parameters import ModellingParameters

FOLD_KEYS = ["repeat", "fold"]


def fold_scores(predictions: pd.DataFrame, selection: str) -> pd.Series:
    """Score each fold of each trial: a series by `trial`, `repeat` and `fold`; more is better.

    Folds without a churner are left out. A log loss counts with its sign turned.
    """
    scores = {}
    for key, fold in predictions.groupby(["trial", *FOLD_KEYS]):
        if fold["churned"].any():
            scores[key] = (
                average_precision_score(fold["churned"], fold["probability"])
                if selection == "average_precision"
                else -log_loss(fold["churned"], fold["probability"], labels=[False, True])
            )
    return pd.Series(scores).rename_axis(["trial", *FOLD_KEYS])


def best_of_each(best_first: Iterable[Trial]) -> dict[str, Trial]:
    """Return the best trial of each candidate, by its name."""
    best: dict[str, Trial] = {}
    for trial in best_first:
        best.setdefault(trial.candidate, trial)
    return best


def ranked(cv_results: pd.DataFrame, parameters: ModellingParameters) -> list[Trial]:
    """Return the trials that were fitted, the best first."""
    competing = list_trials(parameters)
    return [competing[place] for place in cv_results["trial"]]


def compared(predictions: pd.DataFrame, competing: Sequence[Trial], selection: str) -> pd.DataFrame:
    """Compare the trials: one row per trial, the best first.

    `average_precision` and `log_loss` are means over folds, `average_precision_error` is the
    standard error of the former. `behind` is how much worse a trial is than the best, fold by
    fold, by the score that selects, and `behind_error` the standard error of this difference: the
    folds are the same for all, and what makes one of them hard does so for every trial. Errors
    are 0 where only one fold has a churner.
    """
    scores = {name: fold_scores(predictions, name) for name in ("average_precision", "log_loss")}
    selecting = scores[selection].unstack("trial")
    best = selecting.mean().idxmax()
    behind = selecting.rsub(selecting[best], axis="index")
    table = pd.DataFrame(
        {
            **_names(competing),
            "average_precision": scores["average_precision"].groupby("trial").mean(),
            "log_loss": -scores["log_loss"].groupby("trial").mean(),
            "average_precision_error": scores["average_precision"].groupby("trial").sem().fillna(0),
            "behind": behind.mean(),
            "behind_error": behind.sem().fillna(0),
            "folds": selecting.count(),
        }
    )
    return (
        table.rename_axis("trial").reset_index().sort_values(["behind", "trial"], ignore_index=True)
    )


def fit_times(predictions: pd.DataFrame, competing: Sequence[Trial]) -> pd.DataFrame:
    """List how long the trials took: one row per trial, `fit_seconds` the mean time of a fit."""
    of_fit = predictions.groupby(["trial", *FOLD_KEYS])["fit_seconds"].first()
    table = pd.DataFrame({**_names(competing), "fit_seconds": of_fit.groupby("trial").mean()})
    return table.rename_axis("trial").reset_index()


def _names(competing: Sequence[Trial]) -> dict[str, list[str]]:
    """Return the candidates and settings of trials, as columns."""
    return {
        "candidate": [trial.candidate for trial in competing],
        "settings": [
            ", ".join(f"{key}={value:g}" for key, value in trial.settings.items())
            for trial in competing
        ],
    }


def simplest_of_the_best(compared: pd.DataFrame) -> int:
    """Return the first trial within one standard error of the best: the simplest, as listed.

    The one-standard-error rule (Breiman et al. 1984), with the standard error of the difference:
    what is not measurably better is not worth being more complex. `modelling.candidates` lists
    the simplest first.
    """
    is_good_enough = compared["behind"] <= compared["behind_error"]
    return int(compared.loc[is_good_enough, "trial"].min())
