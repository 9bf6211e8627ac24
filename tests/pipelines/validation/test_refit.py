import pandas as pd
import pytest

from sparkify.ml.bootstrap import Bootstrap
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
    beside = refit.champion_and_simplest(champion, results, two)
    assert [trial.label for trial in beside] == [
        "xgboost (max_depth 2)",
        "logistic regression (regParam 0.03)",
    ]
    assert len(refit.champion_and_simplest(CHAMPION, results, two)) == 1


def forecast(*probabilities: float) -> pd.DataFrame:
    churned = [True, False, True, False]
    rows = {"user_id": list("abcd"), "cutoff": "2018-11-07", "churned": churned}
    return pd.DataFrame({**rows, "probability": probabilities})


BOOTSTRAP = Bootstrap(resamples=20, seed=7, min_churned=5)
FEW = BOOTSTRAP._replace(min_churned=1)


def test_a_forecast_that_ranks_worse_and_is_surer_of_it_costs() -> None:
    right, wrong = forecast(0.9, 0.2, 0.8, 0.1), forecast(0.9, 0.8, 0.2, 0.1)
    found = refit.costs(right, wrong, FEW)
    assert found["auc_cost"] == pytest.approx(0.25)
    assert found["average_precision_cost"] > 0
    assert found["log_loss_cost"] > 0
    assert found["auc_low"] <= found["auc_cost"] <= found["auc_high"]
    assert refit.costs(right, right, BOOTSTRAP)["log_loss_cost"] == 0


def test_a_ranking_has_the_bounds_of_its_interval() -> None:
    found = refit.ranking(forecast(0.9, 0.8, 0.2, 0.1), FEW)
    assert found["auc"] == pytest.approx(0.75)
    assert found["auc_low"] <= 0.75 <= found["auc_high"]
