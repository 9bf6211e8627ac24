from typing import Any

from sparkify.formatting.baseline_comparison import compare_with_baselines, list_unbeaten_baselines

WIDE = {"value": -0.03, "ci95": [-0.18, 0.12]}
BETTER = {"value": 0.2, "ci95": [0.1, 0.3]}
WORSE = {"value": -0.2, "ci95": [-0.3, -0.1]}
UNKNOWN = {"value": 0.2, "ci95": None}


def written(gain: Any) -> str:
    return f"difference {gain['value']}"


def test_a_comparison_says_better_worse_or_not_measurably_different() -> None:
    gains = {
        "most_songs": {"auc": WIDE, "average_precision": WORSE},
        "longest_away": {"auc": BETTER, "average_precision": WIDE},
    }
    assert compare_with_baselines(gains, written) == (
        "By AUC, the model is not measurably different from most songs first (difference -0.03), "
        "and measurably better than longest away first (difference 0.2). By average precision, "
        "the model is measurably worse than most songs first (difference -0.2), and not measurably "
        "different from longest away first (difference -0.03)."
    )
    assert list_unbeaten_baselines(gains) == ["most_songs"]


def test_rules_with_the_same_verdict_share_it() -> None:
    gains = {name: {"auc": WIDE, "average_precision": WIDE} for name in ("most_songs", "oldest")}
    assert compare_with_baselines(gains, written).startswith(
        "By AUC, the model is not measurably different from most songs first (difference -0.03) "
        "and oldest first (difference -0.03). By"
    )


def test_an_interval_that_ends_at_zero_shows_no_difference() -> None:
    nothing = {"value": 0.0, "ci95": [0.0, 0.0]}
    gains = {"most_songs": {"auc": nothing, "average_precision": nothing}}
    assert "not measurably different" in compare_with_baselines(gains, written)
    assert list_unbeaten_baselines(gains) == ["most_songs"]


def test_with_too_few_churners_nothing_is_compared() -> None:
    gains = {"most_songs": {"auc": UNKNOWN, "average_precision": UNKNOWN}}
    assert compare_with_baselines(gains, written) == (
        "Too few churned to compare the model with most songs first."
    )
    assert list_unbeaten_baselines(gains) == ["most_songs"]


def test_without_baselines_the_comparison_is_empty() -> None:
    assert compare_with_baselines({}, written) == ""
