"""Log and save the seconds, bytes and rows of each node of a run."""

import logging
import time
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
from sparkify.figure_style import MODEL, add_text_columns, create_figure, format_percent

logger = logging.getLogger(__name__)
RUN_TIMINGS, RUN_TIMINGS_FIGURE = "run_timings", "run_timings_figure"
FORECAST = "score_summary"  # a run that saves it has made the forecast
MIN_SHARE = 0.01  # of the run, for a bar in the figure
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

    Several nodes that took less than `MIN_SHARE` of the run each are one bar.

    Args:
        run_timings: one row per node: `node`, `seconds`, `bytes_read`, `bytes_written` and
            `rows_written`, which is missing for a node that wrote no table.
        score_summary: the forecast that the run made.
    """
    total = run_timings["seconds"].sum()
    is_short = run_timings["seconds"] < MIN_SHARE * total
    rows = run_timings
    if is_short.sum() > 1:
        rows = run_timings[~is_short]
        others = run_timings[is_short].drop(columns="node").sum()
        others["node"] = f"{is_short.sum()} nodes below {format_percent(MIN_SHARE)} each"
        rows = pd.concat([rows, others.to_frame().T])
    figure, (axes,) = create_figure(
        f"The run that made the forecast: {total:,.0f} seconds",
        f"Forecast for {score_summary['customers']:,} customers of {score_summary['cutoff']}; "
        "nodes in the order of the run",
        1.0 + 0.24 * len(rows),
    )
    axes.barh(rows["node"], rows["seconds"].astype(float), height=0.7, color=MODEL)
    axes.set(xlabel="Seconds", xlim=(0, None), ylim=(len(rows) - 0.4, -0.6))
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="y", visible=False)
    columns = {
        "seconds": [f"{seconds:,.1f}" for seconds in rows["seconds"]],
        "MB\nread": [f"{size / BYTES_PER_MB:,.0f}" for size in rows["bytes_read"]],
        "MB\nwritten": [f"{size / BYTES_PER_MB:,.1f}" for size in rows["bytes_written"]],
        "rows\nwritten": ["" if pd.isna(n) else f"{n:,.0f}" for n in rows["rows_written"]],
    }
    add_text_columns(axes, range(len(rows)), columns)
    return figure


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
