"""What Kedro-Viz shows of the last run: seconds of every node, rows of every table, bytes.

Each environment has its own statistics in `.viz/<env>`. Kedro-Viz reads `.viz/stats.json` and
`.viz/kedro_pipeline_events.json`, which are links to those of the environment that was opened last.
"""

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.framework.project import settings
from kedro.io import CatalogProtocol, DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_viz.integrations.kedro.hooks_utils import hash_node

from sparkify.datasets.statistics import bytes_on_disk, extent
from sparkify.hooks.run_timings import RunTimingHooks

logger = logging.getLogger(__name__)
STATS, EVENTS = "stats.json", "kedro_pipeline_events.json"
Event = dict[str, Any]


class LineageContext(KedroContext):
    """A context that lets Kedro-Viz show the statistics of its environment.

    Kedro-Viz runs no hooks unless asked to, but gets the catalog of the context before it reads
    statistics. A run builds its catalog in another way, so it does not change what is shown.
    """

    @property
    def catalog(self) -> CatalogProtocol[Any, Any]:
        """Return the catalog, and link the statistics that Kedro-Viz reads."""
        folder = statistics_folder(self)
        if folder is not None:
            _link_statistics(folder, self.project_path / ".viz")
        return super().catalog


class LineageHooks:
    """Saves the statistics of every run for Kedro-Viz.

    Its own hooks, which settings.py turns off, know no table of Spark's, and stop a node's clock
    when its function returns: Spark works later, when the result is saved.
    """

    def __init__(self, timings: RunTimingHooks) -> None:
        self._timings = timings
        self._folder: Path | None = None
        self._started = ""
        self._errors: list[Event] = []

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Note where the statistics of the environment go."""
        self._folder = statistics_folder(context)

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Note when the run started."""
        self._started, self._errors = _now(), []

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Note which node failed, and why."""
        self._errors = [{"event": "on_node_error", "node_id": hash_node(node), **_told(error)}]

    @hook_impl
    def on_pipeline_error(self, error: Exception, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Leave what was done before the run failed."""
        self._leave(pipeline, catalog, {"event": "on_pipeline_error", **_told(error)})

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Leave what the run took, and what the catalog holds after it."""
        self._leave(pipeline, catalog, {"event": "after_pipeline_run"})

    def _leave(self, pipeline: Pipeline, catalog: DataCatalog, end: Event) -> None:
        if self._folder is None:
            return
        events = [
            {"event": "before_pipeline_run", "timestamp": self._started},
            *self._done(pipeline, catalog),
            *self._errors,
            {**end, "timestamp": _now()},
        ]
        held = {name: extent(catalog.get(name)) for name in catalog.keys()}  # noqa: SIM118
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / EVENTS).write_text(json.dumps(events, indent=2), encoding="utf-8")
        stats = {name: found for name, found in held.items() if found}
        (self._folder / STATS).write_text(json.dumps(stats, indent=2), encoding="utf-8")

    def _done(self, pipeline: Pipeline, catalog: DataCatalog) -> list[Event]:
        """Tell of the nodes that ended, and of the datasets that they read and wrote."""
        seconds = self._timings.seconds
        nodes = [node for node in pipeline.nodes if node.name in seconds]
        touched = dict.fromkeys(name for node in nodes for name in (*node.inputs, *node.outputs))
        return [
            *(
                {
                    "event": "after_node_run",
                    "node_id": hash_node(node),
                    "duration": seconds[node.name],
                }
                for node in nodes
            ),
            *(
                {
                    "event": "after_dataset_saved",
                    "dataset": name,
                    "node_id": hash_node(name),
                    "size": bytes_on_disk(catalog.get(name)),
                }
                for name in touched
            ),
        ]


def statistics_folder(context: KedroContext) -> Path | None:
    """Return the folder of an environment's statistics; None without sources.

    Kedro-Viz opens no project without them.
    """
    if not (context.project_path / "pyproject.toml").exists():
        return None
    env = context.env or settings.CONFIG_LOADER_ARGS["default_run_env"]
    return context.project_path / ".viz" / env


def _link_statistics(folder: Path, viz: Path) -> None:
    """Link the files that Kedro-Viz reads to those of an environment, there or yet to come."""
    for name in (STATS, EVENTS):
        link, target = viz / name, (folder / name).relative_to(viz)
        if link.is_symlink() and link.readlink() == target:
            continue
        try:
            viz.mkdir(exist_ok=True)
            new = viz / f".{name}.{os.getpid()}"
            new.symlink_to(target)
            new.replace(link)
        except OSError as error:
            logger.warning("Kedro-Viz may show statistics of another environment: %s", error)


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _told(error: Exception) -> dict[str, str]:
    return {"error": str(error), "timestamp": _now()}
