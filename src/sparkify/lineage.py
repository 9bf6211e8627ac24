"""What Kedro-Viz shows of the last run: seconds of every node, rows of every table, bytes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro_viz.integrations.kedro.hooks_utils import hash_node

from sparkify.datasets.extent import bytes_on_disk, extent
from sparkify.timings import RunTimingHooks

Event = dict[str, Any]


class LineageHooks:
    """Leaves `stats.json` and `kedro_pipeline_events.json` in .viz, where Kedro-Viz looks.

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
        """Note where the project is, if it has sources: Kedro-Viz opens no other."""
        with_sources = (context.project_path / "pyproject.toml").exists()
        self._folder = context.project_path / ".viz" if with_sources else None

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
        self._folder.mkdir(exist_ok=True)
        (self._folder / "kedro_pipeline_events.json").write_text(
            json.dumps(events, indent=2), encoding="utf-8"
        )
        stats = {name: found for name, found in held.items() if found}
        (self._folder / "stats.json").write_text(json.dumps(stats, indent=2), encoding="utf-8")

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


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _told(error: Exception) -> dict[str, str]:
    return {"error": str(error), "timestamp": _now()}
