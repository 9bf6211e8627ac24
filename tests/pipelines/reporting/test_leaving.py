from collections.abc import Callable
from typing import Any

Write = Callable[..., Any]
HEADING = "When customers leave and their value"


def test_curves_are_shown_by_group_and_day(write: Write) -> None:
    table = write().table("Mean probability to have left by a day")
    assert table == [
        ["Customers", "Number", "Day 7", "Day 10", "Day 14", "Day 30"],
        ["all customers", "19,700", "2.1 %", "3.0 %", "4.2 %", "9.0 %"],
        ["free level", "4,700", "1.4 %", "2.0 %", "2.8 %", "6.0 %"],
        ["segment 1", "19,700", "2.1 %", "3.0 %", "4.2 %", "9.0 %"],
    ]


def test_curves_are_compared_with_later_outcomes(write: Write) -> None:
    report = write()
    table = report.table("The curves on later outcomes")
    assert table[1] == [
        *("7", "21 November 2018", "280 of 19,876", "1.5 %", "0.771 (0.750 to 0.790)"),
        "0.0201, 0.0212, 0.0223",
    ]
    assert "The training before the cutoff of day 30 shows fewer days" in report.section(HEADING)


def test_the_evaluation_of_another_model_is_not_shown(
    write: Write, datasets: dict[str, Any]
) -> None:
    other = datasets["curve_evaluation"] | {"fingerprint": "0-0"}
    for evaluation in ({}, other):
        section = write(curve_evaluation=evaluation).section(HEADING)
        assert "have not been compared with later outcomes" in section
        assert "The curves on later outcomes" not in section


def test_values_are_shown_with_prices_only(write: Write, datasets: dict[str, Any]) -> None:
    table = write().table("Expected margin of the customers")
    assert table[1] == [
        *("all customers", "19,700", "$412,345 ($409,001 to $415,678)"),
        "$12,346 ($11,002 to $13,701)",
    ]
    columns = ["remaining_value", "remaining_value_low", "remaining_value_high"]
    without = datasets["value_totals"].assign(**dict.fromkeys(columns))
    assert "Expected margin of the customers" not in write(value_totals=without).text


def test_a_list_by_prices_is_explained(write: Write, datasets: dict[str, Any]) -> None:
    priced = datasets["score_summary"] | {"has_prices": True, "kept_value": 23.4}
    section = write(score_summary=priced).section("Forecast")
    assert "the highest gain first" in section
    assert "on average of the list it is $23.40" in section
    assert "1,002 customers have a probability" not in section
    assert "1,002 customers have a probability" in write().section("Forecast")
    empty = priced | {"kept_value": None, "to_contact": 0, "control": 0, "expected_profit": 0.0}
    assert "on average of the list" not in write(score_summary=empty).section("Forecast")
