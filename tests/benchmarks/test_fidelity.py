from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import fidelity

QUANTILES = {"p05": 1.0, "p25": 5.0, "p50": 9.0, "p75": 17.0, "p95": 39.0}


@pytest.fixture
def figures(finished: Any) -> dict[str, Any]:
    """Return the counts of the small log in the form of published figures."""
    log = fidelity.Log(finished.log)
    pages = log.pages()
    published = {
        "rows": sum(pages.values()),
        "users": 88,
        "churned_users": 20,
        "bytes": log.bytes,
        "page_rows": pages,
    }
    full = {
        **published,
        "share_ever_paid": 0.7,
        "share_ever_upgraded": 0.5,
        "cumulative_share_churned_by_day": {14: 0.07, 61: 0.22},
        "per_user": dict.fromkeys(fidelity.PER_USER, QUANTILES),
    }
    return {"full": full, "mini": published}


def test_every_figure_is_compared(
    finished: Any, figures: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "figures.yaml"
    path.write_text(yaml.safe_dump(figures))
    fidelity.main([str(finished.log), str(path)])
    lines = capsys.readouterr().out.splitlines()
    rows = {line[:34].strip(): line[34:].split() for line in lines}
    assert rows["Home per song"][2] == "1.000"
    assert rows["events"][2] == "1.000"
    assert rows["bytes per event"][2] == "1.000"
    assert "share ever_paid" in rows
    assert "churned by day 61" in rows
    assert rows["events per user p50"][0] == "9"
    assert rows["events per user p50"][-1] == "outside"
    assert "figures within their goals" in lines[-1]


@pytest.mark.parametrize(
    ("comparison", "within"),
    [
        (fidelity.Comparison("rate", 0.1, 0.102, 0.03), True),
        (fidelity.Comparison("rate", 0.1, 0.104, 0.03), False),
        (fidelity.Comparison("share", 0.22, 0.229, 0.01, is_difference=True), True),
        (fidelity.Comparison("share", 0.22, 0.231, 0.01, is_difference=True), False),
        (fidelity.Comparison("thumbs", 2, 1, 0.08, is_count=True), True),
        (fidelity.Comparison("days", 2, 1, 0.08), False),
        (fidelity.Comparison("nothing", 0, 0, 0.08), True),
        (fidelity.Comparison("nothing", 0, 3, 0.08, is_count=True), False),
    ],
)
def test_a_goal_is_a_ratio_or_a_difference(comparison: fidelity.Comparison, within: bool) -> None:
    assert comparison.is_within is within
