"""A picture of what has moved since training, readable without the code."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sparkify.pipelines.evaluation.figures import BAD, MODEL, REFERENCE
from sparkify.pipelines.modelling.training_reference import CLOCK
from sparkify.pipelines.monitoring.alarms import DRIFT
from sparkify.pipelines.monitoring.drift import above_by_chance, verdict

CLOCK_COLOR, CHANCE_COLOR = "#d5d8dc", "#e3a857"
SHORTEST = 0.1  # of the limit: a bar is to be seen where nothing has moved


def drift(drift: pd.DataFrame, monitoring_summary: Mapping[str, Any]) -> Figure:
    """Draw how far each feature has moved, beside its means, and where an alarm begins."""
    told, limit = monitoring_summary, monitoring_summary["thresholds"]["psi"]
    is_clock = drift["kind"] == CLOCK
    rows = drift.assign(is_clock=is_clock).sort_values(["is_clock", "psi"], ascending=[False, True])
    figure = Figure(figsize=(9.5, 1.9 + 0.36 * len(rows)), dpi=120, layout="constrained")
    axes = figure.subplots()
    verdicts = [verdict(row, limit) for row in rows.to_dict("records")]
    figure.suptitle(
        _title(rows, verdicts, limit), x=0.01, ha="left", fontsize=13, fontweight="bold"
    )
    subtitle = (
        f"{told['customers']:,} customers of {told['cutoff']} against "
        f"{told['reference_customers']:,} of the training's {told['reference_cutoff']}; "
        f"rates over {told['window_days']} days{_other_alarms(told)}"
    )
    axes.set_title(subtitle, loc="left", fontsize=8.5, color="#555555")
    axes.set_xlabel("Population stability index")
    suffixes = np.where(rows["is_clock"], " (clock)", "")
    names = [
        f"{feature.replace('_', ' ')}{suffix}"
        for feature, suffix in zip(rows["feature"], suffixes, strict=True)
    ]
    colors = np.select(
        [rows["alarm"], rows["is_clock"], rows["psi"] >= limit],
        [BAD, CLOCK_COLOR, CHANCE_COLOR],
        MODEL,
    )
    psi = rows["psi"].fillna(0)
    # A clock may have moved by anything: it is cut, and its number said.
    edge = 1.15 * max(psi[~rows["is_clock"]].max(), 1.6 * limit)
    axes.barh(names, psi.clip(SHORTEST * limit / 4, edge), color=colors)
    for place, row in enumerate(rows.to_dict("records")):
        axes.text(edge * 1.02, place, _told(row), va="center", fontsize=8)
    axes.axvline(limit, color=REFERENCE, ls="--", lw=1)
    sure = told["thresholds"]["false_alarms"]
    text = f" limit {limit:g}: an alarm only where p is below {sure:g}"
    axes.text(limit, len(rows) - 0.45, text, fontsize=8)
    by_chance = rows["psi_by_chance"].where(~rows["is_clock"])
    label = "what chance alone gives in the mean"
    (marks,) = axes.plot(
        by_chance, names, marker="|", ms=11, mew=2, ls="", color="black", label=label
    )
    meanings = dict(zip(verdicts, colors, strict=True))
    patches = [Patch(color=color, label=meaning) for meaning, color in meanings.items()]
    handles = [*patches[::-1], marks]
    figure.legend(handles=handles, frameon=False, fontsize=8, loc="outside lower left", ncols=3)
    axes.set(xlim=(0, 1.75 * edge), ylim=(-0.6, len(rows) + 0.1))
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= edge])
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, axis="x")
    return figure


def _title(rows: pd.DataFrame, verdicts: list[str], limit: float) -> str:
    count, by_chance = int(rows["alarm"].sum()), verdicts.count(above_by_chance(limit))
    title = f"Drift since training: {count or 'no'} alarm{'s' if count > 1 else ''}"
    if not by_chance:
        return title
    return f"{title}; {by_chance} feature{'s' if by_chance > 1 else ''} {above_by_chance(limit)}"


def _other_alarms(told: Mapping[str, Any]) -> str:
    """Say how many alarms are about something else than the bars."""
    count = sum(not alarm["name"].startswith(DRIFT) for alarm in told["alarms"])
    return f"; {count} other alarm{'s' if count > 1 else ''}, not of drift" if count else ""


def _told(row: Mapping[Any, Any]) -> str:
    if not row["reference_customers"] or not row["newest_customers"]:
        return "nobody known"
    means = f"PSI {row['psi']:.2f}, mean {row['reference_mean']:.3g}, now {row['newest_mean']:.3g}"
    chance = "" if pd.isna(row["p_adjusted"]) else f", p {row['p_adjusted']:.2g}"
    return means + chance
