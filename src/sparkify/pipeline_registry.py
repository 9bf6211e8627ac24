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
from sparkify.pipelines.data_processing.pipeline import VIEW
from sparkify.pipelines.evaluation.pipeline import COLLECTED
from sparkify.pipelines.feature_engineering.pipeline import TRAINING
from sparkify.pipelines.reporting.pipeline import collect_other_results

# From new files of the log to scores, monitoring and the report.
DAILY = ("data_processing", "feature_engineering", "scoring", "monitoring", "reporting")

# Kedro-Viz draws scores, and what is made from them, as one box.
AFTER_SCORING = "scoring."


def register_pipelines() -> dict[str, Pipeline]:
    """Return every pipeline by name.

    The default goes from the raw log to scores and the report. `daily` does the same with the
    current champion, without training, and monitors it.
    """
    default = {
        **add_namespaces(data_processing, feature_engineering, modelling),
        **add_namespaces(evaluation, inside="modelling."),
        **add_namespaces(scoring),
        **add_namespaces(reporting, inside=AFTER_SCORING),
    }
    forecast = sum(default.values(), start=Pipeline([]))
    # What is not stored is made anew: the view of events, and what the report reads of other
    # pipelines.
    default["feature_engineering"] += forecast.only_nodes_with_tags(VIEW)
    default["reporting"] += forecast.only_nodes_with_tags(COLLECTED)
    others = add_namespaces(validation)
    others |= add_namespaces(monitoring, campaigns, inside=AFTER_SCORING)
    collect = add_namespace(collect_other_results(), AFTER_SCORING + "reporting")
    pipelines = default | {name: pipeline + collect for name, pipeline in others.items()}
    daily = sum((pipelines[name] for name in DAILY), start=Pipeline([]))
    return {
        "__default__": forecast,
        **add_namespaces(simulation),
        **pipelines,
        "daily": daily - daily.only_nodes_with_tags(TRAINING),
        "retrospective": retrospective.create_pipeline(),
    }


def add_namespaces(*packages: ModuleType, inside: str = "") -> dict[str, Pipeline]:
    """Return the packages' pipelines by name, each with its name as namespace."""
    names = {package.__name__.rpartition(".")[2]: package for package in packages}
    return {
        name: add_namespace(package.create_pipeline(), inside + name)
        for name, package in names.items()
    }


def add_namespace(pipeline: Pipeline, namespace: str) -> Pipeline:
    """Return a pipeline with a namespace.

    Kedro-Viz shows a namespace as one box, with the datasets that only its nodes use. Datasets
    keep their names; nodes are called `modelling.fit_challenger`, and with a namespace inside
    another one `modelling.evaluation.evaluate_champion`.
    """
    return Pipeline(pipeline, namespace=namespace, prefix_datasets_with_namespace=False)
