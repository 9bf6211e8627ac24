"""Pictures of a run."""

from collections.abc import Hashable
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

BAR = "#1f5fa8"
BYTES_PER_MB = 1_000_000


def run_timings_figure(run_timings: pd.DataFrame) -> Figure:
    """Draw the seconds of every node of the last run, with megabytes read and written.

    Args:
        run_timings: one row per node: `node`, `seconds`, `bytes_read`, `bytes_written` and
            `rows_written`.
    """
    height = 1.4 + 0.3 * len(run_timings)
    figure = Figure(figsize=(8, height), dpi=120, layout="constrained")
    axes = figure.subplots()
    total = run_timings["seconds"].sum()
    figure.suptitle(f"The last run: {total:,.0f} seconds", x=0.02, ha="left", fontweight="bold")
    axes.set_title(
        "Seconds; MB read and written, rows written", loc="left", fontsize=8.5, color="#555555"
    )
    bars = axes.barh(run_timings["node"], run_timings["seconds"], color=BAR)
    texts = [_told(row) for row in run_timings.to_dict("records")]
    axes.bar_label(bars, texts, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.6)
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _told(row: dict[Hashable, Any]) -> str:
    read, written = row["bytes_read"] / BYTES_PER_MB, row["bytes_written"] / BYTES_PER_MB
    rows = f", {row['rows_written']:,} rows" if row["rows_written"] else ""
    return f" {row['seconds']:,.1f} s; {read:,.0f} and {written:,.1f} MB{rows}"
