from math import log

import pandas as pd
import pytest

from sparkify.pipelines.modelling import selection
from sparkify.pipelines.modelling.candidates import Trial
from sparkify.pipelines.modelling.parameters import ModellingParameters

REGULARISED = [Trial("logistic_regression", {"regParam": value}) for value in (0.3, 0.03)]


def predictions(*rows: tuple[int, int, bool, float]) -> pd.DataFrame:
    """Return predictions by trial, fold, label and probability."""
    table = pd.DataFrame(rows, columns=["trial", "fold", "churned", "probability"])
    return table.assign(repeat=0)


# Trial 1 ranks the churner first in both folds; trial 0 ranks the first fold's churner second.
TWO_TRIALS = predictions(
    *[(0, 0, True, 0.5), (0, 0, False, 0.6), (0, 0, False, 0.1)],
    *[(0, 1, True, 0.8), (0, 1, False, 0.4), (0, 1, False, 0.1)],
    *[(1, 0, True, 0.5), (1, 0, False, 0.4), (1, 0, False, 0.1)],
    *[(1, 1, True, 0.5), (1, 1, False, 0.4), (1, 1, False, 0.1)],
)


def test_a_fold_is_scored_by_average_precision_or_log_loss() -> None:
    scores = selection.score_folds([TWO_TRIALS])["average_precision"]
    assert scores.to_dict() == {(0, 0, 0): 0.5, (0, 0, 1): 1, (1, 0, 0): 1, (1, 0, 1): 1}
    losses = selection.score_folds([TWO_TRIALS])["log_loss"]
    assert losses[0, 0, 0] == pytest.approx((log(0.5) + log(0.4) + log(0.9)) / 3)
    assert losses[1, 0, 1] == pytest.approx((log(0.5) + log(0.6) + log(0.9)) / 3)


def test_a_fold_without_a_churner_is_left_out() -> None:
    no_churners = predictions((0, 2, False, 0.4), (0, 2, False, 0.1))
    scores = selection.score_folds([pd.concat([TWO_TRIALS, no_churners])])["average_precision"]
    assert list(scores.index) == [(0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 0, 1)]


def test_trials_are_compared_fold_by_fold_with_the_best() -> None:
    scores = selection.score_folds([TWO_TRIALS])
    table = selection.compare_trials(scores, REGULARISED, "average_precision")
    assert table["trial"].tolist() == [1, 0]
    assert table["candidate"].tolist() == ["logistic_regression"] * 2
    assert table["settings"].tolist() == ["regParam=0.03", "regParam=0.3"]
    assert table["average_precision"].tolist() == [1, 0.75]
    # Behind by 0.5 in one fold and by 0 in the other.
    assert table["behind"].tolist() == [0, 0.25]
    assert table["behind_error"].tolist() == [0, pytest.approx(0.25)]
    assert table["folds"].tolist() == [2, 2]
    losses = -selection.score_folds([TWO_TRIALS])["log_loss"].groupby("trial").mean()
    assert table.set_index("trial")["log_loss"].to_dict() == pytest.approx(losses.to_dict())


def test_trials_are_compared_by_the_score_that_selects() -> None:
    certain = TWO_TRIALS.assign(
        probability=TWO_TRIALS["probability"].where(TWO_TRIALS["trial"] == 0, 0.01)
    )
    table = selection.compare_trials(selection.score_folds([certain]), REGULARISED, "log_loss")
    assert table["trial"].tolist() == [0, 1]
    losses = table.set_index("trial")["log_loss"]
    assert table["behind"].tolist() == pytest.approx([0, losses[1] - losses[0]])


@pytest.mark.parametrize(
    ("trials", "selected"),
    [
        ([(2, 0.0, 0.0), (1, 0.03, 0.05), (0, 0.04, 0.03)], 1),  # trial 0 is measurably behind
        ([(2, 0.0, 0.0), (1, 0.03, 0.05), (0, 0.04, 0.04)], 0),  # by exactly one standard error
        ([(2, 0.0, 0.0), (1, 0.03, 0.02), (0, 0.04, 0.03)], 2),
        ([(0, 0.0, 0.0), (1, 0.0, 0.0)], 0),
        ([(1, 0.0, 0.0), (0, 0.01, 0.0)], 1),  # a single fold has no standard error
    ],
)
def test_the_simplest_trial_that_is_not_measurably_behind_wins(
    trials: list[tuple[int, float, float]], selected: int
) -> None:
    cv_results = pd.DataFrame(trials, columns=["trial", "behind", "behind_error"])
    assert selection.choose_simplest(cv_results) == selected


def test_the_best_of_each_candidate_comes_from_the_table(modelling: ModellingParameters) -> None:
    grids = {"logistic_regression": {"regParam": [0.3, 0.03]}, "xgboost": {"max_depth": [2]}}
    both = modelling.model_copy(update={"candidates": grids})
    candidates = ["logistic_regression", "xgboost", "logistic_regression"]
    best_first = pd.DataFrame({"trial": [1, 2, 0], "candidate": candidates})
    assert selection.select_best_trials(best_first, both) == {
        "logistic_regression": REGULARISED[1],
        "xgboost": Trial("xgboost", {"max_depth": 2}),
    }
