"""Figures of the evaluation."""

from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from sparkify.formatting.baseline_comparison import TOO_FEW
from sparkify.formatting.money import format_dollars
from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS, OutcomeWords

MODEL, REFERENCE, BAD = "#1f5fa8", "#8a8f98", "#c2452d"
STYLES = ["-", ":", "-."]


def _create_axes(title: str, subtitle: str, xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 4.8), dpi=120, layout="constrained")
    axes = figure.subplots()
    figure.suptitle(title, x=0.02, ha="left", fontsize=13, fontweight="bold")
    axes.set_title(subtitle, loc="left", fontsize=8.5, color="#555555")
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    return figure, axes


def _format_subtitle(metrics: dict[str, Any]) -> str:
    holdout = metrics["holdout"]
    return (
        f"Hold-out {metrics['prediction_task']['description']}: "
        f"{holdout['churned']} of {holdout['users']} customers "
        f"{metrics['prediction_task']['outcome_phrase']} "
        f"({metrics['source']} log)"
    )


def _get_outcome_words(metrics: dict[str, Any]) -> OutcomeWords:
    return OUTCOME_WORDS[metrics["prediction_task"]["outcome"]]


def _format_estimate(metric: dict[str, Any]) -> str:
    if not metric["ci95"]:
        return f"{metric['value']:.2f} (interval: {TOO_FEW})"
    low, high = metric["ci95"]
    return f"{metric['value']:.2f} (95 % interval {low:.2f} to {high:.2f})"


def _wrap(text: str) -> str:
    return fill(text, 42)


def _list_ranking_baselines(metrics: dict[str, Any]) -> list[str]:
    return [name for name in metrics["baselines"] if name != "base_rate"]


def draw_precision_recall(predictions: pd.DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draw precision against recall, with the threshold in use."""
    holdout = metrics["holdout"]
    figure, axes = _create_axes(
        "Precision and recall",
        _format_subtitle(metrics),
        "Recall: share of churners found",
        "Precision",
    )
    precision, recall, _ = precision_recall_curve(predictions.churned, predictions.probability)
    label = f"{_wrap(metrics['champion']['label'])}\naverage precision "
    label += _format_estimate(holdout["average_precision"])
    axes.step(recall, precision, where="post", color=MODEL, label=label)
    axes.axhline(holdout["base_rate"], color=REFERENCE, ls="--", label="contacting at random")
    at = (holdout["recall"]["value"], holdout["precision"]["value"])
    axes.plot(*at, "o", color=BAD, label=f"threshold in use, {holdout['threshold']:.3f}")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.05))
    axes.legend(frameon=False, fontsize=9)
    return figure


def draw_roc(predictions: pd.DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draw the receiver operating characteristic."""
    figure, axes = _create_axes(
        "Receiver operating characteristic",
        _format_subtitle(metrics),
        "Share of stayers predicted to churn",
        "Share of churners found",
    )
    false_rate, true_rate, _ = roc_curve(predictions.churned, predictions.probability)
    label = (
        f"{_wrap(metrics['champion']['label'])}\nAUC {_format_estimate(metrics['holdout']['auc'])}"
    )
    axes.plot(false_rate, true_rate, color=MODEL, label=label)
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", label="contacting at random")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def draw_calibration(predictions: pd.DataFrame, metrics: dict[str, Any], bins: int) -> Figure:
    """Draw forecasts against outcomes, in bins of equal size."""
    share = f"Share that {_get_outcome_words(metrics).churned}"
    figure, axes = _create_axes(
        "Calibration", _format_subtitle(metrics), "Mean forecast probability", share
    )
    happened, forecast = calibration_curve(
        predictions.churned, predictions.probability, n_bins=bins, strategy="quantile"
    )
    edge = 1.1 * max(happened.max(), forecast.max())
    axes.plot([0, edge], [0, edge], color=REFERENCE, ls="--", label="forecast comes true")
    label = f"{bins} groups of about {len(predictions) // bins} customers"
    axes.plot(forecast, happened, "o-", color=MODEL, label=label)
    axes.set(xlim=(0, edge), ylim=(0, edge))
    axes.legend(frameon=False, fontsize=9)
    return figure


def draw_lift(predictions: pd.DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draw the share of churners reached against the share of customers contacted."""
    figure, axes = _create_axes(
        "Lift",
        _format_subtitle(metrics),
        "Share of customers contacted",
        "Share of churners reached",
    )
    contacted = np.linspace(0, 1, len(predictions) + 1)
    scores: dict[str, tuple[pd.Series, dict[str, Any]]] = {
        f"{_wrap(metrics['champion']['label'])}\n"
        f"top tenth: {_format_estimate(metrics['holdout']['lift_top_decile'])} times": (
            predictions.probability,
            {"color": MODEL},
        ),
        **{
            f"{name.replace('_', ' ')} first": (
                predictions[f"baseline_{name}"],
                {"color": BAD, "lw": 1, "ls": style},
            )
            for name, style in zip(_list_ranking_baselines(metrics), STYLES, strict=False)
        },
    }
    for label, (score, style) in scores.items():
        order = np.argsort(-score.to_numpy(), kind="stable")
        reached = predictions.churned.to_numpy()[order].cumsum() / predictions.churned.sum()
        axes.plot(contacted, [0, *reached], label=label, **style)
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", label="contacting at random")
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def draw_confusion(predictions: pd.DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draw how many customers the threshold in use predicts correctly and incorrectly."""
    figure, axes = _create_axes(
        "Confusion matrix", _format_subtitle(metrics), "Forecast", "What happened"
    )
    predicted = predictions.probability >= metrics["holdout"]["threshold"]
    counts = confusion_matrix(predictions.churned, predicted, labels=[False, True])
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        text = f"{count}\n{shares[row, column]:.0%} of them"
        axes.text(column, row, text, ha="center", va="center", fontsize=13)
    words = _get_outcome_words(metrics)
    axes.set_xticks([0, 1], [words.stays, words.churns])
    axes.set_yticks([0, 1], [words.stayed, words.churned])
    axes.grid(visible=False)
    return figure


def draw_weights(
    feature_weights: pd.DataFrame, metrics: dict[str, Any], max_inputs: int = 20
) -> Figure:
    """Draw the inputs with the largest weights in the champion."""
    kind = feature_weights["kind"].iloc[0]
    xlabel = {
        "coefficient": "Change of the log-odds per standard deviation (right: leaves more likely)",
        "importance": "Share of the gain in the trees' splits",
    }[kind]
    figure, axes = _create_axes(
        "Weights of the champion's inputs", metrics["champion"]["label"], xlabel, ""
    )
    figure.set_size_inches(8, 6.4)
    order = feature_weights["weight"].abs().sort_values(kind="stable").index[-max_inputs:]
    largest = feature_weights.loc[order]
    colors = np.where(largest["weight"] > 0, BAD, MODEL) if kind == "coefficient" else MODEL
    names = largest["feature"].str.replace("_", " ")
    axes.barh(names, largest["weight"], color=colors)
    axes.grid(axis="y", visible=False)
    return figure


def draw_candidates(cv_results: pd.DataFrame) -> Figure:
    """Draw how the trials compare: average precision and log loss over folds."""
    rows = cv_results[::-1]
    figure = Figure(figsize=(9.5, 1.6 + 0.55 * len(rows)), dpi=120, layout="constrained")
    axes = figure.subplots()
    figure.suptitle("Candidates", x=0.01, ha="left", fontsize=13, fontweight="bold")
    axes.set_title("Log loss on the right", loc="left", fontsize=8.5, color="#555555")
    axes.set_xlabel("Average precision over folds of users, with its standard error")
    names = rows["candidate"].str.replace("_", " ") + "\n" + rows["settings"].map(_wrap)
    error = rows["average_precision_error"]
    axes.errorbar(rows["average_precision"], names, xerr=error, fmt="o", color=MODEL, capsize=3)
    texts = "log loss " + rows["log_loss"].map("{:.4f}".format)
    edge = (rows["average_precision"] + error).max()
    for name, text in zip(names, texts, strict=True):
        axes.text(edge, name, f"  {text}", va="center", fontsize=8)
    axes.margins(x=0.05, y=0.12)
    axes.set_xlim(right=edge + 0.45 * (edge - axes.get_xlim()[0]))
    axes.tick_params(axis="y", labelsize=7.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, axis="x")
    return figure


def draw_profit(
    contact_profit: pd.DataFrame, contact_plan: dict[str, Any], metrics: dict[str, Any]
) -> Figure:
    """Draw the profit by number of contacts, with the highest probabilities first."""
    figure, axes = _create_axes(
        "Profit of contacts",
        _format_subtitle(metrics),
        "Customers contacted, highest probability first",
        "Profit",
    )
    contacted = contact_profit["contacted"]
    low, high = contact_profit["profit_low"], contact_profit["profit_high"]
    label = "95 % interval" if low.notna().any() else f"95 % interval: {TOO_FEW}"
    axes.fill_between(contacted, low, high, color=MODEL, alpha=0.15, lw=0, label=label)
    axes.plot(contacted, contact_profit["profit"], color=MODEL, label="by the forecast")
    for name, style in zip(contact_plan["baselines"], STYLES, strict=False):
        label = f"{name.replace('_', ' ')} first"
        axes.plot(contacted, contact_profit[name], color=BAD, lw=1, ls=style, label=label)
    random = contact_profit["at_random"]
    axes.plot(contacted, random, color=REFERENCE, ls="--", label="at random")
    in_use = contact_plan["in_use"]
    at = (in_use["contacted"], in_use["profit"]["value"])
    label = f"threshold in use: {at[0]:,} contacts, {format_dollars(at[1])}"
    axes.plot(*at, "o", color=BAD, label=label)
    axes.axhline(0, color="#333333", lw=0.8)
    lowest, highest = (bound.fillna(contact_profit["profit"]) for bound in (low, high))
    axes.set_ylim(bottom=max(min(lowest.min(), random.min()), -2 * highest.max() - 1))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter(lambda amount, _: format_dollars(amount))
    axes.legend(frameon=False, fontsize=8)
    return figure
