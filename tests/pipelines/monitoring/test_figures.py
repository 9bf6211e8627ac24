from typing import Any

import pandas as pd

from sparkify.pipelines.monitoring import figures

SUMMARY: dict[str, Any] = {
    "alarms": [{"name": "drift.adverts_per_free_song"}],
    "thresholds": {"psi": 0.1},
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


def drawn(*rows: dict[str, Any]) -> Any:
    (axes,) = figures.drift(pd.DataFrame(rows), SUMMARY).axes
    return axes


def test_the_farthest_is_on_top_and_clocks_are_below() -> None:
    clock = {**ROW, "feature": "observed_days", "kind": "clock", "psi": 9.0, "alarm": False}
    small = {**ROW, "feature": "songs_per_day", "psi": 0.01, "alarm": False}
    axes = drawn(clock, small, {**clock, "p_adjusted": None}, ROW)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "observed days (clock)"
    assert names[-2:] == ["songs per day", "adverts per free song"]


def test_bars_say_their_figures_and_an_alarm_has_its_color() -> None:
    nobody = {**ROW, "feature": "downgrades", "newest_customers": 0, "psi": None, "alarm": False}
    axes = drawn(nobody, ROW)
    texts = [text.get_text() for text in axes.texts]
    assert "PSI 0.31, mean 0.0821, now 0.12, p 0.0001" in texts
    assert "nobody known" in texts
    low, high = (bar.get_facecolor() for bar in axes.patches)
    assert low != high
    (chance,) = [line for line in axes.lines if line.get_marker() == "|"]
    assert list(chance.get_xdata()) == [0.2, 0.2]


def test_the_title_counts_alarms() -> None:
    title = figures.drift(pd.DataFrame([ROW]), SUMMARY).get_suptitle()
    assert title == "What has changed since training: 1 alarm"
    none = figures.drift(pd.DataFrame([ROW]), {**SUMMARY, "alarms": []}).get_suptitle()
    assert none == "What has changed since training: no alarm"
