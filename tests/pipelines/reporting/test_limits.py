from typing import Any

from sparkify.pipelines.reporting.limits import limits
from sparkify.pipelines.reporting.words import SPACE


def told(found: dict[str, Any], **changed: Any) -> dict[str, str]:
    given = {**found, **changed}
    section = limits(given["metrics"], given["contact_plan"], given["group_metrics"], 0.1)
    return {name: said.replace(SPACE, " ") for name, said in section.blocks[-1].items}


def test_each_limit_names_a_figure(found: dict[str, Any]) -> None:
    said = told(found)
    assert "17.2 % (15.1 to 19.3 %) leave" in said["No decision against a customer."]
    assert "28.1 % (24.0 to 31.9 %)" in said["No list of all who will leave."]
    assert "control group of 10 %" in said["No proof that contacts work."]
    assert "with 612 who left" in said["Nothing beyond 10 days."]
    assert "Nothing about real customers." not in said


def test_a_group_that_is_served_worse_or_like_a_coin_is_named_once(found: dict[str, Any]) -> None:
    like_a_coin = found["group_metrics"].assign(auc_low=[0.49, 0.77, None])
    for groups, low in ((found["group_metrics"], 0.64), (like_a_coin, 0.49)):
        said = told(found, group_metrics=groups)["No ranking of some groups by themselves."]
        assert said.count("level") == 1
        assert f": level free, AUC 0.70 ({low} to 0.75)." in said


def test_a_simulated_log_says_nothing_about_real_customers(found: dict[str, Any]) -> None:
    said = told(found, metrics=found["metrics"] | {"source": "simulated"})
    assert "All 19,876 customers" in said["Nothing about real customers."]
