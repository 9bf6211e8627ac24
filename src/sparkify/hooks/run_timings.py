"""Log and save the seconds, bytes and rows of each node of a run."""

import logging
import time
from collections.abc import Hashable
from typing import Any

import pandas as pd
from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from matplotlib.figure import Figure
from pyspark import SparkContext

from sparkify.datasets import ParquetTableDataset
from sparkify.datasets.statistics import count_bytes

logger = logging.getLogger(__name__)
RUN_TIMINGS, RUN_TIMINGS_FIGURE = "run_timings", "run_timings_figure"
FORECAST = "score_summary"  # a run that saves it has made the forecast
BAR_COLOR = "#1f5fa8"
BYTES_PER_MB = 1_000_000


class RunTimingsHooks:
    """Logs each node's time; a run that makes the forecast saves it as a table and a figure.

    The report links to them, so a run without a forecast does not replace them.
    `seconds` has the run's finished nodes by name.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._catalog = DataCatalog()
        self._started: dict[str, tuple[float, int]] = {}
        self._unsaved: dict[str, set[str]] = {}
        self._row_counts: dict[str, int | None] = {}
        self._rows: list[dict[str, object]] = []

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Store what each node will save: Spark computes a result when it is saved."""
        self._catalog = catalog
        # The end of a node without outputs is not visible to this hook.
        self._unsaved = {node.name: set(node.outputs) for node in pipeline.nodes if node.outputs}
        self._rows, self._row_counts, self.seconds = [], {}, {}

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Store the start of the node."""
        self._started[node.name] = (time.perf_counter(), _count_bytes_read())

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        """Log and store the node's time once its last result is saved."""
        self._row_counts[dataset_name] = _count_rows(self._catalog.get(dataset_name), data)
        unsaved = self._unsaved[node.name]
        unsaved.discard(dataset_name)
        if unsaved:
            return
        started, read_before = self._started[node.name]
        self.seconds[node.name] = seconds = round(time.perf_counter() - started, 2)
        finished = sum(not names for names in self._unsaved.values())
        logger.info("%5s  %-45s %6.1f s", f"{finished}/{len(self._unsaved)}", node.name, seconds)
        row_counts = [self._row_counts[name] for name in node.outputs]
        table_rows = [count for count in row_counts if count is not None]
        self._rows.append(
            {
                "node": node.name,
                "seconds": seconds,
                "bytes_read": _count_bytes_read() - read_before,
                "bytes_written": sum(count_bytes(self._catalog.get(name)) for name in node.outputs),
                "rows_written": sum(table_rows) if table_rows else None,
            }
        )

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Save the timings of a run that made the forecast, as a table and a figure."""
        if FORECAST not in pipeline.all_outputs() or RUN_TIMINGS not in catalog:
            return
        timings = pd.DataFrame(self._rows).astype({"rows_written": "Int64"})
        catalog.save(RUN_TIMINGS, timings)
        catalog.save(RUN_TIMINGS_FIGURE, draw_run_timings(timings, catalog.load(FORECAST)))


def draw_run_timings(run_timings: pd.DataFrame, score_summary: dict[str, Any]) -> Figure:
    """Draw the seconds of each node of the run that made the forecast, with megabytes and rows.

    Args:
        run_timings: one row per node: `node`, `seconds`, `bytes_read`, `bytes_written` and
            `rows_written`, which is missing for a node that wrote no table.
        score_summary: the forecast that the run made.
    """
    height = 1.4 + 0.3 * len(run_timings)
    figure = Figure(figsize=(8, height), dpi=120, layout="constrained")
    axes = figure.subplots()
    title = f"The run that made the forecast: {run_timings['seconds'].sum():,.0f} seconds"
    figure.suptitle(title, x=0.02, ha="left", fontweight="bold")
    subtitle = (
        "Seconds; MB read and written, rows written. Forecast for "
        f"{score_summary['customers']:,} customers of {score_summary['cutoff']}"
    )
    axes.set_title(subtitle, loc="left", fontsize=8.5, color="#555555")
    bars = axes.barh(run_timings["node"], run_timings["seconds"], color=BAR_COLOR)
    labels = [_format_bar_label(row) for row in run_timings.to_dict("records")]
    axes.bar_label(bars, labels, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.6)
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _format_bar_label(row: dict[Hashable, Any]) -> str:
    read, written = row["bytes_read"] / BYTES_PER_MB, row["bytes_written"] / BYTES_PER_MB
    rows = "" if pd.isna(row["rows_written"]) else f", {row['rows_written']:,.0f} rows"
    return f" {row['seconds']:,.1f} s; {read:,.0f} and {written:,.1f} MB{rows}"


def _count_rows(dataset: AbstractDataset[Any, Any] | None, data: Any) -> int | None:
    """Return how many rows were written to a file; None if it is not a table."""
    if isinstance(dataset, ParquetTableDataset):
        return dataset.count_rows()
    is_in_memory = dataset is None or isinstance(dataset, MemoryDataset)
    return len(data) if isinstance(data, pd.DataFrame) and not is_in_memory else None


def _count_bytes_read() -> int:
    """Return how many bytes Spark's tasks have read so far, from files and cached tables.

    Nodes that run concurrently (ThreadRunner) also count each other's bytes. PySpark's public
    StatusTracker has no byte counts, and threads of ThreadRunner have no active session.
    """
    active = SparkContext._active_spark_context
    if active is None:
        return 0
    context = active._jsc.sc()
    context.listenerBus().waitUntilEmpty()
    executors = context.statusStore().executorList(False)
    return sum(executors.apply(index).totalInputBytes() for index in range(executors.size()))
