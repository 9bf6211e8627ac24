from typing import Any

from sparkify.pipelines.reporting.profit import profit
from sparkify.pipelines.reporting.words import JOINED, MINUS, SPACE


def test_profit_is_told_beside_other_ways_to_choose(found: dict[str, Any]) -> None:
    text, table, pictures = profit(found["contact_plan"], found["contact_profit"], b"PNG")
    told = text.text.replace(SPACE, " ").replace(MINUS + JOINED, "-")
    assert "999 of them, that would have gained $551 ($322 to $799)" in told
    assert "from 2,310 contacts (1,204 to 3,871): $1,234 ($803 to $1,655)" in told
    assert "everybody would have gained -$14,368" in told
    assert "best simple rule, most songs first, at its best number $61" in told
    assert [(row[0], row[-1]) for row in table.rows] == [
        ("999", "threshold in use"),
        ("2,310", "most profit"),
        ("19,876", ""),
    ]
    assert "Most at 2,310 contacts" in pictures.items[0].alt


def test_amounts_that_are_compared_keep_their_order(found: dict[str, Any]) -> None:
    best = {**found["contact_plan"]["best"], "profit": {"value": 68.4, "ci95": [-36, 162.4]}}
    plan = found["contact_plan"] | {"best": best, "contact_cost": 0.4}
    plan["baselines"] = {"most_songs": {"contacted": 40, "profit": 69.2}}
    text = profit(plan, found["contact_profit"], b"PNG")[0].text
    told = text.replace(SPACE, " ").replace(MINUS + JOINED, "-")
    assert "a contact costs $0.40" in told
    assert "(1,204 to 3,871): $68.40 (-$36 to $162)" in told
    assert told.endswith("most songs first, at its best number $69.20.")


def test_profits_of_too_few_leavers_have_no_intervals(found: dict[str, Any]) -> None:
    best = {"contacted": 2_310, "profit": {"value": 1_234.0, "ci95": None}, "contacted_ci95": None}
    plan = found["contact_plan"] | {"best": best}
    table = found["contact_profit"].assign(profit_low=float("nan"), profit_high=float("nan"))
    text, rows, _ = profit(plan, table, b"PNG")
    assert "from 2,310 contacts (too few to say): $1,234 (too few to say)" in text.text.replace(
        SPACE, " "
    )
    assert rows.rows[1][1].replace(SPACE, " ") == "$1,234 (too few to say)"
