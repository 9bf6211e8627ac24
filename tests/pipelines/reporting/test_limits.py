from typing import Any

from sparkify.pipelines.reporting.limits import limits
from sparkify.pipelines.reporting.words import SPACE


def told(found: dict[str, Any], **changed: Any) -> dict[str, str]:
    given = {**found, **changed}
    names = ("metrics", "contact_plan", "group_metrics", "score_summary")
    section = limits(*(given[name] for name in names))
    return {name: said.replace(SPACE, " ") for name, said in section.blocks[-1].items}


def test_each_limit_names_a_figure(found: dict[str, Any]) -> None:
    said = told(found)
    assert "17.2 % (15.1 to 19.3 %) leave" in said["No decision against a customer."]
    assert "28.1 % (24.0 to 31.9 %)" in said["No list of all who will leave."]
    assert "control group of 102 customers" in said["No proof that contacts work."]
    assert "with 612 who left" in said["Nothing beyond 10 days."]
    assert "Nothing about real customers." not in said


def test_without_a_control_group_nothing_will_prove_that_contacts_work(
    found: dict[str, Any],
) -> None:
    said = told(found, score_summary=found["score_summary"] | {"control": 0})
    assert "This list has no control group" in said["No proof that contacts work."]


def test_only_a_group_that_is_measurably_served_worse_is_named(found: dict[str, Any]) -> None:
    said = told(found)
    assert (
        ": level free, AUC 0.70 (0.64 to 0.75)" in said["No ranking of some groups by themselves."]
    )
    assert said["No claim that all groups are served alike."] == (
        "1 of 3 groups have too few leavers to say: gender <b>F</b>, 0."
    )
    like_a_coin = found["group_metrics"].assign(
        auc_low=[0.49, 0.77, None], auc_difference_high=[0.05, 0.02, None]
    )
    said = told(found, group_metrics=like_a_coin)
    assert "No ranking of some groups by themselves." not in said
    assert said["No claim that all groups are served alike."] == (
        "2 of 3 groups have too few leavers to say: level free, 90; gender <b>F</b>, 0."
    )


def test_a_simulated_log_says_nothing_about_real_customers(found: dict[str, Any]) -> None:
    said = told(found, metrics=found["metrics"] | {"source": "simulated"})
    assert "All 19,876 customers" in said["Nothing about real customers."]


def test_only_with_inactivity_who_rests_counts_as_one_who_left(found: dict[str, Any]) -> None:
    name = "No list of who ends a subscription."
    assert name not in told(found)
    metrics = found["metrics"]
    question = metrics["question"] | {"outcome": "inactivity", "horizon_days": 14}
    said = told(found, metrics=metrics | {"question": question})
    assert "not seen for 14 days" in said[name]
