import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro_datasets.pandas import CSVDataset
from kedro_viz.api.rest.responses.run_events import transform_events_to_structured_format
from kedro_viz.integrations.kedro.hooks_utils import hash_node

from sparkify.lineage import LineageHooks
from sparkify.timings import RunTimingHooks


def work(*inputs: Any) -> None:
    """Stand for a node's function; the hooks look at names alone."""


COUNT = Node(work, "log", "count", name="count_lines")
DRAW = Node(work, "count", "figure", name="draw_count")
PIPELINE = Pipeline([COUNT, DRAW])


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    (tmp_path / "count.csv").write_text("lines\n12\n")
    return DataCatalog({"count": CSVDataset(filepath=str(tmp_path / "count.csv"))})


@pytest.fixture
def hooks(tmp_path: Path) -> LineageHooks:
    """Return hooks that have seen the first of two nodes take its time."""
    timings = RunTimingHooks()
    timings.seconds = {"count_lines": 2.5}
    hooks = LineageHooks(timings)
    (tmp_path / "pyproject.toml").touch()
    hooks.after_context_created(SimpleNamespace(project_path=tmp_path))
    hooks.before_pipeline_run()
    return hooks


def shown(folder: Path) -> dict[str, Any]:
    """Return what Kedro-Viz makes of the events that were left."""
    events = json.loads((folder / ".viz" / "kedro_pipeline_events.json").read_text())
    return transform_events_to_structured_format(events).model_dump(mode="json")


def test_nodes_are_shown_with_the_seconds_up_to_their_last_save(
    hooks: LineageHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks.after_pipeline_run(PIPELINE, catalog)
    run = shown(tmp_path)
    assert run["pipeline"]["status"] == "success"
    assert {name: node["duration"] for name, node in run["nodes"].items()} == {
        hash_node(COUNT): 2.5
    }
    assert run["datasets"][hash_node("count")]["size"] == len("lines\n12\n")


def test_the_tables_that_the_catalog_holds_are_shown_with_their_rows(
    hooks: LineageHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks.after_pipeline_run(PIPELINE, catalog)
    stats = json.loads((tmp_path / ".viz" / "stats.json").read_text())
    assert stats == {"count": {"rows": 1, "columns": 1, "file_size": 9}}


def test_a_failed_run_shows_where_it_failed_and_what_was_done_before(
    hooks: LineageHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    error = ValueError("nothing to draw")
    hooks.on_node_error(error, DRAW)
    hooks.on_pipeline_error(error, PIPELINE, catalog)
    run = shown(tmp_path)
    assert run["pipeline"]["status"] == "failed"
    assert run["nodes"][hash_node(DRAW)]["error"]["message"] == "nothing to draw"
    assert run["nodes"][hash_node(COUNT)]["status"] == "success"


def test_an_error_is_not_kept_for_the_next_run(
    hooks: LineageHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks.on_node_error(ValueError("nothing to draw"), DRAW)
    hooks.before_pipeline_run()
    hooks.after_pipeline_run(PIPELINE, catalog)
    assert shown(tmp_path)["pipeline"]["error"] is None
    assert hash_node(DRAW) not in shown(tmp_path)["nodes"]


def test_nothing_is_left_where_a_package_runs_without_its_sources(
    hooks: LineageHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").unlink()
    hooks.after_context_created(SimpleNamespace(project_path=tmp_path))
    hooks.after_pipeline_run(PIPELINE, catalog)
    assert not (tmp_path / ".viz").exists()
