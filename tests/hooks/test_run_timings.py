from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline
from pyspark.sql import SparkSession

from sparkify.datasets import CSVDataset
from sparkify.hooks.run_timings import RunTimingsHooks, draw_run_timings
from tests.figure_checks import get_subtitle, require_readable


def work(*inputs: Any) -> None:
    """Stub of a node function; the hooks use only names."""


def make_pipeline(*outputs: str) -> Pipeline:
    """Return a pipeline of one node per output."""
    return Pipeline([Node(work, [], name, name=f"make_{name}") for name in outputs])


def run(hooks: RunTimingsHooks, pipeline: Pipeline, catalog: DataCatalog | None = None) -> None:
    """Call the hooks as a run does, up to its last save."""
    hooks.before_pipeline_run(pipeline, catalog or DataCatalog())
    for node in pipeline.nodes:
        hooks.before_node_run(node)
        for name in node.outputs:
            hooks.after_dataset_saved(name, None, node)


def test_each_node_is_logged_with_its_number_once_all_its_outputs_are_saved(
    logged: pytest.LogCaptureFixture,
) -> None:
    both = Node(work, [], ["train", "test"], name="split")
    pipeline = Pipeline([both, Node(work, "train", "model", name="fit")])
    hooks = RunTimingsHooks()
    hooks.before_pipeline_run(pipeline, DataCatalog())
    hooks.before_node_run(both)
    hooks.after_dataset_saved("train", None, both)
    assert logged.messages == []
    hooks.after_dataset_saved("test", None, both)
    fit = pipeline.nodes[1]
    hooks.before_node_run(fit)
    hooks.after_dataset_saved("model", None, fit)
    words = [message.split() for message in logged.messages]
    assert [(place, node, unit) for place, node, _, unit in words] == [
        ("1/2", "split", "s"),
        ("2/2", "fit", "s"),
    ]
    assert all(float(seconds) < 60 for _, _, seconds, _ in words)


def test_bytes_read_by_a_node_in_another_thread_are_counted(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "log").write_text("1\n" * 1_000)
    catalog = make_catalog()
    hooks, pipeline = RunTimingsHooks(), make_pipeline("score_summary")
    (node,) = pipeline.nodes

    def read() -> None:
        hooks.before_node_run(node)
        spark.read.text(str(tmp_path / "log")).collect()
        hooks.after_dataset_saved("score_summary", None, node)

    hooks.before_pipeline_run(pipeline, catalog)
    with ThreadPoolExecutor(1) as threads:  # as Kedro's ThreadRunner
        threads.submit(read).result()
    hooks.after_pipeline_run(pipeline, catalog)
    assert catalog.load("run_timings")["bytes_read"].tolist() == [2_000]


def test_a_second_run_counts_from_one(logged: pytest.LogCaptureFixture) -> None:
    hooks = RunTimingsHooks()
    run(hooks, make_pipeline("a", "b"))
    run(hooks, make_pipeline("c"))
    assert [message.split()[0] for message in logged.messages] == ["1/2", "2/2", "1/1"]


def test_a_finished_run_saves_a_row_per_node(finished: Any) -> None:
    catalog = finished.catalog()
    timings = catalog.load("run_timings").set_index("node")
    assert timings.index[0] == "data_processing.plan_reading"
    assert timings.index[-1] == "scoring.reporting.write_report"
    log_bytes = sum(part.stat().st_size for part in finished.log.glob("part-*"))
    checked = timings.loc["data_processing.check_events"]
    assert checked["seconds"] > 0
    assert checked["bytes_read"] >= log_bytes
    assert 0 < checked["bytes_written"] < log_bytes
    assert checked["rows_written"] == catalog.load("data_quality")["lines"]
    # count_pages reads all but one of the nine columns of the accepted events.
    read = timings.loc["data_processing.count_pages", "bytes_read"]
    assert read > checked["bytes_written"] / 4
    assert timings.loc["data_processing.select_events", "bytes_written"] == 0  # a view in memory
    assert timings.loc["modelling.fit_challenger", "bytes_written"] > 0  # a versioned model
    rows = timings["rows_written"]
    called = len(catalog.load("contacts")) + len(catalog.load("control_group"))
    assert rows["scoring.list_contacts"] == rows["scoring.round_contacts"] == called
    assert (
        rows[["modelling.evaluation.evaluate_champion", "scoring.reporting.write_report"]]
        .isna()
        .all()
    )


def run_and_save(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Call the hooks as a run does."""
    hooks = RunTimingsHooks()
    run(hooks, pipeline, catalog)
    hooks.after_pipeline_run(pipeline, catalog)


def make_catalog(**datasets: Any) -> DataCatalog:
    """Return a catalog that can save the timings and the forecast."""
    places = {name: MemoryDataset() for name in ("run_timings", "run_timings_figure")}
    forecast = {"score_summary": MemoryDataset({"customers": 19_700, "cutoff": "2018-12-01"})}
    return DataCatalog({**places, **forecast, **datasets})


@pytest.fixture
def earlier() -> pd.DataFrame:
    """Return the timings of an earlier forecast."""
    return pd.DataFrame({"node": ["check_events"], "seconds": [70.3]})


@pytest.mark.parametrize("name", ["report", "learning_curve", "churn_model"])
def test_a_run_without_a_forecast_keeps_the_timings_of_the_last_forecast(
    earlier: pd.DataFrame, name: str
) -> None:
    catalog = make_catalog(run_timings=MemoryDataset(earlier))
    run_and_save(make_pipeline(name), catalog)
    pd.testing.assert_frame_equal(catalog.load("run_timings"), earlier)
    assert not catalog.exists("run_timings_figure")


def test_a_run_that_makes_the_forecast_saves_its_timings_and_their_figure(
    earlier: pd.DataFrame,
) -> None:
    catalog = make_catalog(run_timings=MemoryDataset(earlier))
    run_and_save(make_pipeline("score_summary", "report"), catalog)
    names = ["make_report", "make_score_summary"]
    assert sorted(catalog.load("run_timings")["node"]) == names
    (axes,) = catalog.load("run_timings_figure").axes
    assert sorted(label.get_text() for label in axes.get_yticklabels()) == names


def test_only_rows_of_tables_in_files_are_counted(tmp_path: Path) -> None:
    table = CSVDataset(filepath=str(tmp_path / "table.csv"))
    catalog = make_catalog(table=table, view=MemoryDataset())
    pipeline = make_pipeline("table", "view", "score_summary")
    hooks = RunTimingsHooks()
    hooks.before_pipeline_run(pipeline, catalog)
    three = pd.DataFrame({"user_id": ["1", "2", "3"]})
    for node in pipeline.nodes:
        hooks.before_node_run(node)
        data = {"auc": 0.75} if node.name == "make_score_summary" else three
        hooks.after_dataset_saved(node.outputs[0], data, node)
    hooks.after_pipeline_run(pipeline, catalog)
    rows = catalog.load("run_timings").set_index("node")["rows_written"]
    assert rows["make_table"] == 3
    assert rows[["make_view", "make_score_summary"]].isna().all()


def test_without_run_timings_in_the_catalog_nothing_is_saved() -> None:
    catalog = DataCatalog()
    run_and_save(make_pipeline("score_summary"), catalog)
    assert "run_timings" not in catalog


def test_the_figure_has_long_nodes_and_the_sum_of_short_ones() -> None:
    timings = pd.DataFrame(
        {
            "node": ["data_processing.check_events", "evaluation.evaluate", "list", "write"],
            "seconds": [70.26, 3.0, 0.1, 0.2],
            "bytes_read": [128_000_000, 0, 0, 1_000_000],
            "bytes_written": [6_700_000, 2_000, 300, 100_000],
            "rows_written": pd.array([283_586, None, 0, 7], dtype="Int64"),
        }
    )
    figure = draw_run_timings(timings, {"customers": 19_700, "cutoff": "2018-12-01"})
    require_readable(figure)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "data_processing.check_events",
        "evaluation.evaluate",
        "2 nodes below 1 % each",
    ]
    assert [text.get_text() for text in axes.texts] == [
        *["70.3", "3.0", "0.3", "seconds"],
        *["128", "0", "1", "MB\nread"],
        *["6.7", "0.0", "0.1", "MB\nwritten"],
        *["283,586", "", "7", "rows\nwritten"],
    ]
    assert figure.get_suptitle() == "The run that made the forecast: 74 seconds"
    assert "19,700 customers of 2018-12-01" in get_subtitle(figure)


def test_a_single_short_node_keeps_its_name_in_the_figure() -> None:
    timings = pd.DataFrame(
        {
            "node": ["check_events", "write_report"],
            "seconds": [70.26, 0.0],
            "bytes_read": [128_000_000, 0],
            "bytes_written": [6_700_000, 2_000],
            "rows_written": pd.array([283_586, None], dtype="Int64"),
        }
    )
    (axes,) = draw_run_timings(timings, {"customers": 7, "cutoff": "2018-12-01"}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == timings["node"].tolist()


def test_nodes_without_outputs_are_not_counted(
    logged: pytest.LogCaptureFixture,
) -> None:
    pipeline = make_pipeline("train") + Pipeline([Node(work, "train", None, name="check")])
    run(RunTimingsHooks(), pipeline)
    assert [message.split()[:2] for message in logged.messages] == [["1/1", "make_train"]]
