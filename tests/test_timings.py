from typing import Any

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from sparkify.timings import RunTimingHooks


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
            hooks.after_dataset_saved(name, node)


def test_each_node_is_told_with_its_place_once_all_it_makes_is_saved(
    told: pytest.LogCaptureFixture,
) -> None:
    both = Node(work, [], ["train", "test"], name="split")
    pipeline = Pipeline([both, Node(work, "train", "model", name="fit")])
    hooks = RunTimingHooks()
    hooks.before_pipeline_run(pipeline, DataCatalog())
    hooks.before_node_run(both)
    hooks.after_dataset_saved("train", both)
    assert told.messages == []
    hooks.after_dataset_saved("test", both)
    fit = pipeline.nodes[1]
    hooks.before_node_run(fit)
    hooks.after_dataset_saved("model", fit)
    assert [message.split() for message in told.messages] == [
        ["1/2", "split", "0.0", "s"],
        ["2/2", "fit", "0.0", "s"],
    ]


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
        timings.loc["feature_engineering.sum_up_days", "bytes_read"] > checked["bytes_written"] / 4
    )
    assert (
        timings.loc["feature_engineering.accept_events", "bytes_written"] == 0
    )  # a view in memory
    assert timings.loc["modelling.choose_champion", "bytes_written"] > 0  # a versioned model


def seconds_told(hooks: RunTimingHooks, pipeline: Pipeline, catalog: DataCatalog) -> list[str]:
    """Run up to the node that reads the timings; return the nodes that it is told of."""
    hooks.before_pipeline_run(pipeline, catalog)
    told: list[str] = []
    for node in pipeline.nodes:
        for name in node.inputs:
            hooks.before_dataset_loaded(name)
        if "run_timings" in node.inputs:
            told = list(catalog.load("run_timings")["node"])
        hooks.before_node_run(node)
        for name in node.outputs:
            hooks.after_dataset_saved(name, node)
    hooks.after_pipeline_run(catalog)
    return told


DRAW = Node(work, ["run_timings", "table"], "figure", name="draw")


def test_a_run_that_only_tells_of_the_last_leaves_its_timings_alone() -> None:
    before = pd.DataFrame({"node": ["check_events"]})
    catalog = DataCatalog({"run_timings": MemoryDataset(before)})
    assert seconds_told(RunTimingHooks(), Pipeline([DRAW]), catalog) == ["check_events"]
    assert catalog.load("run_timings").equals(before)


def test_a_run_that_tells_of_itself_is_told_what_was_done_before() -> None:
    before = pd.DataFrame({"node": ["check_events"]})
    catalog = DataCatalog({"run_timings": MemoryDataset(before)})
    pipeline = made("table") + Pipeline([DRAW])
    assert seconds_told(RunTimingHooks(), pipeline, catalog) == ["make_table"]
    assert list(catalog.load("run_timings")["node"]) == ["make_table", "draw"]


def test_without_a_place_for_them_no_timings_are_kept() -> None:
    catalog = DataCatalog()
    hooks = RunTimingHooks()
    hooks.before_pipeline_run(made("table"), catalog)
    hooks.after_pipeline_run(catalog)
    assert "run_timings" not in catalog
