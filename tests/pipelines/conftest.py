from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.modelling import cross_validation as fitting
from sparkify.pipelines.modelling.candidates import Trial
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters

CUTOFFS = [date(2018, 10, 31), date(2018, 11, 7)]
TINY: dict[str, dict[str, float | int]] = {
    "logistic_regression": {"regParam": 0.3, "tol": 0.0001},
    "random_forest": {"numTrees": 3, "maxDepth": 2},
    "gradient_boosted_trees": {"maxIter": 2, "maxDepth": 1},
    "xgboost": {"n_estimators": 3, "max_depth": 2, "learning_rate": 0.3},
}


@pytest.fixture(scope="session")
def modelling(parameters: dict[str, Any]) -> ModellingParameters:
    """Return the mini environment's settings, with two folds and one small candidate."""
    linear = {name: [value] for name, value in TINY["logistic_regression"].items()}
    whole = parameters["modelling"]
    small = {
        "folds": 2,
        "candidates": {"logistic_regression": linear},
    }
    return whole.model_copy(update=small)


@pytest.fixture(scope="session")
def evaluation(parameters: dict[str, Any]) -> EvaluationParameters:
    """Return the mini environment's settings, with few resamples and the F1 threshold."""
    whole = parameters["evaluation"]
    by_f1 = whole.decision.model_copy(update={"threshold": "f1"})
    return whole.model_copy(update={"bootstrap_resamples": 20, "decision": by_f1})


@pytest.fixture(scope="session")
def inputs() -> InputParameters:
    """Return inputs from the features of `train`: a rate, a level and a time."""
    return InputParameters.model_validate(
        {
            "rates": {
                "thumbs_up_per_song": {
                    "count": "thumbs_up",
                    "per": "next_song",
                    "prior": 100,
                    "group": "thumbs",
                }
            },
            "plain": {
                "is_paid": {"group": "level"},
                "days_since_last_seen": {"group": "time", "log": True},
            },
            "moderator": "is_paid",
        }
    )


@pytest.fixture(scope="session")
def train(spark: SparkSession) -> DataFrame:
    """Return 80 users at two cutoffs; users with few thumbs up churn more often."""
    random = np.random.default_rng(3)
    users = pd.DataFrame({"user_id": [f"u{number:02}" for number in range(80)]})
    rows = users.merge(pd.DataFrame({"cutoff": CUTOFFS}), how="cross")
    rows["next_song"] = random.integers(20, 400, len(rows)).astype(float)
    thumbs_rate = random.uniform(0.01, 0.09, len(rows))
    rows["thumbs_up"] = (rows["next_song"] * thumbs_rate).round()
    rows["is_paid"] = random.integers(0, 2, len(rows)).astype(float)
    rows["days_since_last_seen"] = random.exponential(5, len(rows))
    rows["churned"] = random.random(len(rows)) < 0.5 - 5 * thumbs_rate
    rows["is_trainable"] = True
    return spark.createDataFrame(rows).cache()


@pytest.fixture(scope="session")
def fitted(
    train: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> Callable[[str], PipelineModel]:
    """Return a function that fits a candidate to `train`, once per candidate."""
    prepared = fitting.prepare_rows(train, inputs, modelling)

    @cache
    def fit_candidate(candidate: str) -> PipelineModel:
        return fitting.fit_trial(prepared, Trial(candidate, TINY[candidate]), modelling)

    return fit_candidate
