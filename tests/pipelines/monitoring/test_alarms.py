from typing import Any

import pandas as pd
import pytest

from sparkify.pipelines.monitoring import alarms
from sparkify.pipelines.monitoring.parameters import MonitoringParameters

# A Wednesday to a Tuesday, and the same four weeks later.
OCTOBER = [f"2018-10-{day}" for day in range(10, 17)]
NOVEMBER = [f"2018-11-{day:02}" for day in range(7, 14)]


def described(
    days: list[str], events: int = 100, customers: int = 50, **more: Any
) -> dict[str, Any]:
    return {
        "cutoff": days[-1],
        "customers": customers,
        "days": [{"day": day, "events": events, "active": 10} for day in days],
        "unseen_pages": {},
        **more,
    }


THEN = described(OCTOBER)


def test_a_drifted_feature_is_named_with_its_means(monitoring: MonitoringParameters) -> None:
    row = {
        "feature": "adverts_per_free_song",
        "reference_mean": 0.0821,
        "newest_mean": 0.12,
        "psi": 0.312,
        "alarm": True,
    }
    drift = pd.DataFrame([row, {**row, "feature": "score", "alarm": False}])
    (alarm,) = alarms.of_drift(drift, THEN, described(NOVEMBER), monitoring)
    assert alarm == {
        "name": "drift.adverts_per_free_song",
        "what": "population stability index",
        "value": 0.312,
        "threshold": 0.1,
        "sentence": "Adverts per free song: drifted from 0.0821 in the mean at the training's "
        "cutoff 2018-10-16 to 0.12 at 2018-11-13; PSI 0.31, limit 0.1.",
    }


def test_twice_the_customers_with_twice_the_events_are_no_alarm(
    monitoring: MonitoringParameters,
) -> None:
    grown = described(NOVEMBER, events=200, customers=100)
    grown["days"] = [{**day, "active": 20} for day in grown["days"]]
    assert list(alarms.of_volume(THEN, grown, monitoring)) == []


def test_half_the_events_are_an_alarm(monitoring: MonitoringParameters) -> None:
    (alarm,) = alarms.of_volume(THEN, described(NOVEMBER, events=50), monitoring)
    assert (alarm["name"], alarm["value"]) == ("volume.events", 0.5)
    assert "0.50 times the training's (2, now 1)" in alarm["sentence"]
    assert alarm["sentence"].endswith("limits 0.67 and 1.5.")


def test_a_day_without_events_is_an_alarm_that_names_it(monitoring: MonitoringParameters) -> None:
    now = described(NOVEMBER)
    now["days"][2]["events"] = 3
    (alarm,) = alarms.of_volume(THEN, now, monitoring)
    assert (alarm["name"], alarm["value"]) == ("volume.quiet_day", 0.03)
    assert "2018-11-09" in alarm["sentence"]


def test_a_weekday_is_compared_with_its_own() -> None:
    then, now = described(OCTOBER), described(NOVEMBER)
    then["days"][3]["events"] = 10  # a Saturday
    now["days"][3]["events"] = 5
    shares = alarms.quiet_days(then, now)
    assert shares["2018-11-10"] == 0.5
    assert {shares[day] for day in NOVEMBER if day != "2018-11-10"} == {1.0}


def test_unseen_pages_are_an_alarm_from_some_share_on(monitoring: MonitoringParameters) -> None:
    few = described(NOVEMBER, events=1_000, unseen_pages={"Karaoke": 7})
    many = described(NOVEMBER, events=1_000, unseen_pages={"Karaoke": 70})
    assert list(alarms.of_pages(few, monitoring)) == []
    (alarm,) = alarms.of_pages(many, monitoring)
    assert alarm["value"] == 0.01
    assert "(Karaoke)" in alarm["sentence"]


def lines(count: int, first_event: str = "2018-10-01", **rejections: int) -> dict[str, Any]:
    told = {why.replace("_", " "): rejected for why, rejected in rejections.items()}
    return {"lines": {"lines": count, "first_event": first_event, "rejections": told}}


def test_of_a_log_that_goes_on_the_lines_since_are_judged(
    monitoring: MonitoringParameters,
) -> None:
    then, now = lines(1_000, no_user=20), lines(1_100, no_user=22, duplicate=5)
    assert alarms.rejections(then, now) == {
        "duplicate": {"reference": 0.0, "newest": 0.05},
        "no user": {"reference": 0.02, "newest": 0.02},
    }
    (alarm,) = alarms.of_rejections(then, now, monitoring)
    assert (alarm["name"], alarm["value"]) == ("rejections.duplicate", 0.05)


def test_another_log_is_judged_whole() -> None:
    found = alarms.rejections(lines(1_000, no_user=20), lines(2_000, "2018-11-01", no_user=60))
    assert found == {"no user": {"reference": 0.02, "newest": 0.03}}


def test_no_line_since_is_no_change() -> None:
    same = lines(1_000, no_user=20)
    assert alarms.rejections(same, same) == {"no user": {"reference": 0.02, "newest": 0.02}}


PROMISED = {"auc": {"value": 0.78, "ci95": [0.76, 0.80]}}


def realised(churned: int, auc_high: float | None = 0.79) -> dict[str, Any]:
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
def test_churners_are_counted_against_forecasts_beyond_chance_and_by_size(
    churned: int, names: list[str], monitoring: MonitoringParameters
) -> None:
    found = alarms.of_realised(pd.DataFrame([realised(churned)]), PROMISED, monitoring)
    assert [alarm["name"] for alarm in found] == names


def test_an_auc_all_below_the_promised_interval_is_an_alarm(
    monitoring: MonitoringParameters,
) -> None:
    (alarm,) = alarms.of_realised(pd.DataFrame([realised(100, 0.75)]), PROMISED, monitoring)
    assert (alarm["name"], alarm["value"], alarm["threshold"]) == ("realised.auc", 0.7, 0.76)


def test_only_the_newest_scores_may_alarm_and_nobody_churned_says_nothing_of_auc(
    monitoring: MonitoringParameters,
) -> None:
    rows = pd.DataFrame([realised(300), realised(100, None)])
    assert list(alarms.of_realised(rows, PROMISED, monitoring)) == []
    assert list(alarms.of_realised(rows[:0], PROMISED, monitoring)) == []
