"""Show what a run is doing: a moving line in a terminal, and a log line for each long node."""

import logging
import sys
from threading import Timer

from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pyspark import SparkContext
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

logger = logging.getLogger(__name__)
LONG_NODE_SECONDS = 10  # a node that runs longer is announced in the log
REFRESHES_PER_SECOND = 2


class SparkTasksColumn(ProgressColumn):
    """The share of tasks that the running Spark stages have finished."""

    def render(self, task: Task) -> Text:  # noqa: ARG002 -- as in Rich
        """Return the numbers of tasks, or nothing while Spark is idle."""
        context = SparkContext._active_spark_context
        if context is None:
            return Text()
        tracker = context.statusTracker()
        stages = [tracker.getStageInfo(number) for number in tracker.getActiveStageIds()]
        finished = sum(stage.numCompletedTasks for stage in stages if stage)
        total = sum(stage.numTasks for stage in stages if stage)
        return Text(f"Spark tasks {finished}/{total}" if total else "")


class ProgressHooks:
    """Shows the running node; in a terminal with a bar below the log."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._timer: Timer | None = None
        self._started = 0  # nodes

    @hook_impl(trylast=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Start the bar if standard output is a terminal, once Spark has started."""
        if not sys.stdout.isatty():
            return
        self._progress = Progress(
            *(MofNCompleteColumn(), BarColumn(20), TextColumn("{task.description}")),
            *(SparkTasksColumn(), TimeElapsedColumn()),
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
        )
        self._progress.add_task(
            "starting", total=sum(bool(node.outputs) for node in pipeline.nodes)
        )
        self._started = 0
        # Rich replaces standard output, so that the log appears above the bar.
        handlers = _list_console_handlers()
        self._progress.start()
        for handler in handlers:
            handler.setStream(sys.stdout)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Show the node, and announce it in the log if it runs for long."""
        if self._progress:
            (bar,) = self._progress.task_ids
            self._progress.update(bar, description=node.name, completed=self._started)
            self._started += bool(node.outputs)
        self._stop_timer()
        self._timer = Timer(LONG_NODE_SECONDS, logger.info, ("%5s  %s", "...", node.name))
        self._timer.daemon = True
        self._timer.start()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Do not announce a node whose last result is saved: the next one may start later."""
        if dataset_name == node.outputs[-1]:
            self._stop_timer()

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self) -> None:
        """Remove the bar, before other hooks log results."""
        self._stop()

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self) -> None:
        """Remove the bar, before the error is shown."""
        self._stop()

    def _stop(self) -> None:
        self._stop_timer()
        if self._progress:
            handlers = _list_console_handlers()
            self._progress.stop()
            self._progress = None
            for handler in handlers:
                handler.setStream(sys.stdout)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()


def _list_console_handlers() -> list[logging.StreamHandler]:  # type: ignore[type-arg]
    """Return the log's handlers that write to standard output."""
    handlers = logging.getLogger().handlers
    return [
        handler
        for handler in handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout
    ]
