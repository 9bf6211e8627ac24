from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from pyspark.sql import SparkSession

from sparkify.datasets import CSVDataset
from sparkify.hooks.run_timings import RunTimingHooks


def work(*inputs: Any) -> None:
    """Stand for a node's function; the hooks look at names alone."""


def made(*outputs: str) -> Pipeline:
    """Return a pipeline of one node per output."""
    return Pipeline([Node(work, [], name, name=f"make_{name}") for name in outputs])


def run(hooks: RunTimingHooks, pipeline: Pipeline) -> None:
    """Call the hooks as a run does, up to its last save."""
    hooks.before_pipeline_run(pipeline, DataCatalog())
    for node in pipeline.nodes:
        hooks.before_node_run(node)
        for name in node.outputs:
            hooks.after_dataset_saved(name, None, node)


def test_each_node_is_told_with_its_place_once_all_it_makes_is_saved(
    told: pytest.LogCaptureFixture,
) -> None:
    both = Node(work, [], ["train", "test"], name="split")
    pipeline = Pipeline([both, Node(work, "train", "model", name="fit")])
    hooks = RunTimingHooks()
    hooks.before_pipeline_run(pipeline, DataCatalog())
    hooks.before_node_run(both)
    hooks.after_dataset_saved("train", None, both)
    assert told.messages == []
    hooks.after_dataset_saved("test", None, both)
    fit = pipeline.nodes[1]
    hooks.before_node_run(fit)
    hooks.after_dataset_saved("model", None, fit)
    words = [message.split() for message in told.messages]
    assert [(place, node, unit) for place, node, _, unit in words] == [
        ("1/2", "split", "s"),
        ("2/2", "fit", "s"),
    ]
    assert all(float(seconds) < 60 for _, _, seconds, _ in words)


def test_what_a_node_reads_in_a_thread_of_its_own_is_counted(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "log").write_text("1\n" * 1_000)
    catalog = DataCatalog({"run_timings": MemoryDataset()})
    hooks, pipeline = RunTimingHooks(), made("score_summary")
    (node,) = pipeline.nodes

    def read() -> None:
        hooks.before_node_run(node)
        spark.read.text(str(tmp_path / "log")).collect()
        hooks.after_dataset_saved("score_summary", None, node)

    hooks.before_pipeline_run(pipeline, catalog)
    with ThreadPoolExecutor(1) as threads:  # as Kedro's ThreadRunner
        threads.submit(read).result()
    hooks.after_pipeline_run()
    assert catalog.load("run_timings")["bytes_read"].tolist() == [2_000]


def test_a_second_run_counts_from_the_start(told: pytest.LogCaptureFixture) -> None:
    hooks = RunTimingHooks()
    run(hooks, made("a", "b"))
    run(hooks, made("c"))
    assert [message.split()[0] for message in told.messages] == ["1/2", "2/2", "1/1"]


def test_a_finished_run_leaves_a_row_per_node(finished: Any) -> None:
    catalog = finished.catalog()
    timings = catalog.load("run_timings").set_index("node")
    assert timings.index[0] == "data_processing.check_events"
    assert timings.index[-1] == "reporting.write_report"
    log_bytes = sum(part.stat().st_size for part in finished.log.glob("part-*"))
    checked = timings.loc["data_processing.check_events"]
    assert checked["seconds"] > 0
    assert checked["bytes_read"] >= log_bytes
    assert 0 < checked["bytes_written"] < log_bytes
    assert checked["rows_written"] == catalog.load("data_quality")["lines"]
    # Summing up reads the nine columns of the accepted events but one.
    assert (
        timings.loc["feature_engineering.aggregate_user_days", "bytes_read"]
        > checked["bytes_written"] / 4
    )
    assert (
        timings.loc["feature_engineering.select_events", "bytes_written"] == 0
    )  # a view in memory
    assert timings.loc["modelling.choose_champion", "bytes_written"] > 0  # a versioned model
    rows = timings["rows_written"]
    called = len(catalog.load("contacts")) + len(catalog.load("control_group"))
    assert rows["scoring.list_contacts"] == rows["scoring.round_contacts"] == called
    without_a_table = ["modelling.judge_champion", "reporting.draw_run_timings"]
    assert rows[without_a_table].isna().all()


def nodes_shown(pipeline: Pipeline, catalog: DataCatalog) -> list[str]:
    """Run a pipeline, and return the nodes in the timings that its node `draw` loads."""
    hooks = RunTimingHooks()
    hooks.before_pipeline_run(pipeline, catalog)
    shown: list[str] = []
    for node in pipeline.nodes:
        for name in node.inputs:
            hooks.before_dataset_loaded(name)
        if node.name == "draw":
            shown = list(catalog.load("run_timings")["node"])
        hooks.before_node_run(node)
        for name in node.outputs:
            hooks.after_dataset_saved(name, None, node)
    hooks.after_pipeline_run()
    return shown


DRAW = Pipeline([Node(work, ["run_timings", "score_summary"], "figure", name="draw")])


@pytest.fixture
def earlier() -> pd.DataFrame:
    """Return the timings of an earlier forecast."""
    return pd.DataFrame({"node": ["check_events"], "seconds": [70.3]})


@pytest.mark.parametrize(
    "pipeline",
    [DRAW, made("learning_curve") + DRAW, made("churn_model") + DRAW],
    ids=["reporting", "validation,reporting", "modelling,reporting"],
)
def test_a_run_without_a_forecast_leaves_the_timings_of_the_forecast_alone(
    earlier: pd.DataFrame, pipeline: Pipeline
) -> None:
    catalog = DataCatalog({"run_timings": MemoryDataset(earlier)})
    assert nodes_shown(pipeline, catalog) == ["check_events"]
    pd.testing.assert_frame_equal(catalog.load("run_timings"), earlier)


def test_a_run_that_makes_the_forecast_shows_and_saves_its_own_timings(
    earlier: pd.DataFrame,
) -> None:
    catalog = DataCatalog({"run_timings": MemoryDataset(earlier)})
    assert nodes_shown(made("score_summary") + DRAW, catalog) == ["make_score_summary"]
    assert list(catalog.load("run_timings")["node"]) == ["make_score_summary", "draw"]


def test_rows_are_counted_of_tables_in_files_alone(tmp_path: Path) -> None:
    table = CSVDataset(filepath=str(tmp_path / "table.csv"))
    catalog = DataCatalog({"run_timings": MemoryDataset(), "table": table, "view": MemoryDataset()})
    pipeline = made("table", "view", "score_summary")
    hooks = RunTimingHooks()
    hooks.before_pipeline_run(pipeline, catalog)
    three = pd.DataFrame({"user_id": ["1", "2", "3"]})
    for node in pipeline.nodes:
        hooks.before_node_run(node)
        data = {"auc": 0.75} if node.name == "make_score_summary" else three
        hooks.after_dataset_saved(node.outputs[0], data, node)
    hooks.after_pipeline_run()
    rows = catalog.load("run_timings").set_index("node")["rows_written"]
    assert rows["make_table"] == 3
    assert rows[["make_view", "make_score_summary"]].isna().all()


def test_without_a_place_for_them_no_timings_are_saved() -> None:
    catalog = DataCatalog()
    nodes_shown(made("score_summary"), catalog)
    assert "run_timings" not in catalog


def test_a_node_that_saves_nothing_has_no_place_among_those_that_do(
    told: pytest.LogCaptureFixture,
) -> None:
    pipeline = made("train") + Pipeline([Node(work, "train", None, name="check")])
    run(RunTimingHooks(), pipeline)
    assert [message.split()[:2] for message in told.messages] == [["1/1", "make_train"]]
