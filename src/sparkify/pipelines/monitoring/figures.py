"""Figure of the drift since training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sparkify.figure_style import (
    BAD,
    CAUTION,
    MODEL,
    PALE,
    REFERENCE,
    TEXT,
    add_legend,
    add_text_columns,
    create_figure,
)
from sparkify.pipelines.modelling.training_reference import CLOCK
from sparkify.pipelines.monitoring.alarms import DRIFT
from sparkify.pipelines.monitoring.drift import format_chance, format_verdict

MIN_BAR = 0.025  # shortest bar, as a share of the limit, so that it stays visible


def draw_drift(drift: pd.DataFrame, monitoring_summary: Mapping[str, Any]) -> Figure:
    """Draw the population stability index of each feature, its means, and the limit."""
    summary, limit = monitoring_summary, monitoring_summary["thresholds"]["psi"]
    is_clock = drift["kind"] == CLOCK
    rows = drift.assign(is_clock=is_clock).sort_values(["is_clock", "psi"], ascending=[False, True])
    records = rows.to_dict("records")
    verdicts = [format_verdict(row, limit) for row in records]
    subtitle = (
        f"{summary['customers']:,} customers of {summary['cutoff']} compared with "
        f"{summary['reference_customers']:,} of {summary['reference_cutoff']} in training; "
        f"rates over {summary['window_days']} days{_format_other_alarms(summary['alarms'])}"
    )
    title = _format_title(rows, verdicts, limit)
    figure, (axes,) = create_figure(title, subtitle, 1.8 + 0.25 * len(rows))
    max_p = summary["thresholds"]["false_alarms"]
    axes.set_xlabel("Population stability index (PSI)")
    colors = np.select(
        [rows["alarm"], rows["is_clock"], rows["psi"] >= limit],
        [BAD, PALE, CAUTION],
        MODEL,
    )
    suffixes = np.where(rows["is_clock"], " (clock)", "")
    names: list[str] = list(rows["feature"].str.replace("_", " ") + suffixes)
    # A clock moves by any amount: its bar is cut off; the text next to it has the value.
    psi = rows["psi"].fillna(0)
    edge = 1.15 * max(psi[~rows["is_clock"]].max(), 1.6 * limit)
    axes.barh(names, psi.clip(MIN_BAR * limit, edge), height=0.7, color=colors)
    texts = zip(*map(_format_row, records), strict=True)
    headers = ("PSI", "mean in\ntraining", "mean\nnow", "p-value")
    add_text_columns(axes, range(len(rows)), dict(zip(headers, texts, strict=True)))
    label = f"limit {limit:g}; above it, an alarm only if p is below {max_p:g}"
    line = axes.axvline(limit, color=REFERENCE, ls="--", lw=1.2, label=label)
    by_chance = rows["psi_by_chance"].where(~rows["is_clock"])
    mark: dict[str, Any] = {"marker": "|", "ms": 10, "mew": 2, "ls": "", "color": TEXT}
    (marks,) = axes.plot(by_chance, names, **mark, label="mean PSI if nothing has changed")
    meanings = dict(zip(verdicts, colors, strict=True))
    patches = [Patch(color=color, label=meaning) for meaning, color in meanings.items()]
    add_legend(figure, handles=[*patches[::-1], line, marks])
    axes.set(xlim=(0, edge), ylim=(-0.6, len(rows) - 0.4))
    axes.grid(axis="y", visible=False)
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


def _format_row(row: Mapping[Any, Any]) -> tuple[str, str, str, str]:
    """Return PSI, both means and the p-value as text."""
    if not row["reference_customers"] or not row["newest_customers"]:
        return "too little data", "", "", ""
    p = "" if pd.isna(row["p_adjusted"]) else f"{row['p_adjusted']:.2g}"
    return f"{row['psi']:.2f}", f"{row['reference_mean']:.3g}", f"{row['newest_mean']:.3g}", p
