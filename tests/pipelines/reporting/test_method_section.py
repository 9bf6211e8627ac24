from typing import Any

import pytest

from sparkify.pipelines.reporting.blocks import Listing, Table
from sparkify.pipelines.reporting.method_section import making
from sparkify.pipelines.reporting.words import SPACE


def told(found: dict[str, Any], **changed: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what is said of the making, and the tables by the beginning of their caption."""
    given = {**found, **changed}
    blocks = making(
        given["data_quality"],
        given["event_summary"],
        given["metrics"],
        given["simulation_record"],
        given.get("parameters", {}),
    ).blocks
    (listing,) = (block for block in blocks if isinstance(block, Listing))
    tables = {b.caption.split()[0]: b.rows for b in blocks if isinstance(b, Table)}
    return {name: said.replace(SPACE, " ") for name, said in listing.items}, tables


def test_the_log_and_its_rejected_lines_are_told_by_reason(found: dict[str, Any]) -> None:
    said, tables = told(found)
    assert said["Lines"] == "287,156, of which 8,472 (3.0 %) were rejected"
    assert said["Columns of the log that nothing reads"] == "<i>device</i>"
    assert tables["Rejected"] == (("no user", "8,472", f"3.0{SPACE}%"),)


def test_the_champion_is_told_with_what_it_learnt_from(found: dict[str, Any]) -> None:
    said, tables = told(found)
    assert said["Learnt from"] == (
        "98,765 snapshots of 16,543 customers at 2 cutoffs from 10 October 2018 to "
        "17 October 2018; 3,777 left (3.8 %)"
    )
    assert said["Threshold on the hold-out"].startswith("9.1 %, the one with the best F1")
    assert tables["Versions"] == (("python", "3.11.2"), ("pyspark", "4.3.0"))


def test_a_log_that_lost_no_line_says_so(found: dict[str, Any]) -> None:
    clean = found["data_quality"] | {"rejected": 0, "rejections": {}, "unknown_columns": []}
    said, tables = told(found, data_quality=clean)
    assert tables["Rejected"] == (("none", "0", "0 %"),)
    assert len(said) == len(told(found)[0]) - 1


def test_the_simulation_is_named_by_its_seed(found: dict[str, Any]) -> None:
    quality = found["data_quality"] | {"source": "simulated"}
    said, _ = told(found, data_quality=quality, simulation_record={"seed": 455})
    assert said["Log"] == "simulated, with seed 455"


def test_settings_that_belong_together_share_a_row(found: dict[str, Any]) -> None:
    parameters = {
        "modelling": {"seed": 7, "decision": {"threshold": "f1", "contact_cost": 1}},
        "simulation": {"seed": 24},
    }
    _, tables = told(found, parameters=parameters)
    assert tables["Parameters"] == (
        ("modelling.seed", "7"),
        ("modelling.decision", "threshold: f1, contact_cost: 1"),
    )


@pytest.mark.parametrize(
    ("treated_as", "sentence"),
    [
        ("return", "They are customers again from the first of these on"),
        ("final", "None of these events counts"),
    ],
)
def test_customers_who_came_back_are_counted(
    found: dict[str, Any], treated_as: str, sentence: str
) -> None:
    returning = {"customers": 30, "events": 59_437, "treated_as": treated_as}
    said, _ = told(found, event_summary={"returning_customers": returning})
    assert said["Customers with events after a cancellation"] == (
        f"30, with 59,437 events. {sentence} (feature_engineering.returning_customers)"
    )


def test_the_question_says_who_is_asked_about(found: dict[str, Any]) -> None:
    said, _ = told(found)
    assert said["Question"] == "which customers cancelled within 10 days of a cutoff"
    metrics = found["metrics"]
    task = {"outcome": "inactivity", "happened": "were not seen", "active_within_days": 30}
    said, _ = told(found, metrics=metrics | {"question": metrics["question"] | task})
    assert said["Question"] == (
        "which customers seen in the 30 days before were not seen within 10 days of a cutoff"
    )
