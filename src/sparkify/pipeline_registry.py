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
from sparkify.pipelines.evaluation.pipeline import COLLECTED
from sparkify.pipelines.feature_engineering.pipeline import TRAINING

# From new files of the log to scores, monitoring and the report.
DAILY = ("data_processing", "feature_engineering", "scoring", "monitoring", "reporting")


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline by name.

    The default goes from the raw log to scores and the report. `daily` does the same with the
    current champion, without training, and monitors it.
    """
    default = (
        add_namespaces(data_processing, feature_engineering, modelling)
        | add_namespaces(evaluation, inside="modelling.")
        | add_namespaces(scoring, reporting)
    )
    # What the report reads is collected anew from what `evaluation` and `scoring` have saved.
    forecast = sum(default.values(), start=Pipeline([]))
    default["reporting"] += forecast.only_nodes_with_tags(COLLECTED)
    pipelines = default | add_namespaces(validation, monitoring, campaigns)
    daily = sum((pipelines[name] for name in DAILY), start=Pipeline([]))
    return {
        "__default__": forecast,
        **add_namespaces(simulation),
        **pipelines,
        "daily": daily - daily.only_nodes_with_tags(TRAINING),
        "retrospective": retrospective.create_pipeline(),
    }


def add_namespaces(*packages: ModuleType, inside: str = "") -> dict[str, Pipeline]:
    """Return the packages' pipelines by name, each with its name as namespace.

    Kedro-Viz shows a namespace as one box, with the datasets that only its nodes use. Datasets
    keep their names; nodes are called `modelling.fit_challenger`, and with a namespace that is
    `inside` another one `modelling.evaluation.evaluate_champion`.
    """
    pipelines = {}
    for package in packages:
        name = package.__name__.rpartition(".")[2]
        pipelines[name] = Pipeline(
            package.create_pipeline(), namespace=inside + name, prefix_datasets_with_namespace=False
        )
    return pipelines
