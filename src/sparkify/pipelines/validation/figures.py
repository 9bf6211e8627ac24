"""Panels and error bars of the validation figures."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

MODEL, REFERENCE, BAD, GOOD = "#1f5fa8", "#8a8f98", "#c2452d", "#2d7d46"


def create_panels(title: str, subtitle: str, count: int) -> tuple[Figure, list[Axes]]:
    """Create a figure with a title and panels side by side."""
    figure = Figure(figsize=(4.6 * count, 4.2), dpi=120, layout="constrained")
    panels = list(figure.subplots(1, count, squeeze=False)[0])
    figure.suptitle(f"{title}\n", x=0.01, ha="left", fontsize=13, fontweight="bold")
    figure.text(0.01, 0.915, subtitle, fontsize=8.5, color="#555555")
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    return figure, panels


def draw_intervals(axes: Axes, positions: Any, rows: pd.DataFrame, name: str) -> None:
    """Draw a column of values with their intervals as error bars."""
    below = (rows[name] - rows[f"{name}_low"]).clip(lower=0)
    above = (rows[f"{name}_high"] - rows[name]).clip(lower=0)
    axes.errorbar(positions, rows[name], yerr=[below, above], fmt="o-", color=MODEL, capsize=3)
