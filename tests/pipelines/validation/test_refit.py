import pandas as pd
import pytest

from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.pipelines.validation import refit

CHAMPION = {"candidate": "logistic_regression", "settings": {"regParam": 0.3}}


def test_the_simplest_candidate_stands_beside_another_champion(
    modelling: ModellingParameters,
) -> None:
    grids = {"logistic_regression": {"regParam": [0.3, 0.03]}, "xgboost": {"max_depth": [2]}}
    two = modelling.model_copy(update={"candidates": grids})
    results = pd.DataFrame(
        {"candidate": ["xgboost", "logistic_regression", "logistic_regression"], "trial": [2, 1, 0]}
    )
    champion = {"candidate": "xgboost", "settings": {"max_depth": 2}}
    beside = refit.select_champion_and_simplest(champion, results, two)
    assert [str(trial) for trial in beside] == [
        "xgboost (max_depth 2)",
        "logistic_regression (regParam 0.03)",
    ]
    assert len(refit.select_champion_and_simplest(CHAMPION, results, two)) == 1


def forecast(*probabilities: float) -> pd.DataFrame:
    churned = [True, False, True, False]
    rows = {"user_id": list("abcd"), "cutoff": "2018-11-07", "churned": churned}
    return pd.DataFrame({**rows, "probability": probabilities})


def few(modelling: ModellingParameters) -> ModellingParameters:
    return modelling.model_copy(update={"min_interval_churned": 1})


def test_a_ranking_has_the_bounds_of_its_interval(modelling: ModellingParameters) -> None:
    found = refit.evaluate_ranking(forecast(0.9, 0.8, 0.2, 0.1), few(modelling))
    assert found["auc"] == pytest.approx(0.75)
    assert found["auc_low"] <= 0.75 <= found["auc_high"]
