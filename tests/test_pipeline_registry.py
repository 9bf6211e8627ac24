from collections import Counter

import pytest
from kedro.pipeline import Pipeline

from sparkify.pipeline_registry import DAILY, register_pipelines

FORECAST = (
    *("data_processing", "feature_engineering", "modelling", "evaluation"),
    *("scoring", "reporting"),
)
# Datasets of earlier runs; they may be missing.
EXTERNAL = {
    *("table_manifests", "other_results"),
    *("monitoring_results", "campaign_results", "validation_results"),
    *("current_champion_model", "past_campaigns", "contact_record"),
}
OF_DEFAULT = {"raw_events", "table_manifests", "other_results", "current_champion_model"}


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Pipeline]:
    return register_pipelines()


def names(pipeline: Pipeline) -> set[str]:
    return {node.name for node in pipeline.nodes}


def test_the_pipelines_have_these_names(pipelines: dict[str, Pipeline]) -> None:
    assert list(pipelines) == [
        "__default__",
        "simulation",
        "data_processing",
        "feature_engineering",
        "modelling",
        "evaluation",
        "scoring",
        "reporting",
        "validation",
        "monitoring",
        "campaigns",
        "daily",
        "retrospective",
    ]


def test_the_default_is_the_forecast_without_the_simulation(
    pipelines: dict[str, Pipeline],
) -> None:
    assert names(pipelines["__default__"]) == set().union(*(names(pipelines[p]) for p in FORECAST))
    assert not names(pipelines["__default__"]) & names(pipelines["simulation"])


def test_a_daily_run_scores_and_monitors_and_makes_no_rows_for_training(
    pipelines: dict[str, Pipeline],
) -> None:
    daily = pipelines["daily"]
    assert not {"snapshots", "features", "challenger_model"} & daily.datasets()
    parts = [pipelines[name] for name in DAILY]
    left_out = names(sum(parts, start=Pipeline([]))) - names(daily)
    assert left_out == {
        f"feature_engineering.{name}" for name in ("label_snapshots", "compute_features")
    }
    assert {"page_counts", "contacts", "monitoring_summary", "report"} <= daily.all_outputs()
    champion = {"churn_model", "metrics", "test_predictions"}
    assert champion <= daily.inputs()


def test_the_default_reads_the_log_and_what_earlier_runs_have_left(
    pipelines: dict[str, Pipeline],
) -> None:
    inputs = {name for name in pipelines["__default__"].inputs() if not name.startswith("param")}
    assert inputs == OF_DEFAULT


def test_the_simulation_starts_from_parameters_and_earlier_lists_and_writes_the_log(
    pipelines: dict[str, Pipeline],
) -> None:
    assert pipelines["simulation"].inputs() == {"params:simulation", "past_campaigns"}
    assert {"raw_events", "simulation_record"} <= pipelines["simulation"].all_outputs()


def test_a_simulated_log_is_confirmed_with_its_record(pipelines: dict[str, Pipeline]) -> None:
    (confirming,) = [node for node in pipelines["simulation"].nodes if node.confirms]
    assert confirming.confirms == ["raw_events"]
    assert confirming.outputs == ["simulation_record"]


def test_forecasts_do_not_read_hidden_state(pipelines: dict[str, Pipeline]) -> None:
    hidden = {"simulated_users", "simulated_sessions"}
    assert not hidden & pipelines["__default__"].datasets()


def test_a_pipeline_reads_only_datasets_of_earlier_pipelines(
    pipelines: dict[str, Pipeline],
) -> None:
    made = {"raw_events", "simulation_record"} | EXTERNAL
    for name in (*FORECAST, "validation", "monitoring", "campaigns", "retrospective"):
        read = {one for one in pipelines[name].inputs() if not one.startswith("param")}
        assert read <= made, name
        made |= pipelines[name].all_outputs()


def test_a_champion_is_promoted_after_all_of_its_evaluation(
    pipelines: dict[str, Pipeline],
) -> None:
    evaluation = pipelines["evaluation"]
    (promoting,) = (node for node in evaluation.nodes if "churn_model" in node.outputs)
    results = evaluation.from_inputs("next_model").all_outputs() - {*promoting.outputs}
    results = {name for name in results if not name.endswith("_figure")} - {"evaluation_results"}
    assert results == {
        *("train_predictions", "test_predictions", "metrics", "feature_weights", "segments"),
        *("contact_profit", "contact_plan", "group_metrics"),
    }
    assert results <= {*promoting.inputs}
    assert promoting.outputs[-1] == "churn_model"


def test_each_step_of_modelling_has_a_node_and_a_dataset(pipelines: dict[str, Pipeline]) -> None:
    modelling = {node.name: node.outputs for node in pipelines["modelling"].nodes}
    assert modelling == {
        "modelling.split_in_time": ["train", "test", "prediction_task"],
        "modelling.cross_validate": ["out_of_fold_predictions"],
        "modelling.select_candidate": ["cv_results", "selected_candidate"],
        "modelling.calibrate": ["calibration"],
        "modelling.fit_leaving_curve": ["leaving_curve"],
        "modelling.describe_training": ["training_reference"],
        "modelling.fit_challenger": ["challenger_model"],
    }
    selecting = pipelines["modelling"].from_nodes("modelling.select_candidate")
    assert names(selecting) == {
        f"modelling.{name}"
        for name in ("select_candidate", "calibrate", "fit_leaving_curve", "fit_challenger")
    }


def test_node_names_are_unique(pipelines: dict[str, Pipeline]) -> None:
    every = sum(pipelines.values(), start=Pipeline([])).nodes
    assert max(Counter(node.name for node in every).values()) == 1
    assert all(node._name for node in every)


def test_a_pipeline_is_a_namespace_with_its_figures(pipelines: dict[str, Pipeline]) -> None:
    evaluation, reporting = "modelling.evaluation", "scoring.reporting"  # inside of other boxes
    inside = {
        "evaluation": {evaluation},
        "feature_engineering": {"feature_engineering", "data_processing"},  # the view of events
        "reporting": {reporting, evaluation, "scoring"},  # which collects what these have saved
        "validation": {"validation", reporting},
        "monitoring": {"scoring.monitoring", reporting},
        "campaigns": {"scoring.campaigns", reporting},
    }
    assert {f"{evaluation}.promote_champion", f"{evaluation}.draw_holdout"} <= names(
        pipelines["evaluation"]
    )
    for name, pipeline in pipelines.items():
        namespaces = {node.namespace for node in pipeline.nodes}
        assert name in ("__default__", "daily") or namespaces == inside.get(name, {name}), name
        for node in pipeline.nodes:
            is_drawn = any(output.endswith("_figure") for output in node.outputs)
            assert not is_drawn or ".draw_" in node.name, node.name


@pytest.mark.filterwarnings("error")  # Kedro warns of a namespace that others interrupt
def test_no_pipeline_interrupts_the_namespace_of_another(pipelines: dict[str, Pipeline]) -> None:
    for name in ("validation", "monitoring", "campaigns"):
        assert (pipelines["__default__"] + pipelines[name]).nodes
    assert sum(pipelines.values(), start=Pipeline([])).nodes


def test_the_report_alone_collects_its_results(pipelines: dict[str, Pipeline]) -> None:
    collecting = {"modelling.evaluation.collect_results", "scoring.collect_results"}
    assert names(pipelines["reporting"]) == collecting | {"scoring.reporting.write_report"}


def test_the_first_view_of_the_default_has_at_most_18_boxes(
    pipelines: dict[str, Pipeline],
) -> None:
    """Kedro-Viz draws what a namespace reads from, or leaves to, the rest of the pipeline."""
    default, drawn = pipelines["__default__"], set()
    boxes = {str(node.namespace).partition(".")[0] for node in default.nodes}
    for name in boxes:
        inside = default.only_nodes_with_namespaces([name])
        read_elsewhere = (default - inside).inputs() & inside.all_outputs()
        drawn |= inside.inputs() | inside.outputs() | read_elsewhere
    assert len(boxes) + len({name for name in drawn if not name.startswith("param")}) <= 18
