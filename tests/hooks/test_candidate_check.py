from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from pyspark.sql import SparkSession

from sparkify.errors.parameter_errors import ParameterError
from sparkify.hooks.candidate_check import (
    CandidateCheckHooks,
    require_accepted_settings,
    require_enough_cores,
)
from sparkify.pipeline_registry import register_pipelines
from sparkify.pipelines.modelling.parameters import ModellingParameters


@pytest.fixture
def modelling(parameters: dict[str, Any]) -> ModellingParameters:
    return parameters["modelling"]


def session(master: str, cores: int = 2, **settings: str) -> Any:
    """Return what a Spark session says of its cores."""
    pairs = {"spark.master": master} | {
        "spark." + name.replace("_", "."): value for name, value in settings.items()
    }
    context = SimpleNamespace(
        defaultParallelism=cores,
        getConf=lambda: SimpleNamespace(getAll=lambda: list(pairs.items())),
    )
    return SimpleNamespace(sparkContext=context)


def with_partitions(modelling: ModellingParameters, partitions: int) -> ModellingParameters:
    return modelling.model_copy(update={"partitions": partitions})


def test_more_partitions_than_cores_are_refused(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    require_enough_cores(with_partitions(modelling, 1), spark)
    with pytest.raises(ParameterError) as raised:
        require_enough_cores(with_partitions(modelling, 2), spark)
    assert str(raised.value) == (
        "modelling.partitions is 2; allowed: at most 1, the cores that Spark has by "
        "conf/<env>/spark.yml, because XGBoost fits all partitions at the same time; or "
        "modelling.candidates.xgboost: null."
    )


@pytest.mark.parametrize(
    ("stated", "cores"),
    [
        (session("local[*,4]"), 2),
        (session("local", 1), 1),
        (session("spark://host:7077", executor_instances="3", executor_cores="4"), 12),
        (session("yarn", executor_instances="3", executor_cores="5", task_cpus="2"), 6),
    ],
)
def test_cores_are_those_of_the_machine_or_of_the_executors(
    modelling: ModellingParameters, stated: Any, cores: int
) -> None:
    require_enough_cores(with_partitions(modelling, cores), stated)
    with pytest.raises(ParameterError, match=f"at most {cores}, the cores"):
        require_enough_cores(with_partitions(modelling, cores + 1), stated)


@pytest.mark.parametrize(
    "stated",
    [
        session("local[*]", default_parallelism="1"),
        session("spark://host:7077", executor_cores="4"),
        session("spark://host:7077"),
        session(
            "yarn",
            executor_instances="1",
            executor_cores="1",
            dynamicAllocation_enabled="true",
        ),
    ],
)
def test_an_unknown_number_of_cores_is_accepted(
    modelling: ModellingParameters, stated: Any
) -> None:
    require_enough_cores(with_partitions(modelling, 99), stated)


def test_without_xgboost_any_number_of_partitions_is_accepted(
    modelling: ModellingParameters,
) -> None:
    others = {**modelling.candidates, "xgboost": None}
    without = with_partitions(modelling, 99).model_copy(update={"candidates": others})
    require_enough_cores(without, session("local[1]", 1))


def test_settings_that_a_library_refuses_stop_the_run(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    require_accepted_settings(modelling)
    grid = {"random_forest": {"numTrees": [3], "maxDepth": [4, 31]}}
    with pytest.raises(ParameterError) as raised:
        require_accepted_settings(modelling.model_copy(update={"candidates": grid}))
    assert str(raised.value) == (
        "modelling.candidates.random_forest cannot be fitted with numTrees: 3, maxDepth: 31: "
        "parameter maxDepth given invalid value 31."
    )


def test_a_run_that_fits_nothing_is_not_checked(
    spark: SparkSession, modelling: ModellingParameters
) -> None:
    many = DataCatalog({})
    many["params:modelling"] = with_partitions(modelling, 99)

    def run(name: str) -> None:
        CandidateCheckHooks().before_pipeline_run(register_pipelines()[name], many)

    for name in ("scoring", "monitoring", "reporting", "feature_engineering"):
        run(name)
    for name in ("modelling", "validation", "retrospective", "__default__"):
        with pytest.raises(ParameterError, match=r"modelling\.partitions is 99"):
            run(name)


def test_nodes_that_read_inputs_and_settings_have_the_tag_fits() -> None:
    nodes: set[Node] = set(sum(register_pipelines().values(), start=Pipeline([])).nodes)
    fits = {node.name for node in nodes if "fits" in node.tags}
    read_both = {
        node.name
        for node in nodes
        if "params:modelling" in node.inputs
        and {"params:inputs", "params:retrospective.inputs"} & set(node.inputs)
    }
    assert fits == read_both
    assert len(fits) == 11
