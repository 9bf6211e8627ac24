import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
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
    """Stub of a node function; the hooks use only names."""


COUNT = Node(work, "log", "count", name="count_lines")
DRAW = Node(work, "count", "figure", name="draw_count")
PIPELINE = Pipeline([COUNT, DRAW])


@pytest.fixture
def catalog(tmp_path: Path) -> DataCatalog:
    (tmp_path / "count.csv").write_text("lines\n12\n")
    return DataCatalog({"count": CSVDataset(filepath=str(tmp_path / "count.csv"))})


@pytest.fixture
def hooks(tmp_path: Path) -> KedroVizStatisticsHooks:
    """Return hooks of a run in which the first of two nodes has finished."""
    timings = RunTimingsHooks()
    timings.seconds = {"count_lines": 2.5}
    hooks = KedroVizStatisticsHooks(timings)
    (tmp_path / "pyproject.toml").touch()
    hooks.after_context_created(SimpleNamespace(project_path=tmp_path, env="full"))
    hooks.before_pipeline_run()
    return hooks


def read_run_status(folder: Path) -> dict[str, Any]:
    """Return the run status that Kedro-Viz computes from the saved events."""
    events = json.loads((folder / ".viz" / "full" / "kedro_pipeline_events.json").read_text())
    return transform_events_to_structured_format(events).model_dump(mode="json")


def test_nodes_are_shown_with_the_seconds_up_to_their_last_save(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks.after_pipeline_run(PIPELINE, catalog)
    run = read_run_status(tmp_path)
    assert run["pipeline"]["status"] == "success"
    assert {name: node["duration"] for name, node in run["nodes"].items()} == {
        hash_node(COUNT): 2.5
    }
    assert run["datasets"][hash_node("count")]["size"] == len("lines\n12\n")


def test_tables_of_the_catalog_are_shown_with_their_rows(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks.after_pipeline_run(PIPELINE, catalog)
    stats = json.loads((tmp_path / ".viz" / "full" / "stats.json").read_text())
    assert stats == {"count": {"rows": 1, "columns": 1, "file_size": 9}}


def test_a_failed_run_shows_the_failed_node_and_the_finished_ones(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    error = ValueError("nothing to draw")
    hooks.on_node_error(error, DRAW)
    hooks.on_pipeline_error(error, PIPELINE, catalog)
    run = read_run_status(tmp_path)
    assert run["pipeline"]["status"] == "failed"
    assert run["nodes"][hash_node(DRAW)]["error"]["message"] == "nothing to draw"
    assert run["nodes"][hash_node(COUNT)]["status"] == "success"


def test_an_error_is_not_kept_for_the_next_run(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    hooks.on_node_error(ValueError("nothing to draw"), DRAW)
    hooks.before_pipeline_run()
    hooks.after_pipeline_run(PIPELINE, catalog)
    assert read_run_status(tmp_path)["pipeline"]["error"] is None
    assert hash_node(DRAW) not in read_run_status(tmp_path)["nodes"]


def test_a_package_without_sources_saves_no_statistics(
    hooks: KedroVizStatisticsHooks, catalog: DataCatalog, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").unlink()
    hooks.after_context_created(SimpleNamespace(project_path=tmp_path, env="full"))
    hooks.after_pipeline_run(PIPELINE, catalog)
    assert not (tmp_path / ".viz").exists()


@pytest.fixture
def viz(tmp_path: Path) -> Path:
    """Return the folder of a project in which two environments have run."""
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


def open_environment(viz: Path, env: str | None) -> KedroVizContext:
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
    open_environment(viz, "mini" if env == "full" else "full")
    open_environment(viz, env)
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": rows}}
    events = json.loads((viz / "kedro_pipeline_events.json").read_text())
    assert events == [{"seconds": rows}]
    assert sorted(path.name for path in viz.iterdir()) == [
        *("full", "kedro_pipeline_events.json", "mini", "stats.json")
    ]


def test_an_environment_without_a_run_shows_no_statistics_until_it_has_one(viz: Path) -> None:
    open_environment(viz, "mini")
    open_environment(viz, "cluster")
    assert _get_dataset_stats(viz.parent) == {}
    (viz / "cluster").mkdir()
    (viz / "cluster" / "stats.json").write_text('{"count": {"rows": 7}}')
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": 7}}


def test_statistics_of_an_earlier_version_of_the_project_are_replaced(viz: Path) -> None:
    (viz / "stats.json").write_text('{"count": {"rows": 99}}')
    open_environment(viz, "mini")
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": 1}}


def test_a_run_does_not_change_statistics_of_another_environment(
    viz: Path, hooks: KedroVizStatisticsHooks, catalog: DataCatalog
) -> None:
    open_environment(viz, "mini")
    hooks.after_pipeline_run(PIPELINE, catalog)  # in full
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": 1}}
    open_environment(viz, "full")
    assert _get_dataset_stats(viz.parent) == {"count": {"rows": 1, "columns": 1, "file_size": 9}}


def test_an_unwritable_folder_is_a_warning(
    viz: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    open_environment(viz, "mini")
    warning = "Kedro-Viz may show statistics of another environment: [Errno 13] Permission denied"
    assert [message.startswith(warning) for message in caplog.messages] == [True, True]
