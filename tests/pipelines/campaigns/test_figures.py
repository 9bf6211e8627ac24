from typing import Any

import pandas as pd
import pytest

from sparkify.pipelines.campaigns import figures
from sparkify.pipelines.campaigns.effects import COLUMNS
from sparkify.pipelines.campaigns.parameters import CampaignParameters
from tests.figure_checks import get_subtitle, require_readable


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
    require_readable(figure)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "2018-11-01",
        "all campaigns, segment 2",
        "programme,\n90 days since first listed",
    ]
    texts = [text.get_text() for text in axes.texts]
    assert texts == [*["2,700"] * 3, "contacted", *["300"] * 3, "control"]
    assert figure.get_suptitle() == "Did contacts keep customers? 1 finished campaign"


def test_without_a_finished_campaign_the_figure_says_what_is_waited_for() -> None:
    figure = figures.draw_campaigns(effects(), {"campaigns": [], "waiting": ["2018-12-01"]})
    require_readable(figure)
    assert "Waiting for their horizon: 2018-12-01." in get_subtitle(figure)


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
    figure = figures.draw_movements(movements, campaigns)
    require_readable(figure)
    counts, flows = figure.axes
    lines = {line.get_label(): line.get_ydata().tolist() for line in flows.lines}
    assert lines == {
        "cancelled": [2, 3],
        "quiet": [4, 0],
        "returned": [0, 1],
        "new": [0, 0],
    }
    assert counts.get_legend_handles_labels()[1] == ["active", "returned", "quiet"]


@pytest.mark.parametrize("columns", [["week_end", "level", "before", "now", "customers"]])
def test_a_log_too_short_for_movements_says_so(
    columns: list[str], campaigns: CampaignParameters
) -> None:
    figure = figures.draw_movements(pd.DataFrame(columns=columns), campaigns)
    require_readable(figure)
    assert "quiet is who was not seen for 30 days" in get_subtitle(figure)
