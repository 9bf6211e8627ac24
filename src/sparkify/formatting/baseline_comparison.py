"""Whether the model ranks better than rules that need no model, in sentences."""

from collections.abc import Callable, Mapping
from typing import Any

TOO_FEW = "too few to say"  # what people read in place of an interval
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
    """Say by each measure whether the model ranks better than each baseline, with the differences.

    Args:
        gains: `gain_over_baselines` of the metrics.
        write: how a difference with its interval is written.
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
        parts = [f"{verdict} {' and '.join(those)}" for verdict, those in by_verdict.items()]
        sentences.append(f"By {measure}, the model is {', and '.join(parts)}.")
    return " ".join(sentences)


def unbeaten_baselines(gains: Mapping[str, Gains]) -> list[str]:
    """Return the baselines that the model is measurably better than by no measure."""
    return [
        name
        for name, figures in gains.items()
        if all(_verdict(gain) != BETTER for gain in figures.values())
    ]


def _verdict(gain: Mapping[str, Any]) -> str | None:
    """Return how the model compares, by the interval of the difference; None without one."""
    if gain["ci95"] is None:
        return None
    low, high = gain["ci95"]
    return BETTER if low > 0 else WORSE if high < 0 else ALIKE
