"""Figures of the effects of campaigns and of the movements of customers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sparkify.figure_style import (
    BAD,
    CAUTION,
    GOOD,
    MODEL,
    REFERENCE,
    TEXT,
    add_legend,
    add_text_columns,
    create_figure,
    create_message,
    format_as_percent,
)
from sparkify.pipelines.campaigns.effects import ALL, PROGRAMME
from sparkify.pipelines.campaigns.movements import ACTIVE, CANCELLED, NEW, QUIET, RETURNED
from sparkify.pipelines.campaigns.parameters import CampaignParameters

COLORS = {
    NEW: "#7fb3e6",
    ACTIVE: MODEL,
    RETURNED: GOOD,
    QUIET: CAUTION,
    CANCELLED: BAD,
}
MAX_ROWS = 30
MAX_TICKS = 5  # weeks named on an axis


def draw_campaigns(campaign_effects: pd.DataFrame, campaign_summary: Mapping[str, Any]) -> Figure:
    """Draw, for each campaign and group, the share of contacted customers kept by the contact."""
    rows = campaign_effects[campaign_effects["kept"].notna()].tail(MAX_ROWS)
    title = _format_title(campaign_summary)
    if rows.empty:
        waiting = ", ".join(campaign_summary["waiting"]) or "none"
        text = f"No finished campaign with a control group. Waiting for their horizon: {waiting}."
        return create_message(title, text)
    figure, (axes,) = create_figure(
        title,
        "Control rate less contacted rate, with 95 % intervals; groups together hold 95 %. "
        "Right of the line: contacts kept customers.",
        1.2 + 0.4 * len(rows),
    )
    places = np.arange(len(rows))[::-1]
    for name, label, color, offset in (
        ("kept", "by shares", REFERENCE, 0.13),
        ("adjusted_kept", "adjusted by the forecast", MODEL, -0.13),
    ):
        value = rows[name].to_numpy(float)
        if np.isnan(value).all():
            continue
        low, high = (rows[f"{name}_{bound}"].to_numpy(float) for bound in ("low", "high"))
        errors = [value - low, high - value]
        style: dict[str, Any] = {"fmt": "o", "ms": 5, "color": color, "capsize": 3, "label": label}
        axes.errorbar(value, places + offset, xerr=errors, **style)
    axes.axvline(0, color=TEXT, lw=1)
    records = rows.to_dict("records")
    axes.set_yticks(places, [_format_row(row) for row in records])
    axes.set(xlabel="Share of contacted customers kept", ylim=(-0.6, len(rows) - 0.4))
    axes.locator_params(axis="x", nbins=5)
    format_as_percent(axes.xaxis)
    axes.grid(axis="y", visible=False)
    counts = {name: [f"{row[name]:,}" for row in records] for name in ("contacted", "control")}
    add_text_columns(axes, list(places), counts)
    add_legend(figure, 2)
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
        group = f",\n{value} days since first listed"
    return f"{campaign}{group}"


def draw_movements(customer_movements: pd.DataFrame, campaigns: CampaignParameters) -> Figure:
    """Draw how many customers are active and quiet each week, and how many are lost or return."""
    silent_after_days = campaigns.silent_after_days
    title = "Two kinds of loss: cancelled and quiet customers"
    if customer_movements.empty:
        text = f"The log is too short: quiet is who was not seen for {silent_after_days} days."
        return create_message(title, text)
    subtitle = f"Quiet: not seen for {silent_after_days} days"
    figure, (counts, flows) = create_figure(title, subtitle, 3.4, columns=2)
    by_state = customer_movements.pivot_table(
        index="week_end", columns="now", values="customers", aggfunc="sum", fill_value=0
    )
    weeks = [f"{week:%d %b}" for week in pd.to_datetime(by_state.index)]
    bottom = np.zeros(len(by_state))
    for state in (ACTIVE, RETURNED, QUIET):
        if state in by_state:
            counts.bar(weeks, by_state[state], bottom=bottom, color=COLORS[state], label=state)
            bottom += by_state[state].to_numpy(float)
    _format_weeks(counts, "Customers at the end of the week", by_state.index)
    moves = customer_movements[customer_movements["before"] != customer_movements["now"]]
    lines = {
        "cancelled": (moves["now"] == CANCELLED, COLORS[CANCELLED]),
        "quiet": (moves["now"] == QUIET, COLORS[QUIET]),
        "returned": (moves["now"] == RETURNED, COLORS[RETURNED]),
        "new": (moves["before"] == NEW, COLORS[NEW]),
    }
    for label, (is_move, color) in lines.items():
        summed = moves[is_move].groupby("week_end")["customers"].sum()
        values = summed.reindex(by_state.index, fill_value=0)
        flows.plot(weeks, values, marker="o", color=color, label=label)
    _format_weeks(flows, "Changes in the week", by_state.index)
    add_legend(figure, 5)
    return figure


def _format_weeks(axes: Axes, label: str, weeks: pd.Index) -> None:
    axes.set(xlabel="Week ending", ylabel=label, ylim=(0, None))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xticks(range(0, len(weeks), -(-len(weeks) // MAX_TICKS)))
    axes.grid(axis="x", visible=False)
