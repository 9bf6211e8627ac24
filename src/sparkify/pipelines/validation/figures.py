"""Figures of the validation."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from sparkify.figure_style import (
    BAD,
    CAUTION,
    GOOD,
    MODEL,
    REFERENCE,
    TEXT,
    TEXT_SIZE,
    add_legend,
    create_figure,
    create_message,
)

RANKING_LABELS = {"auc": "AUC", "average_precision": "Average precision"}
REMEDY_LABELS = {"none": "no correction", "weights": "class weights", "smote": "SMOTE"}
PANEL_HEIGHT = 3.0  # inches
MAX_FEATURES = 12  # in the leakage figure
MAX_TICKS = 4  # of a narrow panel


def draw_rolling_origin(rolling_origin: pd.DataFrame) -> Figure:
    """Draw AUC and average precision of every cutoff."""
    title = "Ranking at each cutoff, forecast from earlier data only"
    if rolling_origin.empty:
        return create_message(title, "No cutoff has enough training rows before it.")
    subtitle = "With 95 % intervals over users; higher is better"
    figure, panels = create_figure(title, subtitle, PANEL_HEIGHT, columns=2)
    places = np.arange(len(rolling_origin))
    random: dict[str, Any] = {"color": REFERENCE, "ls": "--", "lw": 1.2, "label": "at random"}
    panels[0].axhline(0.5, **random)
    panels[1].plot(places, rolling_origin["base_rate"], **random)
    days = pd.to_datetime(rolling_origin["cutoff"]).dt.strftime("%d %b")
    for axes, (name, label) in zip(panels, RANKING_LABELS.items(), strict=True):
        value = rolling_origin[name]
        errors = _compute_errors(rolling_origin, name, value)
        style: dict[str, Any] = {
            "fmt": "o-",
            "color": MODEL,
            "capsize": 3,
            "label": "by the forecast",
        }
        axes.errorbar(places, value, yerr=errors, **style)
        step = max(len(places) // MAX_TICKS, 1)
        axes.set_xticks(places[::step], days[::step])
        axes.set(xlabel=f"Cutoff ({_format_years(rolling_origin['cutoff'])})", ylabel=label)
    panels[1].set_ylim(bottom=0)
    add_legend(figure, 2)
    return figure


def draw_learning_curve(learning_curve: pd.DataFrame) -> Figure:
    """Draw the ranking against the number of training users; a message if there is one number."""
    sizes = sorted(set(learning_curve.get("users", [])))
    if len(sizes) < 2:
        found = f"only with {sizes[0]:,} users" if sizes else "with no number of users"
        return create_message(
            "Learning curve",
            f"Trained {found}: the log is too small for the others of "
            "validation.learning_curve_users.",
        )
    figure, panels = create_figure(
        f"Ranking with {sizes[0]:,} to {sizes[-1]:,} training users",
        "A dot per sample of training users; lines are means; higher is better",
        PANEL_HEIGHT,
        columns=2,
    )
    by_candidate = list(learning_curve.groupby("candidate", sort=False))
    for axes, (name, label) in zip(panels, RANKING_LABELS.items(), strict=True):
        for (candidate, rows), color in zip(by_candidate, (MODEL, BAD), strict=False):
            mean = rows.groupby("users")[name].mean()
            axes.scatter(rows["users"], rows[name], color=color, s=14, alpha=0.5)
            axes.plot(mean.index, mean, color=color, label=str(candidate).replace("_", " "))
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set(xlabel="Training users (log scale)", ylabel=label)
    add_legend(figure, 2)
    return figure


def draw_imbalance(imbalance_comparison: pd.DataFrame) -> Figure:
    """Draw ranking and calibration with each correction of the class imbalance."""
    rows = imbalance_comparison[imbalance_comparison["left_out"].isna()]
    names = rows["candidate"].str.replace("_", " ") + "\n" + rows["imbalance"].map(REMEDY_LABELS)
    return _draw_bar_panels(
        "Class weights and SMOTE, compared with no correction",
        "Hold-out, before calibration; 95 % intervals over users",
        list(names),
        rows,
        {
            "average_precision": "Average precision\n(higher is better)",
            "log_loss": "Log loss\n(lower is better)",
            "expected_calibration_error": "Calibration error\n(lower is better)",
        },
    )


def draw_feature_groups(feature_groups: pd.DataFrame) -> Figure:
    """Draw the loss on the hold-out without each group of inputs."""
    return _draw_bar_panels(
        "What the forecast loses without a group of inputs",
        "Hold-out; 95 % intervals over users; right of zero: the group helps",
        list(feature_groups["group"].str.replace("_", " ")),
        feature_groups,
        {
            "auc": "Lost AUC",
            "average_precision": "Lost average\nprecision",
            "log_loss": "Added log loss",
        },
        suffix="_cost",
    )


def _draw_bar_panels(
    title: str,
    subtitle: str,
    names: Sequence[str],
    rows: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    suffix: str = "",
) -> Figure:
    """Draw a panel per column: a bar with its interval per row, the first row on top.

    Args:
        title: of the figure.
        subtitle: of the figure.
        names: the rows' labels.
        rows: the columns `<column><suffix>`, `<column>_low` and `<column>_high`.
        columns: the label of each panel, by column.
        suffix: of the columns with the values.
    """
    lines = 1 + names[0].count("\n") if names else 1
    height = 1.1 + (0.2 + 0.17 * lines) * len(names)
    figure, panels = create_figure(title, subtitle, height, columns=len(columns), sharey=True)
    places = np.arange(len(names))[::-1]
    for axes, (column, label) in zip(panels, columns.items(), strict=True):
        values = rows[f"{column}{suffix}"]
        errors = _compute_errors(rows, column, values)
        axes.barh(places, values, height=0.6, color=MODEL)
        axes.errorbar(values, places, xerr=errors, fmt="none", ecolor=TEXT, elinewidth=1, capsize=3)
        axes.axvline(0, color=REFERENCE, lw=1)
        axes.locator_params(axis="x", nbins=MAX_TICKS - 1)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(label)
    panels[0].set_yticks(places, names)
    panels[0].set_ylim(-0.6, len(names) - 0.4)
    return figure


def _compute_errors(rows: pd.DataFrame, name: str, values: pd.Series) -> list[Any]:
    """Return the distances from values to the bounds of their intervals; 0 without an interval."""
    below, above = values - rows[f"{name}_low"], rows[f"{name}_high"] - values
    return [error.clip(lower=0).fillna(0).to_numpy() for error in (below, above)]


def _format_years(days: pd.Series) -> str:
    return " and ".join(sorted(set(days.astype(str).str[:4])))


def draw_leakage(leakage_audit: dict[str, Any]) -> Figure:
    """Draw the AUC of exposure, rates and each feature alone, with the warnings."""
    warnings = leakage_audit["warnings"]
    by_feature = list(leakage_audit["feature_auc"].items())[:MAX_FEATURES]
    bars = {
        "how long and how much observed": (leakage_audit["auc_of_exposure"], CAUTION),
        "rates of all features": (leakage_audit["auc_of_rates"], CAUTION),
        "a weighted sum of all features": (leakage_audit["identity"]["auc"], CAUTION),
        **{name.replace("_", " "): (auc, MODEL) for name, auc in by_feature},
    }
    title = (
        f"{len(warnings)} sign{'s' if len(warnings) > 1 else ''} of" if warnings else "no sign of"
    )
    figure, (axes,) = create_figure(
        f"Leakage audit: {title} leakage",
        "\n".join(warnings) or "No value is above the limits in validation.leakage.",
        1.0 + 0.24 * len(bars),
        subtitle_color=BAD if warnings else GOOD,
    )
    values, colors = zip(*bars.values(), strict=True)
    container = axes.barh(list(bars), values, color=colors)
    axes.bar_label(container, fmt="%.2f", fontsize=TEXT_SIZE, padding=2)
    axes.set(xlim=(0.5, 1.05), ylim=(len(bars) - 0.4, -0.6))
    axes.set_xticks(np.arange(0.5, 1.01, 0.1))
    axes.set_xlabel("AUC for churn, from this alone (0.5 is chance, 1 is certainty)")
    axes.grid(axis="y", visible=False)
    meanings = {CAUTION: "several features together", MODEL: "one feature"}
    handles = [Patch(color=color, label=meaning) for color, meaning in meanings.items()]
    add_legend(figure, 2, handles=handles)
    return figure
