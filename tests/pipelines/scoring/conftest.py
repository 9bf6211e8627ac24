from collections.abc import Callable
from typing import Any

import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from sparkify.hooks.package_versions import read_package_versions
from sparkify.ml.calibration import build_calibration_stages
from sparkify.pipelines.modelling.model_card import add_card
from sparkify.pipelines.scoring.parameters import ScoringParameters

FEATURES = ["next_song", "thumbs_up", "is_paid", "days_since_last_seen"]


@pytest.fixture(scope="session")
def scoring(parameters: dict[str, Any]) -> ScoringParameters:
    return parameters["scoring"]


@pytest.fixture(scope="session")
def no_revenue(spark: SparkSession) -> DataFrame:
    """Return the columns of user_days that values need, of a log without revenue."""
    return spark.createDataFrame([], "user_id string, day date, revenue double")


@pytest.fixture(scope="session")
def card() -> dict[str, Any]:
    """Return the card of a model of `train`."""
    return {
        "candidate": "logistic_regression",
        "label": "logistic regression (regParam 0.3)",
        "calibration": "none",
        "f1_threshold": 0.2,
        "features": FEATURES,
        "prediction_task": {
            "outcome": "cancellation",
            "horizon_days": 10,
            "outcome_phrase": "cancelled",
            "cutoff": "2018-11-21",
            "train_cutoffs": ["2018-10-31", "2018-11-07"],
        },
        "leaving_curve": {
            **{"horizon_days": 10, "first_day": 1, "days": 40},
            **{"log_day": 0.0, "risk_by_log_day": 0.0, "is_first": 0.0, "risk_by_is_first": 0.0},
            **{"weekdays": [0.0] * 7, "min_risk": -14.0, "max_risk": 3.0},
        },
        "source": "simulated",
        "training": {"base_rate": 0.25, "fingerprint": "00f1-160"},
        "packages": read_package_versions(),
    }


@pytest.fixture(scope="session")
def churn_model(
    train: DataFrame, fitted: Callable[[str], PipelineModel], card: dict[str, Any]
) -> PipelineModel:
    """Return a linear model of `train` with the calibration and card of a churn model."""
    stages = build_calibration_stages(train.sparkSession, "none", {})
    return add_card(PipelineModel([*fitted("logistic_regression").stages, *stages]), card)


@pytest.fixture(scope="session")
def current_features(train: DataFrame) -> DataFrame:
    """Return the 80 customers of `train` at one cutoff, without labels."""
    last = train.where("cutoff = '2018-11-07'")
    return last.select("user_id", "cutoff", *FEATURES).cache()
