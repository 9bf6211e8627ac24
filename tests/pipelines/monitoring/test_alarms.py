from typing import Any

import pandas as pd
import pytest

from sparkify.pipelines.monitoring import alarms
from sparkify.pipelines.monitoring.parameters import MonitoringParameters

# A Wednesday to a Tuesday, and the same four weeks later.
OCTOBER = [f"2018-10-{day}" for day in range(10, 17)]
NOVEMBER = [f"2018-11-{day:02}" for day in range(7, 14)]


def describe(
    days: list[str], events: int = 100, customers: int = 50, **more: Any
) -> dict[str, Any]:
    return {
        "cutoff": days[-1],
        "customers": customers,
        "days": [{"day": day, "events": events, "active": 10} for day in days],
        "unseen_pages": {},
        **more,
    }


REFERENCE = describe(OCTOBER)


def list_volume_alarms(
    newest: dict[str, Any], monitoring: MonitoringParameters
) -> list[dict[str, Any]]:
    volume = alarms.compare_volume(REFERENCE, newest)
    day_shares = alarms.compare_weekdays(REFERENCE, newest)
    return list(alarms.find_volume_alarms(volume, day_shares, monitoring))


def test_a_drifted_feature_is_named_with_its_means() -> None:
    row = {
        "feature": "adverts_per_free_song",
        "reference_mean": 0.0821,
        "newest_mean": 0.12,
        "psi": 0.312,
        "alarm": True,
    }
    drift = pd.DataFrame([row, {**row, "feature": "score", "alarm": False}])
    (alarm,) = alarms.find_drift_alarms(drift, REFERENCE, describe(NOVEMBER), 0.1)
    assert alarm == {
        "name": "drift.adverts_per_free_song",
        "what": "population stability index",
        "value": 0.312,
        "threshold": 0.1,
        "sentence": "Adverts per free song: the mean drifted from 0.0821 at the training's "
        "cutoff 2018-10-16 to 0.12 at 2018-11-13; PSI 0.31, limit 0.1.",
    }


def test_the_largest_drift_comes_first() -> None:
    table = pd.DataFrame(
        {"feature": ["a", "b", "c"], "psi": [0.2, 0.5, 0.9], "alarm": [True, True, False]}
    ).assign(reference_mean=0.0, newest_mean=1.0)
    names = [alarm["name"] for alarm in alarms.find_drift_alarms(table, REFERENCE, REFERENCE, 0.1)]
    assert names == ["drift.b", "drift.a"]


def test_twice_the_customers_with_twice_the_events_is_not_an_alarm(
    monitoring: MonitoringParameters,
) -> None:
    grown = describe(NOVEMBER, events=200, customers=100)
    grown["days"] = [{**day, "active": 20} for day in grown["days"]]
    assert list_volume_alarms(grown, monitoring) == []


def test_half_the_events_are_an_alarm(monitoring: MonitoringParameters) -> None:
    (alarm,) = list_volume_alarms(describe(NOVEMBER, events=50), monitoring)
    assert (alarm["name"], alarm["value"]) == ("volume.events", 0.5)
    assert "0.50 times the training's (2, now 1)" in alarm["sentence"]
    assert alarm["sentence"].endswith("limits 0.67 and 1.5.")


def test_a_day_without_events_is_an_alarm_that_names_it(monitoring: MonitoringParameters) -> None:
    now = describe(NOVEMBER)
    now["days"][2]["events"] = 3
    (alarm,) = list_volume_alarms(now, monitoring)
    assert (alarm["name"], alarm["value"]) == ("volume.quiet_day", 0.03)
    assert "2018-11-09" in alarm["sentence"]


def test_a_day_is_compared_with_the_same_weekday() -> None:
    then, now = describe(OCTOBER), describe(NOVEMBER)
    then["days"][3]["events"] = 10  # a Saturday
    now["days"][3]["events"] = 5
    shares = alarms.compare_weekdays(then, now)
    assert shares["2018-11-10"] == 0.5
    assert {shares[day] for day in NOVEMBER if day != "2018-11-10"} == {1.0}


def test_unseen_pages_are_an_alarm_above_a_share() -> None:
    few = describe(NOVEMBER, events=1_000, unseen_pages={"Karaoke": 7})
    many = describe(NOVEMBER, events=1_000, unseen_pages={"Karaoke": 70})
    assert list(alarms.find_page_alarms(few, 0.001)) == []
    (alarm,) = alarms.find_page_alarms(many, 0.001)
    assert alarm["value"] == 0.01
    assert "(Karaoke)" in alarm["sentence"]


def create_lines(count: int, first_event: str = "2018-10-01", **rejections: int) -> dict[str, Any]:
    counts = {name.replace("_", " "): rejected for name, rejected in rejections.items()}
    return {"lines": {"lines": count, "first_event": first_event, "rejections": counts}}


def test_only_new_lines_count_if_the_log_continues() -> None:
    then, now = create_lines(1_000, no_user=20), create_lines(1_100, no_user=22, duplicate=5)
    rejections = alarms.compare_rejections(then, now)
    assert rejections == {
        "duplicate": {"reference": 0.0, "newest": 0.05},
        "no user": {"reference": 0.02, "newest": 0.02},
    }
    (alarm,) = alarms.find_rejection_alarms(rejections, 0.01)
    assert (alarm["name"], alarm["value"]) == ("rejections.duplicate", 0.05)


def test_all_lines_count_if_it_is_another_log() -> None:
    result = alarms.compare_rejections(
        create_lines(1_000, no_user=20), create_lines(2_000, "2018-11-01", no_user=60)
    )
    assert result == {"no user": {"reference": 0.02, "newest": 0.03}}


def test_without_new_lines_rejections_do_not_change() -> None:
    same = create_lines(1_000, no_user=20)
    assert alarms.compare_rejections(same, same) == {"no user": {"reference": 0.02, "newest": 0.02}}


HOLDOUT = {"auc": {"value": 0.78, "ci95": [0.76, 0.80]}}


def create_realised_row(churned: int, auc_high: float | None = 0.79) -> dict[str, Any]:
    return {
        "cutoff": "2018-11-21",
        "churned": churned,
        "expected": 100.0,
        "expected_low": 75,
        "expected_high": 127,
        "auc": 0.7,
        "auc_low": 0.65,
        "auc_high": auc_high,
    }


@pytest.mark.parametrize(
    ("churned", "names"),
    [(100, []), (140, []), (151, ["realised.churned"]), (70, []), (60, ["realised.churned"])],
)
def test_churners_far_outside_the_likely_range_are_an_alarm(churned: int, names: list[str]) -> None:
    result = alarms.find_realised_alarms(pd.DataFrame([create_realised_row(churned)]), HOLDOUT, 1.5)
    assert [alarm["name"] for alarm in result] == names


def test_an_auc_below_the_interval_of_the_holdout_is_an_alarm() -> None:
    (alarm,) = alarms.find_realised_alarms(
        pd.DataFrame([create_realised_row(100, 0.75)]), HOLDOUT, 1.5
    )
    assert (alarm["name"], alarm["value"], alarm["threshold"]) == ("realised.auc", 0.7, 0.76)


def test_older_scores_and_a_missing_auc_are_not_an_alarm() -> None:
    rows = pd.DataFrame([create_realised_row(300), create_realised_row(100, None)])
    assert list(alarms.find_realised_alarms(rows, HOLDOUT, 1.5)) == []
    assert list(alarms.find_realised_alarms(rows[:0], HOLDOUT, 1.5)) == []
