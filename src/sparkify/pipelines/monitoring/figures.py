"""Figure of the drift since training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sparkify.pipelines.evaluation.figures import BAD, MODEL, REFERENCE
from sparkify.pipelines.modelling.training_reference import CLOCK
from sparkify.pipelines.monitoring.alarms import DRIFT
from sparkify.pipelines.monitoring.drift import format_chance, format_verdict

CLOCK_COLOR, CHANCE_COLOR = "#d5d8dc", "#e3a857"
MIN_BAR = 0.025  # shortest bar, as a share of the limit, so that it stays visible


def draw_drift(drift: pd.DataFrame, monitoring_summary: Mapping[str, Any]) -> Figure:
    """Draw the population stability index of each feature, its means, and the limit."""
    summary, limit = monitoring_summary, monitoring_summary["thresholds"]["psi"]
    is_clock = drift["kind"] == CLOCK
    rows = drift.assign(is_clock=is_clock).sort_values(["is_clock", "psi"], ascending=[False, True])
    records = rows.to_dict("records")
    verdicts = [format_verdict(row, limit) for row in records]
    figure = Figure(figsize=(9.5, 1.9 + 0.36 * len(rows)), dpi=120, layout="constrained")
    axes = figure.subplots()
    title = _format_title(rows, verdicts, limit)
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold")
    subtitle = (
        f"{summary['customers']:,} customers of {summary['cutoff']} compared with "
        f"{summary['reference_customers']:,} of {summary['reference_cutoff']} in training; "
        f"rates over {summary['window_days']} days{_format_other_alarms(summary['alarms'])}"
    )
    axes.set_title(subtitle, loc="left", fontsize=8.5, color="#555555")
    axes.set_xlabel("Population stability index")
    colors = np.select(
        [rows["alarm"], rows["is_clock"], rows["psi"] >= limit],
        [BAD, CLOCK_COLOR, CHANCE_COLOR],
        MODEL,
    )
    suffixes = np.where(rows["is_clock"], " (clock)", "")
    names: list[str] = list(rows["feature"].str.replace("_", " ") + suffixes)
    # A clock moves by any amount: its bar is cut off; the text next to it has the value.
    psi = rows["psi"].fillna(0)
    edge = 1.15 * max(psi[~rows["is_clock"]].max(), 1.6 * limit)
    axes.barh(names, psi.clip(MIN_BAR * limit, edge), color=colors)
    for place, row in enumerate(records):
        axes.text(edge * 1.02, place, _format_row(row), va="center", fontsize=8)
    axes.axvline(limit, color=REFERENCE, ls="--", lw=1)
    max_p = summary["thresholds"]["false_alarms"]
    text = f" limit {limit:g}: an alarm only if p is below {max_p:g}"
    axes.text(limit, len(rows) - 0.45, text, fontsize=8)
    by_chance = rows["psi_by_chance"].where(~rows["is_clock"])
    mark: dict[str, Any] = {"marker": "|", "ms": 11, "mew": 2, "ls": "", "color": "black"}
    (marks,) = axes.plot(by_chance, names, **mark, label="mean if nothing has changed")
    meanings = dict(zip(verdicts, colors, strict=True))
    patches = [Patch(color=color, label=meaning) for meaning, color in meanings.items()]
    handles = [*patches[::-1], marks]
    figure.legend(handles=handles, frameon=False, fontsize=8, loc="outside lower left", ncols=3)
    axes.set(xlim=(0, 1.75 * edge), ylim=(-0.6, len(rows) + 0.1))
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= edge])
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, axis="x")
    return figure


def _format_title(rows: pd.DataFrame, verdicts: list[str], limit: float) -> str:
    count, by_chance = int(rows["alarm"].sum()), verdicts.count(format_chance(limit))
    title = f"Drift since training: {count or 'no'} alarm{'s' if count > 1 else ''}"
    if not by_chance:
        return title
    return f"{title}; {by_chance} feature{'s' if by_chance > 1 else ''} {format_chance(limit)}"


def _format_other_alarms(alarms: list[dict[str, Any]]) -> str:
    count = sum(not alarm["name"].startswith(DRIFT) for alarm in alarms)
    return f"; {count} other alarm{'s' if count > 1 else ''}, not of drift" if count else ""


def _format_row(row: Mapping[Any, Any]) -> str:
    if not row["reference_customers"] or not row["newest_customers"]:
        return "too little data"
    means = f"PSI {row['psi']:.2f}, mean {row['reference_mean']:.3g}, now {row['newest_mean']:.3g}"
    return means if pd.isna(row["p_adjusted"]) else f"{means}, p {row['p_adjusted']:.2g}"
