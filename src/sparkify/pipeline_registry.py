"""The project's pipelines, by the names that `kedro run --pipelines` takes."""

from types import ModuleType

from kedro.pipeline import Pipeline

from sparkify.pipelines import (
    data_processing,
    feature_engineering,
    modelling,
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
        **rooms(validation),
        "retrospective": retrospective.create_pipeline(),
    }


def rooms(*packages: ModuleType) -> dict[str, Pipeline]:
    """Give each pipeline its package's name as namespace, and leave datasets theirs.

    Kedro-Viz folds a namespace into one box; nodes are called `modelling.choose_champion`.
    """
    names = {package.__name__.rpartition(".")[2]: package for package in packages}
    return {
        name: Pipeline(
            package.create_pipeline(), namespace=name, prefix_datasets_with_namespace=False
        )
        for name, package in names.items()
    }
