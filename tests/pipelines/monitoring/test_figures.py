from typing import Any

import pandas as pd

from sparkify.pipelines.monitoring import figures
from tests.figure_checks import get_subtitle, require_readable

SUMMARY: dict[str, Any] = {
    "alarms": [{"name": "drift.adverts_per_free_song"}],
    "thresholds": {"psi": 0.1, "false_alarms": 0.01},
    "customers": 1_820,
    "cutoff": "2018-12-01",
    "reference_customers": 1_880,
    "reference_cutoff": "2018-11-07",
    "window_days": 14,
}
ROW: dict[str, Any] = {
    "feature": "adverts_per_free_song",
    "kind": "number",
    "reference_customers": 87,
    "newest_customers": 90,
    "reference_mean": 0.0821,
    "newest_mean": 0.12,
    "psi": 0.312,
    "psi_by_chance": 0.2,
    "p_adjusted": 0.0001,
    "alarm": True,
}


def draw_axes(*rows: dict[str, Any]) -> Any:
    figure = figures.draw_drift(pd.DataFrame(rows), SUMMARY)
    require_readable(figure)
    (axes,) = figure.axes
    return axes


def test_the_largest_drift_is_on_top_and_clocks_are_below() -> None:
    clock = {**ROW, "feature": "observed_days", "kind": "clock", "psi": 9.0, "alarm": False}
    small = {**ROW, "feature": "songs_per_day", "psi": 0.01, "alarm": False}
    axes = draw_axes(clock, small, {**clock, "p_adjusted": None}, ROW)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "observed days (clock)"
    assert names[-2:] == ["songs per day", "adverts per free song"]


def test_bars_are_labelled_and_an_alarm_has_another_colour() -> None:
    empty = {**ROW, "feature": "downgrades", "newest_customers": 0, "psi": None, "alarm": False}
    axes = draw_axes(empty, ROW)
    assert [text.get_text() for text in axes.texts] == [
        *["0.31", "too little data", "PSI"],
        *["0.0821", "", "mean in\ntraining"],
        *["0.12", "", "mean\nnow"],
        *["0.0001", "", "p-value"],
    ]
    low, high = (bar.get_facecolor() for bar in axes.patches)
    assert low != high
    (chance,) = [line for line in axes.lines if line.get_marker() == "|"]
    assert list(chance.get_xdata()) == [0.2, 0.2]


def draw_title(*rows: dict[str, Any]) -> str:
    return figures.draw_drift(pd.DataFrame(rows), SUMMARY).get_suptitle().replace("\n", " ")


def test_the_title_counts_alarms_and_features_above_the_limit_by_chance() -> None:
    by_chance = {**ROW, "feature": "songs_per_day", "p_adjusted": 0.2, "alarm": False}
    another = {**by_chance, "feature": "sessions_per_day", "psi": 0.1}
    below = {**by_chance, "feature": "downgrades", "psi": 0.09}
    clock = {**by_chance, "feature": "observed_days", "kind": "clock"}
    assert draw_title(ROW, below, clock) == "Drift since training: 1 alarm"
    assert draw_title(below, by_chance) == (
        "Drift since training: no alarm; 1 feature above 0.1, but no more than chance"
    )
    assert draw_title(ROW, {**ROW, "feature": "other"}, by_chance, another) == (
        "Drift since training: 2 alarms; 2 features above 0.1, but no more than chance"
    )


def test_the_legend_has_every_colour_of_the_bars() -> None:
    by_chance = {**ROW, "feature": "songs_per_day", "p_adjusted": 0.2, "alarm": False}
    below = {**by_chance, "feature": "downgrades", "psi": 0.09}
    clock = {**by_chance, "feature": "observed_days", "kind": "clock"}
    axes = draw_axes(ROW, by_chance, below, clock)
    (legend,) = axes.figure.legends
    patches = dict(
        zip((t.get_text() for t in legend.get_texts()), legend.get_patches(), strict=False)
    )
    meanings = {name: patch.get_facecolor() for name, patch in patches.items()}
    bars = [bar.get_facecolor() for bar in axes.patches]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert dict(zip(names, bars, strict=True)) == {
        "adverts per free song": meanings["alarm: above 0.1, and more than chance"],
        "songs per day": meanings["above 0.1, but no more than chance"],
        "downgrades": meanings["below 0.1"],
        "observed days (clock)": meanings["a clock: never an alarm"],
    }
    assert len(set(meanings.values())) == 4


def test_other_alarms_are_counted_in_the_subtitle() -> None:
    others = [{"name": "unseen_pages"}, {"name": "volume.events"}]
    figure = figures.draw_drift(pd.DataFrame([ROW]), {**SUMMARY, "alarms": others})
    assert get_subtitle(figure).endswith("; 2 other alarms, not of drift")
    assert "other alarm" not in get_subtitle(figures.draw_drift(pd.DataFrame([ROW]), SUMMARY))
