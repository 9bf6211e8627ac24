"""What each node of a run took: seconds, bytes and rows."""

import logging
import time

import pandas as pd
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pyspark.sql import SparkSession

from sparkify.datasets import ParquetTableDataset
from sparkify.datasets.extent import bytes_on_disk

logger = logging.getLogger(__name__)
RUN_TIMINGS = "run_timings"


class RunTimingHooks:
    """Tells of every node when it is done, and keeps what it took in `run_timings`.

    `seconds` has the run's finished nodes by name.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._catalog = DataCatalog()
        self._started: dict[str, tuple[float, int]] = {}
        self._unsaved: dict[str, set[str]] = {}
        self._keeps = False
        self._rows: list[dict[str, object]] = []

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Note what each node will save: Spark works when a result is saved, not before."""
        self._catalog = catalog
        self._unsaved = {node.name: set(node.outputs) for node in pipeline.nodes}
        self._keeps = RUN_TIMINGS in catalog and bool(_timed(pipeline))
        self._rows, self.seconds = [], {}

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Save what is known so far for a node that tells of its own run."""
        if dataset_name == RUN_TIMINGS and self._keeps:
            self._catalog.save(RUN_TIMINGS, pd.DataFrame(self._rows))

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Note when the node started."""
        self._started[node.name] = (time.perf_counter(), _bytes_read())

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Log and keep what the node took once its last result is saved."""
        unsaved = self._unsaved[node.name]
        unsaved.discard(dataset_name)
        if unsaved:
            return
        started, read_before = self._started[node.name]
        self.seconds[node.name] = seconds = round(time.perf_counter() - started, 2)
        done = sum(not left for left in self._unsaved.values())
        progress = f"{done}/{len(self._unsaved)}"
        logger.info("%5s  %-35s %6.1f s", progress, node.name, seconds)
        saved = [self._catalog.get(name) for name in node.outputs]
        self._rows.append(
            {
                "node": node.name,
                "seconds": seconds,
                "bytes_read": _bytes_read() - read_before,
                "bytes_written": sum(bytes_on_disk(dataset) for dataset in saved),
                "rows_written": sum(
                    dataset.count_rows()
                    for dataset in saved
                    if isinstance(dataset, ParquetTableDataset)
                ),
            }
        )

    @hook_impl
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Save the timings of a whole run; one that only tells of the last leaves them alone."""
        if self._keeps:
            catalog.save(RUN_TIMINGS, pd.DataFrame(self._rows))


def _timed(pipeline: Pipeline) -> list[Node]:
    """List the nodes of a run that do not come after its timings: those that these are about."""
    if RUN_TIMINGS not in pipeline.inputs():
        return list(pipeline.nodes)
    return (pipeline - pipeline.from_inputs(RUN_TIMINGS)).nodes


def _bytes_read() -> int:
    """Return how many bytes Spark's tasks have read so far, from files and cached tables."""
    session = SparkSession.getActiveSession()
    if session is None:
        return 0
    context = session.sparkContext._jsc.sc()
    context.listenerBus().waitUntilEmpty()
    executors = context.statusStore().executorList(False)
    return sum(executors.apply(place).totalInputBytes() for place in range(executors.size()))
