import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.project import configure_project
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro_viz.api.rest.responses.run_events import transform_events_to_structured_format
from kedro_viz.integrations.kedro.data_loader import _get_dataset_stats
from kedro_viz.integrations.kedro.hooks_utils import hash_node
from kedro_viz.integrations.utils import _VizNullPluginManager

from sparkify.datasets import CSVDataset
from sparkify.hooks.kedro_viz_statistics import KedroVizContext, KedroVizStatisticsHooks
from sparkify.hooks.run_timings import RunTimingsHooks


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
def hooks(tmp_path: Path) -> KedroVizStatisticsHooks:
    """Return hooks that have seen the first of two nodes take its time."""
    timings = RunTimingsHooks()
    timings.seconds = {"count_lines": 2.5}
    hooks = KedroVizStatisticsHooks(timings)
    (tmp_path / "pyproject.toml").touch()
    hooks.after_context_created(SimpleNamespace(project_path=tmp_path, env="full"))
    hooks.before_pipeline_run()
    return hooks


def shown(folder: Path) -> dict[str, Any]:
    """Return what Kedro-Viz makes of the events that were left."""
    events = json.loads((folder / ".viz" / "full" / "kedro_pipeline_events.json").read_text())
    return transform_events_to_structured_format(events).model_dump(mode="json")


def test_nodes_are_shown_with_the_seconds_up_to_their_last_save(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks.after_pipeline_run(PIPELINE, catalog)
    run = shown(tmp_path)
    assert run["pipeline"]["status"] == "success"
    assert {name: node["duration"] for name, node in run["nodes"].items()} == {
        hash_node(COUNT): 2.5
    }
    assert run["datasets"][hash_node("count")]["size"] == len("lines\n12\n")


def test_the_tables_that_the_catalog_holds_are_shown_with_their_rows(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks.after_pipeline_run(PIPELINE, catalog)
    stats = json.loads((tmp_path / ".viz" / "full" / "stats.json").read_text())
    assert stats == {"count": {"rows": 1, "columns": 1, "file_size": 9}}


def test_a_failed_run_shows_where_it_failed_and_what_was_done_before(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    error = ValueError("nothing to draw")
    hooks.on_node_error(error, DRAW)
    hooks.on_pipeline_error(error, PIPELINE, catalog)
    run = shown(tmp_path)
    assert run["pipeline"]["status"] == "failed"
    assert run["nodes"][hash_node(DRAW)]["error"]["message"] == "nothing to draw"
    assert run["nodes"][hash_node(COUNT)]["status"] == "success"


def test_an_error_is_not_kept_for_the_next_run(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks.on_node_error(ValueError("nothing to draw"), DRAW)
    hooks.before_pipeline_run()
    hooks.after_pipeline_run(PIPELINE, catalog)
    assert shown(tmp_path)["pipeline"]["error"] is None
    assert hash_node(DRAW) not in shown(tmp_path)["nodes"]


def test_nothing_is_left_where_a_package_runs_without_its_sources(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").unlink()
    hooks.after_context_created(SimpleNamespace(project_path=tmp_path, env="full"))
    hooks.after_pipeline_run(PIPELINE, catalog)
    assert not (tmp_path / ".viz").exists()


@pytest.fixture
def viz(tmp_path: Path) -> Path:
    """Return the folder of a project in which two environments have run."""
    configure_project("sparkify")
    (tmp_path / "pyproject.toml").touch()
    for env in ("base", "mini", "full", "cluster"):
        (tmp_path / "conf" / env).mkdir(parents=True)
    for name in ("catalog", "parameters"):
        (tmp_path / "conf" / "base" / f"{name}.yml").write_text("{}")
    for env, rows in (("mini", 1), ("full", 250)):
        folder = tmp_path / ".viz" / env
        folder.mkdir(parents=True)
        (folder / "stats.json").write_text(json.dumps({"count": {"rows": rows}}))
        (folder / "kedro_pipeline_events.json").write_text(json.dumps([{"seconds": rows}]))
    return tmp_path / ".viz"


def opened(viz: Path, env: str | None) -> KedroVizContext:
    """Return the context of an environment as Kedro-Viz makes it, and get its catalog."""
    project = viz.parent
    context = KedroVizContext(
        project_path=project,
        config_loader=OmegaConfigLoader(
            str(project / "conf"), env=env, base_env="base", default_run_env="mini"
        ),
        env=env,
        package_name="sparkify",
        hook_manager=_VizNullPluginManager(),
    )
    assert context.catalog is not None
    return context


@pytest.mark.parametrize(("env", "rows"), [("mini", 1), ("full", 250), (None, 1)])
def test_kedro_viz_reads_the_statistics_of_the_environment_that_it_opens(
    viz: Path, env: str | None, rows: int
) -> None:
    opened(viz, "mini" if env == "full" else "full")
    opened(viz, env)
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": rows}}
    events = json.loads((viz / "kedro_pipeline_events.json").read_text())
    assert events == [{"seconds": rows}]
    assert sorted(path.name for path in viz.iterdir()) == [
        *("full", "kedro_pipeline_events.json", "mini", "stats.json")
    ]


def test_an_environment_without_a_run_shows_no_statistics_until_it_has_one(viz: Path) -> None:
    opened(viz, "mini")
    opened(viz, "cluster")
    assert _get_dataset_stats(viz.parent) == {}
    (viz / "cluster").mkdir()
    (viz / "cluster" / "stats.json").write_text('{"count": {"rows": 7}}')
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": 7}}


def test_statistics_of_an_earlier_version_of_the_project_are_replaced(viz: Path) -> None:
    (viz / "stats.json").write_text('{"count": {"rows": 99}}')
    opened(viz, "mini")
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": 1}}


def test_a_run_changes_nothing_of_what_another_environment_shows(
    viz: Path, hooks: KedroVizStatisticsHooks, catalog: DataCatalog
) -> None:
    opened(viz, "mini")
    hooks.after_pipeline_run(PIPELINE, catalog)  # in full
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": 1}}
    opened(viz, "full")
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": 1, "columns": 1, "file_size": 9}}


def test_a_folder_that_cannot_be_written_is_a_warning(
    viz: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    opened(viz, "mini")
    warning = "Kedro-Viz may show statistics of another environment: [Errno 13] Permission denied"
    assert [message.startswith(warning) for message in caplog.messages] == [True, True]
