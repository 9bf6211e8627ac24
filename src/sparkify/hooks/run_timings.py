"""What each node of a run took: seconds, bytes and rows."""

import logging
import time
from typing import Any

import pandas as pd
from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pyspark import SparkContext

from sparkify.datasets import ParquetTableDataset
from sparkify.datasets.statistics import bytes_on_disk

logger = logging.getLogger(__name__)
RUN_TIMINGS = "run_timings"
FORECAST = "score_summary"  # a run that saves it has made the forecast


class RunTimingHooks:
    """Logs what every node took, and saves the timings of a run that makes the forecast.

    The report shows them beside that forecast, so any other run leaves `run_timings` as it is.
    `seconds` has the run's finished nodes by name.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._catalog = DataCatalog()
        self._started: dict[str, tuple[float, int]] = {}
        self._unsaved: dict[str, set[str]] = {}
        self._row_counts: dict[str, int | None] = {}
        self._makes_forecast = False
        self._rows: list[dict[str, object]] = []

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Note what each node will save: Spark works when a result is saved, not before."""
        self._catalog = catalog
        # Those that save nothing have no end that is seen here.
        self._unsaved = {node.name: set(node.outputs) for node in pipeline.nodes if node.outputs}
        self._makes_forecast = RUN_TIMINGS in catalog and FORECAST in pipeline.all_outputs()
        self._rows, self._row_counts, self.seconds = [], {}, {}

    @hook_impl
    def before_dataset_loaded(self, dataset_name: str) -> None:
        """Save the timings so far for a node of this run that shows them."""
        if dataset_name == RUN_TIMINGS:
            self._save()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Note when the node started."""
        self._started[node.name] = (time.perf_counter(), _bytes_read())

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """Log and keep what the node took once its last result is saved."""
        self._row_counts[dataset_name] = _count_rows(self._catalog.get(dataset_name), data)
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
        row_counts = [self._row_counts[name] for name in node.outputs]
        known = [count for count in row_counts if count is not None]
        self._rows.append(
            {
                "node": node.name,
                "seconds": seconds,
                "bytes_read": _bytes_read() - read_before,
                "bytes_written": sum(bytes_on_disk(dataset) for dataset in saved),
                "rows_written": sum(known) if known else None,
            }
        )

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Save the timings of the whole run."""
        self._save()

    def _save(self) -> None:
        if self._makes_forecast:
            timings = pd.DataFrame(self._rows).astype({"rows_written": "Int64"})
            self._catalog.save(RUN_TIMINGS, timings)


def _count_rows(dataset: AbstractDataset[Any, Any] | None, data: Any) -> int | None:
    """Return how many rows were written to a file; None if it holds no table."""
    if isinstance(dataset, ParquetTableDataset):
        return dataset.count_rows()
    is_in_memory = dataset is None or isinstance(dataset, MemoryDataset)
    return len(data) if isinstance(data, pd.DataFrame) and not is_in_memory else None


def _bytes_read() -> int:
    """Return how many bytes Spark's tasks have read so far, from files and cached tables.

    Nodes that run at the same time (ThreadRunner) count each other's bytes as well.
    """
    started = SparkContext._active_spark_context  # a thread of its own has no active session
    if started is None:
        return 0
    context = started._jsc.sc()
    context.listenerBus().waitUntilEmpty()
    executors = context.statusStore().executorList(False)
    return sum(executors.apply(place).totalInputBytes() for place in range(executors.size()))
