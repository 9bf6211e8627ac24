"""Comparison of trials by their out-of-fold predictions, and the choice of one."""

from collections.abc import Iterable, Sequence

import pandas as pd
from sklearn.metrics import average_precision_score, log_loss

from sparkify.pipelines.modelling.candidates import Trial, list_trials
from sparkify.pipelines.modelling.parameters import ModellingParameters

FOLD_KEYS = ["trial", "repeat", "fold"]


def score_folds(predictions: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Score each fold of each trial: one row by `trial`, `repeat` and `fold`; more is better.

    The columns are `average_precision` and `log_loss`, negated. Folds without a churner are left
    out.

    Args:
        predictions: the out-of-fold predictions, one trial at a time, sorted by key.
    """
    scores = {
        key: {
            "average_precision": average_precision_score(fold["churned"], fold["probability"]),
            "log_loss": -log_loss(fold["churned"], fold["probability"], labels=[False, True]),
        }
        for trial in predictions
        for key, fold in trial.groupby(FOLD_KEYS)
        if fold["churned"].any()
    }
    return pd.DataFrame.from_dict(scores, orient="index").rename_axis(FOLD_KEYS)


def select_best_trials(
    cv_results: pd.DataFrame, parameters: ModellingParameters
) -> dict[str, Trial]:
    """Return the best trial of each candidate, by its name, the best candidate first."""
    trials = list_trials(parameters)
    best = cv_results.drop_duplicates("candidate")
    return {trials[number].candidate: trials[number] for number in best["trial"]}


def compare_trials(scores: pd.DataFrame, trials: Sequence[Trial], selection: str) -> pd.DataFrame:
    """Compare the trials by the scores of their folds: one row per trial, the best first.

    `average_precision` and `log_loss` are means over folds. `average_precision_error` is the
    standard error of the first. `behind` is the mean difference to the best trial, in the score
    that selects. `behind_error` is its standard error, computed fold by fold: all trials have the
    same folds, and a hard fold is hard for all. Errors are 0 if only one fold has a churner.
    """
    by_fold = scores[selection].unstack("trial")
    best = by_fold.mean().idxmax()
    behind = by_fold.rsub(by_fold[best], axis="index")
    settings = [[f"{key}={value:g}" for key, value in trial.settings.items()] for trial in trials]
    table = pd.DataFrame(
        {
            "candidate": [trial.candidate for trial in trials],
            "settings": [", ".join(each) for each in settings],
            "average_precision": scores["average_precision"].groupby("trial").mean(),
            "log_loss": -scores["log_loss"].groupby("trial").mean(),
            "average_precision_error": scores["average_precision"].groupby("trial").sem().fillna(0),
            "behind": behind.mean(),
            "behind_error": behind.sem().fillna(0),
            "folds": by_fold.count(),
        }
    )
    numbered = table.rename_axis("trial").reset_index()
    return numbered.sort_values(["behind", "trial"], ignore_index=True)


def choose_simplest(cv_results: pd.DataFrame) -> int:
    """Return the first trial within one standard error of the best: the simplest, as listed.

    The one-standard-error rule (Breiman et al. 1984), with the standard error of the difference:
    a more complex trial has to be measurably better. `modelling.candidates` lists the simplest
    first.
    """
    is_good_enough = cv_results["behind"] <= cv_results["behind_error"]
    return int(cv_results.loc[is_good_enough, "trial"].min())
