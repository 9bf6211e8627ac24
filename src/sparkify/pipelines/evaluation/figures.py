"""Figures of the evaluation."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve
from statsmodels.stats.proportion import proportion_confint

from sparkify.figure_style import (
    BAD,
    CAUTION,
    MODEL,
    REFERENCE,
    TEXT,
    add_legend,
    add_text_columns,
    create_figure,
    format_as_percent,
    format_percent,
)
from sparkify.formatting.baseline_comparison import TOO_FEW
from sparkify.formatting.money import format_dollars
from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS, OutcomeWords

HEIGHT = 4.3  # inches
STYLES = ["-", ":", "-."]
RANDOM: dict[str, Any] = {"color": REFERENCE, "ls": "--", "lw": 1.2, "label": "at random"}
MAX_LOSS = 2  # lowest profit that is drawn, as a multiple of the highest


def _create_axes(title: str, subtitle: str, xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    figure, (axes,) = create_figure(title, subtitle, HEIGHT)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    return figure, axes


def _format_subtitle(metrics: dict[str, Any]) -> str:
    holdout = metrics["holdout"]
    return (
        f"Hold-out {metrics['prediction_task']['description']}: "
        f"{holdout['churned']:,} of {holdout['users']:,} customers "
        f"{metrics['prediction_task']['outcome_phrase']} "
        f"({metrics['source']} log)"
    )


def _get_outcome_words(metrics: dict[str, Any]) -> OutcomeWords:
    return OUTCOME_WORDS[metrics["prediction_task"]["outcome"]]


def _format_estimate(metric: dict[str, Any], decimals: int = 2) -> str:
    value = f"{metric['value']:.{decimals}f}"
    if not metric["ci95"]:
        return f"{value} (interval: {TOO_FEW})"
    low, high = metric["ci95"]
    return f"{value} (95 % interval {low:.{decimals}f} to {high:.{decimals}f})"


def _get_baselines(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the line style of each baseline that ranks customers, by its name."""
    names = [name for name in metrics["baselines"] if name != "base_rate"]
    return {
        name: {"color": BAD, "lw": 1.2, "ls": style, "label": f"{name.replace('_', ' ')} first"}
        for name, style in zip(names, STYLES, strict=False)
    }


def draw_precision_recall(predictions: pd.DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draw precision against recall, with the threshold in use."""
    holdout, churned = metrics["holdout"], _get_outcome_words(metrics).churned
    recall_in_use, precision_in_use = holdout["recall"]["value"], holdout["precision"]["value"]
    figure, axes = _create_axes(
        f"The threshold finds {format_percent(recall_in_use)} of the churners; "
        f"{format_percent(precision_in_use)} of those above it {churned}",
        _format_subtitle(metrics),
        "Recall: share of churners found",
        f"Precision: share that {churned}",
    )
    precision, recall, _ = precision_recall_curve(predictions.churned, predictions.probability)
    label = f"by the forecast: average precision {_format_estimate(holdout['average_precision'])}"
    # The last point is no threshold: scikit-learn adds precision 1 at recall 0.
    axes.step(recall[:-1], precision[:-1], where="post", color=MODEL, label=label)
    axes.axhline(holdout["base_rate"], **RANDOM)
    label = f"threshold in use, {holdout['threshold']:.3f}"
    axes.plot(recall_in_use, precision_in_use, "o", color=BAD, label=label)
    axes.set(xlim=(0, 1.02), ylim=(0, min(1.15 * precision[:-1].max(), 1.02)))
    format_as_percent(axes.xaxis, axes.yaxis)
    add_legend(figure)
    return figure


def draw_roc(predictions: pd.DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draw the receiver operating characteristic."""
    figure, axes = _create_axes(
        f"ROC curve: AUC {_format_estimate(metrics['holdout']['auc'])}",
        _format_subtitle(metrics),
        "False positive rate: share of stayers predicted to churn",
        "Recall: share of churners found",
    )
    false_rate, true_rate, _ = roc_curve(predictions.churned, predictions.probability)
    axes.plot(false_rate, true_rate, color=MODEL, label="by the forecast")
    axes.plot([0, 1], [0, 1], **RANDOM)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    format_as_percent(axes.xaxis, axes.yaxis)
    add_legend(figure, 2)
    return figure


def draw_calibration(predictions: pd.DataFrame, metrics: dict[str, Any], bins: int) -> Figure:
    """Draw forecasts against outcomes, in groups with the same number of expected churners.

    Such groups reach higher than groups of equal size: the last has the highest probabilities.
    """
    words = _get_outcome_words(metrics)
    mean, base_rate = predictions["probability"].mean(), predictions["churned"].mean()
    figure, axes = _create_axes(
        f"Calibration: forecast {format_percent(mean, 1)} on average, "
        f"{format_percent(base_rate, 1)} {words.churned}",
        _format_subtitle(metrics),
        "Forecast probability",
        f"Share that {words.churned}",
    )
    groups = _group_by_expected_churners(predictions, bins)
    low, high = proportion_confint(groups["churned"], groups["customers"], method="wilson")
    share, forecast = groups["churned"] / groups["customers"], groups["mean"]
    axes.plot([0, 1], [0, 1], color=REFERENCE, ls="--", lw=1.2, label="forecast comes true")
    axes.errorbar(
        forecast,
        share,
        xerr=np.array([forecast - groups["min"], groups["max"] - forecast]),
        yerr=np.clip([share - low, high - share], 0, None),
        fmt="o",
        color=MODEL,
        elinewidth=1.2,
        capsize=3,
        label=f"{len(groups)} groups with equal numbers of expected churners: mean,\n"
        "range of probabilities, and 95 % interval of the share (Wilson)",
    )
    right, top = groups["max"].max(), max(high.max(), groups["max"].max())
    axes.set(xlim=(0, min(1.05 * right, 1)), ylim=(0, min(1.05 * top, 1)))
    format_as_percent(axes.xaxis, axes.yaxis)
    add_legend(figure)
    return figure


def _group_by_expected_churners(predictions: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Group rows by probability, so that the probabilities of each group have the same sum.

    One row per group: `customers`, `churned`, and mean, min and max of the probability. Equal
    probabilities are in the same group, so that there may be fewer groups.
    """
    rows = predictions.sort_values("probability", kind="stable")
    probability = rows["probability"]
    cumulative = probability.cumsum().groupby(probability).transform("max")
    group = np.ceil(cumulative / cumulative.max() * bins - 1e-9)
    summary = rows.groupby(group).agg(customers=("churned", "size"), churned=("churned", "sum"))
    return summary.join(probability.groupby(group).agg(["mean", "min", "max"]))


def draw_lift(predictions: pd.DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draw the share of churners reached against the share of customers contacted."""
    lift = metrics["holdout"]["lift_top_decile"]
    figure, axes = _create_axes(
        f"Contacting a tenth reaches {_format_estimate(lift, 1)} times as many churners as chance",
        _format_subtitle(metrics),
        "Share of customers contacted",
        "Share of churners reached",
    )
    contacted = np.linspace(0, 1, len(predictions) + 1)
    curves = [
        (predictions[f"baseline_{name}"], style) for name, style in _get_baselines(metrics).items()
    ]
    model: dict[str, Any] = {"color": MODEL, "lw": 2, "label": "by the forecast"}
    for score, style in [(predictions["probability"], model), *curves]:
        order = np.argsort(-score.to_numpy(), kind="stable")
        reached = predictions.churned.to_numpy()[order].cumsum() / predictions.churned.sum()
        axes.plot(contacted, [0, *reached], **style)
    axes.plot([0, 1], [0, 1], **RANDOM)
    axes.set(xlim=(0, 1), ylim=(0, 1.02))
    format_as_percent(axes.xaxis, axes.yaxis)
    add_legend(figure, 2)
    return figure


def draw_confusion(predictions: pd.DataFrame, metrics: dict[str, Any]) -> Figure:
    """Draw how many customers the threshold in use predicts correctly and incorrectly."""
    threshold, words = metrics["holdout"]["threshold"], _get_outcome_words(metrics)
    predicted = predictions.probability >= threshold
    counts = confusion_matrix(predictions.churned, predicted, labels=[False, True])
    figure, axes = _create_axes(
        f"{counts[1, 1]:,} of the {counts[:, 1].sum():,} customers above the threshold "
        f"{words.churned}",
        f"{_format_subtitle(metrics)}\nThreshold {threshold:.3f}; a row adds up to 100 %",
        "Forecast",
        "What happened",
    )
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        text = f"{count:,}\n{format_percent(shares[row, column])}"
        axes.text(column, row, text, ha="center", va="center", fontsize=13, color=TEXT)
    axes.set_xticks([0, 1], [words.stays, words.churns])
    axes.set_yticks([0, 1], [words.stayed, words.churned])
    axes.grid(visible=False)
    return figure


def draw_weights(
    feature_weights: pd.DataFrame, metrics: dict[str, Any], max_inputs: int = 15
) -> Figure:
    """Draw the inputs with the largest weights in the champion.

    An input's own weight and that of its product with the moderator are two bars of one row.
    """
    parts = feature_weights["feature"].str.partition(", ")
    weights = feature_weights.assign(input=parts[0], moderator=parts[2]).pivot(
        index="input", columns="moderator", values="weight"
    )
    order = weights.abs().max(axis="columns").sort_values(kind="stable").index[-max_inputs:]
    largest = weights.loc[order].sort_index(axis="columns")
    kind = feature_weights["kind"].iloc[0]
    title, xlabel = {
        "coefficient": (
            "What raises (right) or lowers (left) the forecast",
            "Change of the log-odds per standard deviation of the input",
        ),
        "importance": ("What the forecast depends on", "Share of the gain in the trees' splits"),
    }[kind]
    champion = metrics["champion"]["label"]
    subtitle = f"Inputs with the largest weights in {champion}"
    figure, (axes,) = create_figure(title, subtitle, 1.2 + 0.3 * len(largest))
    moderators = list(map(str, largest))
    thickness = 0.8 / len(moderators)
    for place, (moderator, color) in enumerate(zip(moderators, (MODEL, CAUTION), strict=False)):
        shift = 0.4 - (place + 0.5) * thickness
        label = f"in addition, times “{moderator.replace('_', ' ')}”" if moderator else "the input"
        values = largest[moderator]
        axes.barh(np.arange(len(largest)) + shift, values, thickness, color=color, label=label)
    axes.axvline(0, color=REFERENCE, lw=1)
    axes.set_yticks(range(len(largest)), list(largest.index.str.replace("_", " ")))
    axes.set(xlabel=xlabel, ylim=(-0.6, len(largest) - 0.4))
    axes.grid(axis="y", visible=False)
    if len(moderators) > 1:
        add_legend(figure, 2)
    return figure


def draw_candidates(cv_results: pd.DataFrame, selected_candidate: dict[str, Any]) -> Figure:
    """Draw how the trials compare: average precision and log loss over folds."""
    rows = cv_results[::-1].reset_index(drop=True)
    is_selected = rows["trial"] == selected_candidate["trial"]
    candidate = selected_candidate["candidate"].replace("_", " ")
    figure, (axes,) = create_figure(
        f"Chosen: {candidate}, the simplest within one standard error of the best",
        f"{len(rows)} candidates on folds of users, the best by the score that selects on top",
        1.1 + 0.45 * len(rows),
    )
    error = rows["average_precision_error"]
    for is_drawn, color, label in (
        (is_selected, BAD, "chosen"),
        (~is_selected, MODEL, "other candidates"),
    ):
        value, places = rows.loc[is_drawn, "average_precision"], rows.index[is_drawn]
        style: dict[str, Any] = {"fmt": "o", "color": color, "capsize": 3, "label": label}
        axes.errorbar(value, places, xerr=error[is_drawn].to_numpy(), **style)
    axes.set_yticks(rows.index, _name_trials(rows))
    axes.set(xlabel="Average precision, with its standard error", ylim=(-0.6, len(rows) - 0.4))
    axes.grid(axis="y", visible=False)
    precision = rows["average_precision"].map("{:.3f}".format)
    texts = {"average\nprecision": precision, "log loss": rows["log_loss"].map("{:.4f}".format)}
    add_text_columns(axes, range(len(rows)), {name: list(column) for name, column in texts.items()})
    add_legend(figure, 2)
    return figure


def _name_trials(rows: pd.DataFrame) -> list[str]:
    """Return the candidate of each trial, with the settings that its other trials do not have."""
    trials = [
        (name.replace("_", " "), settings.split(", "))
        for name, settings in zip(rows["candidate"], rows["settings"], strict=True)
    ]
    names = []
    for name, settings in trials:
        others = [each for other, each in trials if other == name and each is not settings]
        own = [one for one in settings if any(one not in each for each in others)]
        names.append(f"{name}\n{', '.join(own)}".strip())
    return names


def draw_profit(
    contact_profit: pd.DataFrame, contact_plan: dict[str, Any], metrics: dict[str, Any]
) -> Figure:
    """Draw the profit by number of contacts, with the highest probabilities first."""
    in_use = contact_plan["in_use"]
    at = (in_use["contacted"], in_use["profit"]["value"])
    figure, axes = _create_axes(
        f"{at[0]:,} contacts at the threshold: a profit of {format_dollars(at[1])}",
        f"{_format_subtitle(metrics)}\n{_format_profit_interval(in_use['profit'])}",
        "Customers contacted, highest probability first",
        "Profit within the horizon, after the cost of contacts",
    )
    contacted = contact_profit["contacted"]
    low, high = contact_profit["profit_low"], contact_profit["profit_high"]
    label = "95 % interval" if low.notna().any() else f"95 % interval: {TOO_FEW}"
    axes.fill_between(contacted, low, high, color=MODEL, alpha=0.15, lw=0, label=label)
    axes.plot(contacted, contact_profit["profit"], color=MODEL, lw=2, label="by the forecast")
    for name, style in _get_baselines(metrics).items():
        if name in contact_profit:
            axes.plot(contacted, contact_profit[name], **style)
    random = contact_profit["at_random"]
    axes.plot(contacted, random, **RANDOM)
    axes.plot(*at, "o", color=BAD, label=f"threshold in use, {in_use['threshold']:.3f}")
    axes.axhline(0, color=TEXT, lw=0.8)
    lowest, highest = (bound.fillna(contact_profit["profit"]) for bound in (low, high))
    bottom = max(min(lowest.min(), random.min()), -MAX_LOSS * highest.max() - 1)
    axes.set(xlim=(0, contacted.max()), ylim=(bottom, None))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter(lambda amount, _: format_dollars(amount))
    add_legend(figure, 3)
    return figure


def _format_profit_interval(profit: dict[str, Any]) -> str:
    if not profit["ci95"]:
        return f"95 % interval of this profit: {TOO_FEW}"
    low, high = map(format_dollars, profit["ci95"])
    return f"95 % interval of this profit: {low} to {high}"
