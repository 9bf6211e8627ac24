from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.ml import PipelineModel
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.modelling.candidates import (
    Trial,
    build_pipeline,
    find_settings_error,
    get_classifier,
    list_trials,
)
from sparkify.pipelines.modelling.hyperparameters import ESTIMATORS
from sparkify.pipelines.modelling.inputs import INPUTS, WEIGHT
from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.schemas.parameters import RESERVED, RESERVED_PATTERN

CONF = Path(__file__).parents[3] / "conf"


def with_candidates(modelling: ModellingParameters, **candidates: Any) -> ModellingParameters:
    return modelling.model_copy(update={"candidates": candidates})


def test_cluster_and_full_have_the_same_candidates() -> None:
    full, cluster = (
        yaml.safe_load((CONF / env / "globals.yml").read_text())["size"]
        for env in ("full", "cluster")
    )
    assert full == cluster == "large"


def test_every_combination_of_settings_is_a_trial(modelling: ModellingParameters) -> None:
    trials = list_trials(
        with_candidates(
            modelling,
            logistic_regression={"regParam": [0.1, 0.2], "elasticNetParam": [0.0, 1.0]},
            random_forest=None,
        )
    )
    settings = [(0.1, 0.0), (0.1, 1.0), (0.2, 0.0), (0.2, 1.0)]
    assert trials == [
        Trial("logistic_regression", {"regParam": reg, "elasticNetParam": net})
        for reg, net in settings
    ]
    assert str(trials[0]) == "logistic_regression (regParam 0.1, elasticNetParam 0)"


@pytest.mark.parametrize(
    ("candidate", "settings", "reason"),
    [
        ("logistic_regression", {"regParam": -1.0}, "parameter regParam given invalid value -1.0"),
        ("random_forest", {"maxDepth": 31}, "parameter maxDepth given invalid value 31"),
        ("gradient_boosted_trees", {"stepSize": 2}, "parameter stepSize given invalid value 2.0"),
        ("xgboost", {"subsample": 2}, "value 2 for Parameter subsample exceed bound [0,1]"),
        ("xgboost", {"max_depth": 2, "n_estimators": 60}, None),
        ("random_forest", {"maxDepth": 30}, None),
    ],
)
def test_rejected_settings_are_reported_before_a_fit(
    spark: SparkSession, candidate: str, settings: dict[str, Any], reason: str | None
) -> None:
    assert find_settings_error(Trial(candidate, settings)) == reason


@pytest.mark.parametrize("candidate", ESTIMATORS)
def test_columns_that_a_model_adds_have_reserved_names(
    train: DataFrame, fitted: Callable[[str], PipelineModel], candidate: str
) -> None:
    added = set(fitted(candidate).transform(train).columns) - set(train.columns)
    inputs = {"thumbs_up_per_song", "log_days_since_last_seen"}
    assert {name for name in added - inputs if name not in RESERVED} == {
        f"{candidate}_{kind}" for kind in ("margin", "prediction", "probability")
    }
    assert RESERVED_PATTERN.fullmatch(f"{candidate}_margin")


@pytest.mark.parametrize("candidate", ESTIMATORS)
def test_every_candidate_fits_the_inputs_and_the_weights(
    spark: SparkSession, candidate: str
) -> None:
    *_, fits, _ = build_pipeline(
        Trial(candidate, {}), moderator=0, seed=7, partitions=1
    ).getStages()
    assert candidate == "xgboost" or isinstance(fits, ESTIMATORS[candidate])
    assert fits.getOrDefault("weightCol") == WEIGHT
    is_linear = candidate == "logistic_regression"
    assert fits.getOrDefault("featuresCol") == ("scaled" if is_linear else INPUTS)


@pytest.mark.parametrize("candidate", ESTIMATORS)
def test_every_candidate_predicts_higher_probabilities_for_churners(
    fitted: Callable[[str], PipelineModel], train: DataFrame, candidate: str
) -> None:
    model = fitted(candidate)
    rows = model.transform(train).select("churned", "uncalibrated").toPandas()
    churning = rows.groupby("churned")["uncalibrated"]
    assert churning.mean()[True] > churning.mean()[False] + 0.01
    assert churning.min().min() > 0
    assert churning.max().max() < 1
    assert get_classifier(model) is model.stages[-2]


@pytest.mark.parametrize("candidate", ESTIMATORS)
def test_only_the_linear_candidate_has_products_with_the_moderator(
    spark: SparkSession, candidate: str
) -> None:
    def kinds(moderator: int | None) -> list[str]:
        stages = build_pipeline(Trial(candidate, {}), moderator, seed=7, partitions=1).getStages()
        return [type(stage).__name__ for stage in stages]

    products = ["VectorSlicer", "Interaction"] if candidate == "logistic_regression" else []
    assert kinds(moderator=1) == products + kinds(moderator=None)


def test_a_linear_candidate_adds_every_input_times_the_moderator(
    spark: SparkSession,
) -> None:
    rows = [(2.0, 0.0, 5.0, 0.0), (3.0, 1.0, 7.0, 1.0)]
    assembler = VectorAssembler(inputCols=["songs", "is_paid", "days"], outputCol=INPUTS)
    table = assembler.transform(spark.createDataFrame(rows, ["songs", "is_paid", "days", "label"]))
    train = table.withColumn(WEIGHT, F.lit(1.0))
    trial = Trial("logistic_regression", {"regParam": 0.3})
    model = build_pipeline(trial, moderator=1, seed=7, partitions=1).fit(train)
    vectors = [row["unscaled"].toArray().tolist() for row in model.transform(train).collect()]
    assert vectors == [[2, 0, 5, 0, 0, 0], [3, 1, 7, 3, 1, 7]]
    assert get_classifier(model).numFeatures == 6


def test_xgboost_has_as_many_workers_as_partitions(spark: SparkSession) -> None:
    trees, _ = build_pipeline(
        Trial("xgboost", {}), moderator=None, seed=7, partitions=3
    ).getStages()
    assert trees.getOrDefault("num_workers") == 3
    assert trees.getOrDefault("random_state") == 7


def test_a_trial_can_be_restored_from_its_description() -> None:
    trial = Trial("random_forest", {"maxDepth": 2})
    assert Trial.from_description({**trial.description, "f1_threshold": 0.1}) == trial
    assert trial.description["label"] == "random forest (maxDepth 2)"
