"""Pictures of the studies on the champion."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

MODEL, REFERENCE, BAD = "#1f5fa8", "#8a8f98", "#c2452d"
REMEDY_FIGURES = {
    "average_precision": "Average precision",
    "log_loss": "Log loss",
    "expected_calibration_error": "Expected calibration error",
}


def _panels(title: str, subtitle: str, count: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(4.6 * count, 4.2), dpi=120, layout="constrained")
    panels = list(figure.subplots(1, count, squeeze=False)[0])
    figure.suptitle(f"{title}\n", x=0.01, ha="left", fontsize=13, fontweight="bold")
    figure.text(0.01, 0.915, subtitle, fontsize=8.5, color="#555555")
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    return figure, panels


def _with_bars(axes: Axes, places: Any, rows: pd.DataFrame, name: str) -> None:
    below = (rows[name] - rows[f"{name}_low"]).clip(lower=0)
    above = (rows[f"{name}_high"] - rows[name]).clip(lower=0)
    axes.errorbar(places, rows[name], yerr=[below, above], fmt="o-", color=MODEL, capsize=3)


def rolling_origin_figure(rolling_origin: pd.DataFrame) -> Figure:
    """Draw how the forecast would have done week after week."""
    figure, (auc, precision) = _panels(
        "Week after week", "Each cutoff forecast by what was known before it; 95 % intervals", 2
    )
    places = np.arange(len(rolling_origin))
    _with_bars(auc, places, rolling_origin, "auc")
    _with_bars(precision, places, rolling_origin, "average_precision")
    auc.axhline(0.5, color=REFERENCE, ls="--", label="contacting at random")
    precision.plot(
        places, rolling_origin["base_rate"], color=REFERENCE, ls="--", label="contacting at random"
    )
    for axes, name in ((auc, "AUC"), (precision, "Average precision")):
        axes.set_xticks(places, rolling_origin["cutoff"], rotation=30, ha="right", fontsize=8)
        axes.set_ylabel(name)
        axes.legend(frameon=False, fontsize=8)
    precision.set_ylim(bottom=0)
    return figure


def learning_curve_figure(learning_curve: pd.DataFrame) -> Figure:
    """Draw what to expect of a service with fewer users."""
    figure, (auc, precision) = _panels(
        "With fewer users to learn from", "A dot per draw of training users; lines: means", 2
    )
    by_candidate = list(learning_curve.groupby("candidate", sort=False))
    sizes = sorted(set(learning_curve["users"]))
    for axes, name, label in (
        (auc, "auc", "AUC"),
        (precision, "average_precision", "Average precision"),
    ):
        for (candidate, rows), color in zip(by_candidate, (MODEL, BAD), strict=False):
            mean = rows.groupby("users")[name].mean()
            axes.scatter(rows["users"], rows[name], color=color, s=14, alpha=0.5)
            axes.plot(mean.index, mean, color=color, label=str(candidate).replace("_", " "))
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes], fontsize=8)
        axes.minorticks_off()
        axes.set(xlabel="Users trained on", ylabel=label)
        axes.legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def imbalance_figure(imbalance_comparison: pd.DataFrame) -> Figure:
    """Draw what each remedy for few churners does to ranking and to calibration."""
    measured = imbalance_comparison[imbalance_comparison["left_out"].isna()][::-1]
    figure, panels = _panels(
        "Remedies for few churners", "Hold-out, before calibration", len(REMEDY_FIGURES)
    )
    names = measured["candidate"].str.replace("_", " ") + "\n" + measured["imbalance"]
    for axes, (name, label) in zip(panels, REMEDY_FIGURES.items(), strict=True):
        bars = axes.barh(names, measured[name], color=MODEL)
        axes.bar_label(bars, fmt="%.3f", fontsize=8, padding=2)
        axes.margins(x=0.2)
        axes.set_xlabel(label)
        axes.tick_params(axis="y", labelsize=8)
    return figure


def feature_groups_figure(feature_groups: pd.DataFrame) -> Figure:
    """Draw what dropping each group of inputs costs on the hold-out."""
    figure, panels = _panels(
        "What each group of inputs is worth",
        "What the hold-out loses without it; 95 % intervals over users",
        3,
    )
    rows = feature_groups[::-1]
    for axes, name, label in zip(
        panels,
        ("auc", "average_precision", "log_loss"),
        ("Lost AUC", "Lost average precision", "Added log loss"),
        strict=True,
    ):
        cost = rows[f"{name}_cost"]
        bounds = [cost - rows[f"{name}_low"], rows[f"{name}_high"] - cost]
        axes.barh(rows["group"], cost, color=MODEL)
        axes.errorbar(cost, rows["group"], xerr=np.clip(bounds, 0, None), fmt="none", color=BAD)
        axes.axvline(0, color=REFERENCE, lw=1)
        axes.set_xlabel(label)
    return figure


def leakage_figure(leakage_audit: dict[str, Any]) -> Figure:
    """Draw how well exposure, rates and each feature alone tell the label, and the verdict."""
    alone = dict(list(leakage_audit["auc_of_each_feature"].items())[:12])
    told = {
        "exposure alone": leakage_audit["auc_of_exposure"],
        "rates alone": leakage_audit["auc_of_rates"],
        "a weighted sum of all": leakage_audit["identity"]["auc"],
        **{name.replace("_", " "): auc for name, auc in alone.items()},
    }
    figure = Figure(figsize=(8, 1.8 + 0.3 * len(told)), dpi=120, layout="constrained")
    axes = figure.subplots()
    figure.suptitle("Leakage audit", x=0.01, ha="left", fontsize=13, fontweight="bold")
    sentences = leakage_audit["not_to_be_believed"]
    axes.set_title(
        "\n".join(sentences) or "Nothing found that stands against this table.",
        loc="left",
        fontsize=8.5,
        color=BAD if sentences else "#2d7d46",
        wrap=True,
    )
    bars = axes.barh(list(told), list(told.values()), color=MODEL)
    axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
    axes.invert_yaxis()
    axes.set(xlim=(0.5, 1.0), xlabel="AUC for the label")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
