"""Figures of the effects of campaigns and of the movements of customers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from sparkify.pipelines.campaigns.effects import ALL, PROGRAMME
from sparkify.pipelines.campaigns.movements import ACTIVE, CANCELLED, NEW, QUIET, RETURNED
from sparkify.pipelines.campaigns.parameters import CampaignParameters

COLORS = {
    NEW: "#7fb3e6",
    ACTIVE: "#1f5fa8",
    RETURNED: "#2e8b57",
    QUIET: "#e3a857",
    CANCELLED: "#c0392b",
}
PLAIN_COLOR, ADJUSTED_COLOR, GREY = "#8fa3b8", "#1f5fa8", "#555555"
MAX_ROWS = 30


def draw_campaigns(campaign_effects: pd.DataFrame, campaign_summary: Mapping[str, Any]) -> Figure:
    """Draw, for each campaign and group, the share of contacted customers kept by the contact."""
    rows = campaign_effects[campaign_effects["kept"].notna()].tail(MAX_ROWS)
    figure = Figure(figsize=(9.5, 2.2 + 0.42 * max(len(rows), 1)), dpi=120, layout="constrained")
    axes = figure.subplots()
    figure.suptitle(
        _format_title(campaign_summary), x=0.01, ha="left", fontsize=13, fontweight="bold"
    )
    if rows.empty:
        waiting = ", ".join(campaign_summary["waiting"]) or "none"
        text = f"No finished campaign with a control group. Waiting for their horizon: {waiting}."
        axes.text(0, 0.5, text, transform=axes.transAxes, fontsize=10)
        axes.set_axis_off()
        return figure
    places = np.arange(len(rows))[::-1]
    for name, label, color, offset in (
        ("kept", "by shares", PLAIN_COLOR, 0.13),
        ("adjusted_kept", "adjusted by the forecast", ADJUSTED_COLOR, -0.13),
    ):
        value = rows[name].to_numpy(float)
        if np.isnan(value).all():
            continue
        errors = [value - rows[f"{name}_low"], rows[f"{name}_high"] - value]
        axes.errorbar(
            value, places + offset, xerr=errors, fmt="o", ms=5, color=color, capsize=3, label=label
        )
    axes.axvline(0, color=GREY, lw=1)
    axes.set_yticks(places, [_format_row(row) for row in rows.to_dict("records")], fontsize=8.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_xlabel("Share of contacted customers kept by the contact")
    axes.set_title(
        "Control rate less contacted rate, with 95 % intervals; groups together hold 95 %. "
        "Right of the line: contacts kept customers.",
        loc="left",
        fontsize=8.5,
        color=GREY,
    )
    figure.legend(frameon=False, fontsize=8.5, loc="outside lower left", ncols=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, axis="x")
    return figure


def _format_title(summary: Mapping[str, Any]) -> str:
    finished = len(summary["campaigns"])
    return (
        f"Did contacts keep customers? {finished} finished campaign{'' if finished == 1 else 's'}"
    )


def _format_row(row: Mapping[Any, Any]) -> str:
    campaign = {ALL: "all campaigns", PROGRAMME: "programme"}.get(row["campaign"], row["campaign"])
    value = str(row["value"]).replace("_", " ")
    group = "" if value == ALL else f", {value}"
    if row["campaign"] == PROGRAMME:
        group = f", {value} days since first listed"
    return f"{campaign}{group}  ({row['contacted']:,} : {row['control']:,})"


def draw_movements(customer_movements: pd.DataFrame, campaigns: CampaignParameters) -> Figure:
    """Draw how many customers are active and quiet each week, and how many are lost or return."""
    silent_after_days = campaigns.silent_after_days
    figure = Figure(figsize=(9.5, 4.6), dpi=120, layout="constrained")
    figure.suptitle("Two kinds of loss", x=0.01, ha="left", fontsize=13, fontweight="bold")
    if customer_movements.empty:
        text = f"The log is too short: quiet is who was not seen for {silent_after_days} days."
        figure.text(0.02, 0.5, text, fontsize=10)
        return figure
    counts, flows = figure.subplots(1, 2)
    by_state = customer_movements.pivot_table(
        index="week_end", columns="now", values="customers", aggfunc="sum", fill_value=0
    )
    weeks = [f"{week:%d %b}" for week in pd.to_datetime(by_state.index)]
    bottom = np.zeros(len(by_state))
    for state in (ACTIVE, RETURNED, QUIET):
        if state in by_state:
            counts.bar(weeks, by_state[state], bottom=bottom, color=COLORS[state], label=state)
            bottom += by_state[state].to_numpy(float)
    _style(counts, "Customers at the end of each week", by_state.index)
    moves = customer_movements[customer_movements["before"] != customer_movements["now"]]
    lines = {
        "cancelled": (moves["now"] == CANCELLED, COLORS[CANCELLED]),
        f"silent for {silent_after_days} days": (moves["now"] == QUIET, COLORS[QUIET]),
        "returned": (moves["now"] == RETURNED, COLORS[RETURNED]),
        "new": (moves["before"] == NEW, COLORS[NEW]),
    }
    for label, (is_move, color) in lines.items():
        summed = moves[is_move].groupby("week_end")["customers"].sum()
        values = summed.reindex(by_state.index, fill_value=0)
        flows.plot(weeks, values, marker="o", color=color, label=label)
    _style(flows, "Customers lost, returned and new in each week", by_state.index)
    return figure


def _style(axes: Axes, title: str, weeks: pd.Index) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    step = max(len(weeks) // 8, 1)
    axes.set_xticks(range(0, len(weeks), step))
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, axis="y")
    axes.legend(
        frameon=False, fontsize=8.5, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=4
    )
