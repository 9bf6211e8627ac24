from typing import Any

import pandas as pd

from sparkify.pipelines.reporting.blocks import KeyFigures, Notice, Table, Text
from sparkify.pipelines.reporting.forecast import forecast
from sparkify.pipelines.reporting.words import JOINED, MINUS, SPACE


def told(found: dict[str, Any], **changed: Any) -> tuple[Any, ...]:
    """Return the blocks of the first section."""
    given = {name: found[name] for name in ("score_summary", "contacts", "metrics")} | changed
    return forecast(**given, contacts_shown=15).blocks


def test_how_many_will_leave_and_what_contacts_gain_have_their_range_by_chance(
    found: dict[str, Any],
) -> None:
    (figures,) = (block for block in told(found) if isinstance(block, KeyFigures))
    values = [value for value, _ in figures.items]
    assert values == ["19,700", "588", "900", "$512"]
    assert "by chance 541 to 636 if the forecast is right" in figures.items[1][1]
    assert "102 more are the control group" in figures.items[2][1]
    assert figures.items[3][1].endswith(f"by chance {MINUS}{JOINED}$180 to $1,260")


def test_the_list_has_its_top_with_reasons_in_words(found: dict[str, Any]) -> None:
    (table,) = (block for block in told(found) if isinstance(block, Table))
    assert table.caption.startswith("The first 2 of 900 customers to contact")
    first, second = table.rows
    assert first[:2] == ("1", "<script>alert(1)</script>")
    assert first[3:] == (
        *("paid", "10 hours ago", "$2.88"),
        "thumbs down on 4.1 % of songs, others 1.1 %; no songs on the free level",
    )
    assert second[-1] == "3.4 songs a day"


def test_a_list_of_nobody_says_so(found: dict[str, Any]) -> None:
    blocks = told(found, contacts=found["contacts"].head(0))
    assert not any(isinstance(block, Table) for block in blocks)
    assert blocks[-1].text.startswith("The list of customers to contact has 0 rows")


def notices(found: dict[str, Any], **summary: Any) -> list[str]:
    changed = found["score_summary"] | summary
    blocks = told(found, score_summary=changed, contacts=found["contacts"].head(0))
    return [b.text.replace(SPACE, " ") for b in blocks if isinstance(b, Notice | Text)]


def test_an_empty_control_group_is_warned_of(found: dict[str, Any]) -> None:
    said = notices(found, control=0, to_contact=33, control_share=0.0004)
    assert any(
        text.startswith("The control group is empty: 0.040 % of 33 listed customers")
        for text in said
    )
    assert not any("control group is empty" in text for text in notices(found))


def test_a_list_that_is_all_control_group_is_warned_of(found: dict[str, Any]) -> None:
    said = notices(found, control=33, to_contact=0, control_share=0.9996)
    assert any("a control share of 99.96 % puts all 33 listed" in text for text in said)
    assert said[-1].endswith("has 0 rows: all are in the control group.")
    nobody = notices(found, control=0, to_contact=0)
    assert nobody[-1].endswith("has 0 rows: nobody reaches the threshold.")
    assert not any("control group is empty" in text for text in nobody)


def test_scores_of_another_model_are_not_shown_as_this_one_s(found: dict[str, Any]) -> None:
    assert not any(isinstance(block, Notice) for block in told(found))
    summary = found["score_summary"]
    older = {**summary, "model": {**summary["model"], "label": "random forest"}}
    (notice,) = (b for b in told(found, score_summary=older) if isinstance(b, Notice))
    assert "of another model (random forest, trained on cutoffs up to 17 October" in notice.text


def test_scores_of_other_training_rows_are_of_another_model(found: dict[str, Any]) -> None:
    summary = found["score_summary"]
    training = {**summary["model"]["training"], "fingerprint": "0-0"}
    older = {**summary, "model": {**summary["model"], "training": training}}
    (notice,) = (b for b in told(found, score_summary=older) if isinstance(b, Notice))
    assert "of another model" in notice.text


def test_a_list_by_other_costs_than_the_evaluation_says_so(found: dict[str, Any]) -> None:
    summary = found["score_summary"]
    by_profit = {"threshold": 0.556, "threshold_by": "profit", "contact_cost": 5.0}
    listed = {**summary, "decision": {**summary["decision"], **by_profit}}
    blocks = told(found, score_summary=listed)
    (notice,) = (block for block in blocks if isinstance(block, Notice))
    assert notice.text == (
        "The list was made by another decision than precision, recall and profit below: threshold "
        "0.556 instead of 0.0912, threshold_by profit instead of f1, contact_cost 5 instead of 1. "
        "kedro run --from-nodes modelling.compare_with_champion evaluates the model by the "
        "decision that is set now, and makes list and report anew."
    )
    (text, *_) = (block.text for block in blocks if isinstance(block, Text))
    assert f"at least 56{SPACE}% are to be contacted" in text
    assert f"a contact pays from a probability of 56{SPACE}% on." in text


def test_contacts_that_never_pay_are_named_so(found: dict[str, Any]) -> None:
    summary = found["score_summary"]
    dear = {**summary, "decision": {**summary["decision"], "contact_cost": 10.0}}
    (text, *_) = (b.text for b in told(found, score_summary=dear) if isinstance(b, Text))
    assert text.endswith("is worth $90; so no contact pays.")


def test_scores_of_days_that_the_model_learnt_from_are_no_forecast(found: dict[str, Any]) -> None:
    looked_back = found["score_summary"] | {"is_forecast": False}
    (notice,) = (b for b in told(found, score_summary=looked_back) if isinstance(b, Notice))
    assert "are no forecast" in notice.text


def test_a_list_that_is_expected_to_lose_money_is_warned_of(found: dict[str, Any]) -> None:
    losing = found["score_summary"] | {"expected_profit": -6.2}
    (notice,) = (b for b in told(found, score_summary=losing) if isinstance(b, Notice))
    assert notice.text.startswith("Contacting the whole list is expected to lose $6")
    assert f"a contact pays from 11{SPACE}% on" in notice.text


def test_a_list_longer_than_what_is_shown_is_cut(found: dict[str, Any]) -> None:
    longer = pd.concat([found["contacts"]] * 9)
    (table,) = (b for b in told(found, contacts=longer) if isinstance(b, Table))
    assert len(table.rows) == 15


def test_what_leaving_means_is_said_by_the_outcome(found: dict[str, Any]) -> None:
    (text, *_) = notices(found)
    assert "the customers who will have cancelled within 10 days." in text
    (text, *_) = notices(found, outcome="inactivity", happened="were not seen")
    assert "the customers who will not be seen within 10 days." in text
