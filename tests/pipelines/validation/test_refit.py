import pandas as pd
import pytest

from sparkify.ml.bootstrap import Bootstrap
from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.pipelines.validation import refit

CHAMPION = {"candidate": "logistic_regression", "settings": {"regParam": 0.3}}


def test_the_simplest_candidate_is_added_to_a_different_champion(
    modelling: ModellingParameters,
) -> None:
    grids = {"logistic_regression": {"regParam": [0.3, 0.03]}, "xgboost": {"max_depth": [2]}}
    two = modelling.model_copy(update={"candidates": grids})
    results = pd.DataFrame(
        {"candidate": ["xgboost", "logistic_regression", "logistic_regression"], "trial": [2, 1, 0]}
    )
    champion = {"candidate": "xgboost", "settings": {"max_depth": 2}}
    trials = refit.select_champion_and_simplest(champion, results, two)
    assert [str(trial) for trial in trials] == [
        "xgboost (max_depth 2)",
        "logistic_regression (regParam 0.03)",
    ]
    assert len(refit.select_champion_and_simplest(CHAMPION, results, two)) == 1


def create_forecast(*probabilities: float) -> pd.DataFrame:
    churned = [True, False, True, False]
    rows = {"user_id": list("abcd"), "cutoff": "2018-11-07", "churned": churned}
    return pd.DataFrame({**rows, "probability": probabilities})


def test_ranking_metrics_have_intervals() -> None:
    ranking = refit.evaluate_ranking(create_forecast(0.9, 0.8, 0.2, 0.1), Bootstrap(20, 7, 1))
    assert ranking["auc"] == pytest.approx(0.75)
    assert ranking["auc_low"] <= 0.75 <= ranking["auc_high"]
