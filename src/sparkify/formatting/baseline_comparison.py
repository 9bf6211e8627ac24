"""Sentences that compare the model's ranking with baselines that need no model."""

from collections.abc import Callable, Mapping
from typing import Any

TOO_FEW = "too few to say"  # shown instead of an interval
Gains = Mapping[str, Mapping[str, Any]]  # by measure: `value`, and `ci95` or None
MEASURES = {"auc": "AUC", "average_precision": "average precision"}
BETTER, WORSE, ALIKE = (
    "measurably better than",
    "measurably worse than",
    "not measurably different from",
)


def compare_with_baselines(
    gains: Mapping[str, Gains], write: Callable[[Mapping[str, Any]], str]
) -> str:
    """Return by measure whether the model ranks better than each baseline, with the differences.

    Args:
        gains: `gain_over_baselines` of the metrics.
        write: formats a difference with its interval.
    """
    if not gains:
        return ""
    rules = {name: f"{name.replace('_', ' ')} first" for name in gains}
    if any(_verdict(gain) is None for figures in gains.values() for gain in figures.values()):
        return f"Too few churned to compare the model with {' and '.join(rules.values())}."
    sentences = []
    for key, measure in MEASURES.items():
        by_verdict: dict[str | None, list[str]] = {}
        for name, rule in rules.items():
            gain = gains[name][key]
            by_verdict.setdefault(_verdict(gain), []).append(f"{rule} ({write(gain)})")
        parts = [f"{verdict} {' and '.join(names)}" for verdict, names in by_verdict.items()]
        sentences.append(f"By {measure}, the model is {', and '.join(parts)}.")
    return " ".join(sentences)


def unbeaten_baselines(gains: Mapping[str, Gains]) -> list[str]:
    """Return the baselines that the model does not measurably beat by any measure."""
    return [
        name
        for name, figures in gains.items()
        if all(_verdict(gain) != BETTER for gain in figures.values())
    ]


def _verdict(gain: Mapping[str, Any]) -> str | None:
    """Return the comparison by the interval of the difference; None without an interval."""
    if gain["ci95"] is None:
        return None
    low, high = gain["ci95"]
    return BETTER if low > 0 else WORSE if high < 0 else ALIKE
