"""The project's pipelines, by the names that `kedro run --pipelines` takes."""

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
    forecast = {
        "data_processing": data_processing.create_pipeline(),
        "feature_engineering": feature_engineering.create_pipeline(),
        "modelling": modelling.create_pipeline(),
        "scoring": scoring.create_pipeline(),
        "reporting": reporting.create_pipeline(),
    }
    return {
        "__default__": sum(forecast.values(), start=Pipeline([])),
        "simulation": simulation.create_pipeline(),
        **forecast,
        "validation": validation.create_pipeline(),
        "retrospective": retrospective.create_pipeline(),
    }
