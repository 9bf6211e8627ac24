"""The pipelines that `kedro run --pipelines` can run, by name."""

from types import ModuleType

from kedro.pipeline import Pipeline

from sparkify.pipelines import (
    campaigns,
    data_processing,
    evaluation,
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
    """Return every pipeline by name. The default goes from the raw log to scores and the report."""
    default = add_namespaces(
        *(data_processing, feature_engineering, modelling, evaluation, scoring, reporting)
    )
    return {
        "__default__": sum(default.values(), start=Pipeline([])),
        **add_namespaces(simulation),
        **default,
        **add_namespaces(validation, monitoring, campaigns),
        "retrospective": retrospective.create_pipeline(),
    }


def add_namespaces(*packages: ModuleType) -> dict[str, Pipeline]:
    """Return the packages' pipelines by name, each with its name as namespace.

    Kedro-Viz shows a namespace as one box, with the datasets that only its nodes use. Datasets
    keep their names; nodes are called `modelling.fit_challenger`.
    """
    pipelines = {}
    for package in packages:
        name = package.__name__.rpartition(".")[2]
        pipelines[name] = Pipeline(
            package.create_pipeline(), namespace=name, prefix_datasets_with_namespace=False
        )
    return pipelines
