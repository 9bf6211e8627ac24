from typing import Any

import pytest

from sparkify.pipelines.reporting.blocks import Notice, Pictures, Table, Text
from sparkify.pipelines.reporting.monitoring_section import alarms, watch
from sparkify.pipelines.reporting.words import SPACE

RED_LINE = "Do not believe the model: age alone tells who churned (AUC 0.97)."
DRIFT = "Adverts have drifted; PSI 0.31, limit 0.1."


def told(found: dict[str, Any], cutoff: str = "2018-12-01") -> tuple[Any, ...]:
    """Return the blocks of the fifth section."""
    watched = found["monitoring_summary"], found["leakage_audit"], found["metrics"], cutoff
    return watch(found["promotion"], *watched, found["drift_figure"]).blocks


def texts(blocks: tuple[Any, ...]) -> str:
    return " ".join(b.text for b in blocks if isinstance(b, Text | Notice)).replace(SPACE, " ")


def raised(found: dict[str, Any], cutoff: str = "2018-12-01") -> list[str]:
    """Return what stands above everything."""
    watched = found["monitoring_summary"], found["leakage_audit"], found["metrics"]
    return [notice.text for notice in alarms(*watched, cutoff)]


def test_alarms_and_the_red_line_stand_above_everything_and_in_their_section(
    found: dict[str, Any],
) -> None:
    assert raised(found) == [f"Monitoring raised 1 alarm. {DRIFT}", RED_LINE]
    shown = [block.text for block in told(found) if isinstance(block, Notice)]
    assert shown == [DRIFT, RED_LINE]


def test_a_shift_beyond_the_limit_is_told_from_an_alarm(found: dict[str, Any]) -> None:
    (moved,) = found["monitoring_summary"]["features"]
    by_chance = moved | {"feature": "songs_per_day", "psi": 0.25, "p_adjusted": 0.2, "alarm": False}
    summary = found["monitoring_summary"] | {"features": [moved, by_chance], "alarms": []}
    blocks = told({**found, "monitoring_summary": summary})
    table, _ = (block for block in blocks if isinstance(block, Table))
    assert [row[-1] for row in table.rows] == [
        "alarm: above 0.1, and more than chance",
        "above 0.1, but no more than chance",
    ]
    assert "stability index of 1 feature is above 0.1, but no more than chance." in texts(blocks)
    (pictures,) = (block for block in blocks if isinstance(block, Pictures))
    assert pictures.items[0].alt.endswith(
        "limit of 0.1; 1 alarm, 1 feature above 0.1, but no more than chance."
    )


def test_earlier_scores_of_too_few_leavers_have_no_interval(found: dict[str, Any]) -> None:
    (known,) = found["monitoring_summary"]["realised"]
    few = known | {"churned": 3, "auc_low": None, "auc_high": None}
    nobody = few | {"churned": 0, "auc": None}
    summary = found["monitoring_summary"] | {"realised": [known, few, nobody]}
    *_, table = (b for b in told({**found, "monitoring_summary": summary}) if isinstance(b, Table))
    assert [row[-1].replace(SPACE, " ") for row in table.rows] == [
        "0.771 (0.751 to 0.791)",
        "0.771 (too few to say)",
        "too few to say",
    ]


def test_what_has_not_run_is_named_with_its_command(found: dict[str, Any]) -> None:
    missing = {**found, "monitoring_summary": {}, "leakage_audit": {}, "drift_figure": None}
    blocks = told(missing)
    assert raised(missing) == []
    assert not any(isinstance(block, Table | Pictures | Notice) for block in blocks)
    assert "kedro run --pipelines monitoring,reporting adds it" in texts(blocks)
    assert "There is no audit for leaks: kedro run --pipelines validation" in texts(blocks)


@pytest.mark.parametrize(
    "older",
    [
        {"cutoff": "2018-11-24"},
        {"promised": {"auc": {"value": 0.6, "ci95": [0.5, 0.7]}}},
    ],
    ids=["other scores", "other model"],
)
def test_monitoring_of_other_scores_or_another_model_is_not_shown(
    found: dict[str, Any], older: dict[str, Any]
) -> None:
    stale = {**found, "monitoring_summary": found["monitoring_summary"] | older}
    assert raised(stale) == [RED_LINE]
    assert "Monitoring has not run since" in texts(told(stale))
    assert "PSI" not in texts(told(stale))


def test_an_audit_of_other_rows_is_not_shown(found: dict[str, Any]) -> None:
    training = {**found["leakage_audit"]["training"], "fingerprint": "0000-1"}
    stale = {**found, "leakage_audit": found["leakage_audit"] | {"training": training}}
    assert raised(stale) == [f"Monitoring raised 1 alarm. {DRIFT}"]
    assert "the one there is looked at others, up to 17 October 2018" in texts(told(stale))


def test_an_audit_that_does_not_say_of_which_rows_is_not_shown(found: dict[str, Any]) -> None:
    audit = {key: told for key, told in found["leakage_audit"].items() if key != "training"}
    stale = {**found, "leakage_audit": audit}
    assert raised(stale) == [f"Monitoring raised 1 alarm. {DRIFT}"]
    assert "There is no audit for leaks: kedro run" in texts(told(stale))


def test_a_clean_audit_says_by_which_figures(found: dict[str, Any]) -> None:
    clean = {**found, "leakage_audit": found["leakage_audit"] | {"not_to_be_believed": []}}
    assert raised(clean) == [f"Monitoring raised 1 alarm. {DRIFT}"]
    assert "Nothing stands against" in texts(told(clean))
    assert "with an AUC of 0.61, rates alone with 0.70" in texts(told(clean))
    assert "changed 0 rows of features" in texts(told(clean))


def test_challenger_and_champion_stand_side_by_side(found: dict[str, Any]) -> None:
    holdout = found["metrics"]["holdout"]
    figures = {name: holdout[name] for name in ("auc", "average_precision", "log_loss")}
    promotion = {
        "replaced": False,
        "reason": "the one that stood stays",
        "gain": {"value": 0.001, "ci95": [-0.01, 0.012]},
        "challenger": {"label": "xgboost", "trained_until": "2018-11-07", **figures},
        "standing": {"label": "random forest", "trained_until": "2018-10-31", **figures},
    }
    blocks = told({**found, "promotion": promotion})
    (table,) = (b for b in blocks if isinstance(b, Table) and "same hold-out" in b.caption)
    assert [row[:3] for row in table.rows] == [
        ("Challenger", "xgboost", "7 November 2018"),
        ("Standing", "random forest", "31 October 2018"),
    ]
    assert blocks[0].text == "Champion and challenger: the one that stood stays."
