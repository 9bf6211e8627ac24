from typing import Any

from sparkify.pipelines.reporting.profit import profit
from sparkify.pipelines.reporting.words import JOINED, MINUS, SPACE


def test_profit_is_told_beside_other_ways_to_choose(found: dict[str, Any]) -> None:
    text, table, pictures = profit(found["contact_plan"], found["contact_profit"], b"PNG")
    told = text.text.replace(SPACE, " ").replace(MINUS + JOINED, "-")
    assert "999 of them, that would have gained $550 ($320 to $800)" in told
    assert "from 2,310 contacts (1,204 to 3,871): $1,230 ($800 to $1,660)" in told
    assert "everybody would have gained -$14,368" in told
    assert "best simple rule, most songs first, at its best number $61" in told
    assert [(row[0], row[-1]) for row in table.rows] == [
        ("999", "threshold in use"),
        ("2,310", "most profit"),
        ("19,876", ""),
    ]
    assert "Most at 2,310 contacts" in pictures.items[0].alt
