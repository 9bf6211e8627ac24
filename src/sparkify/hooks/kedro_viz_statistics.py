"""What Kedro-Viz shows of the last run: seconds of each node, rows and bytes of each table.

Each environment has its statistics in `.viz/<env>`. Kedro-Viz reads `.viz/stats.json` and
`.viz/kedro_pipeline_events.json`: links to those of the environment that was opened last.
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

from sparkify.datasets.statistics import count_bytes, describe_size
from sparkify.hooks.run_timings import RunTimingsHooks

logger = logging.getLogger(__name__)
STATS, EVENTS = "stats.json", "kedro_pipeline_events.json"
Event = dict[str, Any]


class KedroVizContext(KedroContext):
    """A context that makes Kedro-Viz show the statistics of its environment.

    Kedro-Viz calls no hooks, but reads the context's catalog before the statistics. A run builds
    its catalog in another way, so it does not change what is shown.
    """

    @property
    def catalog(self) -> CatalogProtocol[Any, Any]:
        """Return the catalog, and link the statistics that Kedro-Viz reads."""
        folder = statistics_folder(self)
        if folder is not None:
            _link_statistics(folder, self.project_path / ".viz")
        return super().catalog


class KedroVizStatisticsHooks:
    """Saves the statistics of every run for Kedro-Viz.

    They replace Kedro-Viz's hooks, which do not count Spark tables, and stop a node's clock when
    its function returns. Spark works later, when the result is saved.
    """

    def __init__(self, timings: RunTimingsHooks) -> None:
        self._timings = timings
        self._folder: Path | None = None
        self._started = ""
        self._node_errors: list[Event] = []

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Note where the statistics of the environment go."""
        self._folder = statistics_folder(context)

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Note when the run started."""
        self._started, self._node_errors = _now(), []

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Note which node failed, and why."""
        self._node_errors = [
            _event("on_node_error", node_id=hash_node(node), error=str(error), timestamp=_now())
        ]

    @hook_impl
    def on_pipeline_error(self, error: Exception, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Save the statistics of a run that failed."""
        end = _event("on_pipeline_error", error=str(error), timestamp=_now())
        self._save(pipeline, catalog, end)

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Save the statistics of the run and of what the catalog contains after it."""
        self._save(pipeline, catalog, _event("after_pipeline_run", timestamp=_now()))

    def _save(self, pipeline: Pipeline, catalog: DataCatalog, end: Event) -> None:
        if self._folder is None:
            return
        seconds = self._timings.seconds
        nodes = [node for node in pipeline.nodes if node.name in seconds]
        names = dict.fromkeys(name for node in nodes for name in (*node.inputs, *node.outputs))
        events = [
            _event("before_pipeline_run", timestamp=self._started),
            *(
                _event("after_node_run", node_id=hash_node(node), duration=seconds[node.name])
                for node in nodes
            ),
            *(
                _event(
                    "after_dataset_saved",
                    dataset=name,
                    node_id=hash_node(name),
                    size=count_bytes(catalog.get(name)),
                )
                for name in names
            ),
            *self._node_errors,
            end,
        ]
        sizes = {name: describe_size(catalog.get(name)) for name in catalog.keys()}  # noqa: SIM118
        stats = {name: size for name, size in sizes.items() if size}
        self._folder.mkdir(parents=True, exist_ok=True)
        for file, content in ((EVENTS, events), (STATS, stats)):
            (self._folder / file).write_text(json.dumps(content, indent=2), encoding="utf-8")


def statistics_folder(context: KedroContext) -> Path | None:
    """Return the folder of an environment's statistics; None for a package without its sources.

    Kedro-Viz opens only projects with sources.
    """
    if not (context.project_path / "pyproject.toml").exists():
        return None
    env = context.env or settings.CONFIG_LOADER_ARGS["default_run_env"]
    return context.project_path / ".viz" / env


def _link_statistics(folder: Path, viz: Path) -> None:
    """Link the files that Kedro-Viz reads to those of an environment, which may not exist yet."""
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


def _event(name: str, **fields: object) -> Event:
    return {"event": name, **fields}


def _now() -> str:
    return datetime.now(UTC).isoformat()
