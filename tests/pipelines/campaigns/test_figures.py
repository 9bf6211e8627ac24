from typing import Any

import pandas as pd
import pytest

from sparkify.pipelines.campaigns import figures
from sparkify.pipelines.campaigns.effects import COLUMNS
from sparkify.pipelines.campaigns.parameters import CampaignParameters


def effects(*rows: dict[str, Any]) -> pd.DataFrame:
    usual = {"contacted": 2700, "control": 300, "kept": 0.04, "kept_low": 0.0, "kept_high": 0.08}
    return pd.DataFrame([usual | row for row in rows], columns=COLUMNS)


def test_each_campaign_and_group_has_a_row() -> None:
    table = effects(
        {"campaign": "2018-11-01", "grouping": "all", "value": "all"},
        {"campaign": "all", "grouping": "segment", "value": "segment_2"},
        {"campaign": "programme", "grouping": "days since first listed", "value": "90"},
    )
    figure = figures.draw_campaigns(table, {"campaigns": [{}], "waiting": []})
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "2018-11-01  (2,700 : 300)",
        "all campaigns, segment 2  (2,700 : 300)",
        "programme, 90 days since first listed  (2,700 : 300)",
    ]
    assert figure.get_suptitle() == "Did contacts keep customers? 1 finished campaign"


def test_without_a_finished_campaign_the_figure_says_what_is_waited_for() -> None:
    figure = figures.draw_campaigns(effects(), {"campaigns": [], "waiting": ["2018-12-01"]})
    (text,) = figure.axes[0].texts
    assert "Waiting for their horizon: 2018-12-01." in text.get_text()


def test_losses_of_a_week_are_drawn_by_kind(campaigns: CampaignParameters) -> None:
    movements = pd.DataFrame(
        [
            ("2018-11-08", "free", "active", "active", 50),
            ("2018-11-08", "free", "active", "quiet", 4),
            ("2018-11-08", "paid", "active", "cancelled", 2),
            ("2018-11-15", "paid", "active", "cancelled", 3),
            ("2018-11-15", "free", "quiet", "returned", 1),
        ],
        columns=["week_end", "level", "before", "now", "customers"],
    )
    counts, flows = figures.draw_movements(movements, campaigns).axes
    lines = {line.get_label(): line.get_ydata().tolist() for line in flows.lines}
    assert lines == {
        "cancelled": [2, 3],
        "silent for 30 days": [4, 0],
        "returned": [0, 1],
        "new": [0, 0],
    }
    assert counts.get_legend_handles_labels()[1] == ["active", "returned", "quiet"]


@pytest.mark.parametrize("columns", [["week_end", "level", "before", "now", "customers"]])
def test_a_log_too_short_for_movements_says_so(
    columns: list[str], campaigns: CampaignParameters
) -> None:
    figure = figures.draw_movements(pd.DataFrame(columns=columns), campaigns)
    assert "quiet is who was not seen for 30 days" in figure.texts[-1].get_text()
