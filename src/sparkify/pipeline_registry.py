"""The project's pipelines, by the names that `kedro run --pipelines` takes."""

from types import ModuleType

from kedro.pipeline import Pipeline

from sparkify.pipelines import (
    campaigns,
    data_processing,
    feature_engineering,
    modelling,
    monitoring,
    reporting,
    retrospective,
    scoring,
    simulation,
    validation,
)


def register_pipelines() -> dict[str, Pipeline]:
    """Name every pipeline. The default goes from the raw log to scores and the report."""
    forecast = rooms(data_processing, feature_engineering, modelling, scoring, reporting)
    return {
        "__default__": sum(forecast.values(), start=Pipeline([])),
        **rooms(simulation),
        **forecast,
        **rooms(validation, monitoring, campaigns),
        "retrospective": retrospective.create_pipeline(),
    }


def rooms(*packages: ModuleType) -> dict[str, Pipeline]:
    """Give each pipeline its package's name as namespace, and what draws that of reporting.

    Kedro-Viz folds a namespace into one box, with the datasets in it that leave no other. Datasets
    keep their names; nodes are called `modelling.choose_champion`.
    """
    made = {package.__name__.rpartition(".")[2]: package.create_pipeline() for package in packages}
    return {name: _boxed(pipeline, name) for name, pipeline in made.items()}


def _boxed(pipeline: Pipeline, name: str) -> Pipeline:
    drawing = pipeline.only_nodes_with_tags("figures")
    return Pipeline(
        pipeline - drawing, namespace=name, prefix_datasets_with_namespace=False
    ) + Pipeline(drawing, namespace="reporting", prefix_datasets_with_namespace=False)
