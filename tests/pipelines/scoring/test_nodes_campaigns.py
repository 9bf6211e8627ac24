"""What scoring keeps of a list for its read-out, and what it says before sending."""

import json
from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.scoring import nodes
from sparkify.pipelines.scoring.customer_value import value_customers
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.schemas import CHURN_SCORES

CUTOFF = date(2018, 11, 7)
DECISION = {
    **{"threshold": 0.2, "threshold_by": "f1"},
    **{"contact_cost": 2.0, "contact_success": 0.3, "kept_customer_value": 100.0},
}


@pytest.fixture(scope="module")
def settings(parameters: dict[str, Any]) -> ScoringParameters:
    return parameters["scoring"]


def scores(spark: SparkSession, customers: int) -> DataFrame:
    rows = [
        (str(number), CUTOFF, 0.5, number + 1, 50.0, "paid", 1.0, None, None, [], [])
        for number in range(customers)
    ]
    return spark.createDataFrame(rows, CHURN_SCORES.struct)


def list_contacts(
    customers: DataFrame, settings: ScoringParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    values = value_customers(customers, customers, {}, DECISION, settings)
    return nodes.list_contacts(customers, values, DECISION, settings, {})


def test_the_lasting_control_group_is_the_same_at_every_cutoff(
    spark: SparkSession, settings: ScoringParameters
) -> None:
    shares = {"control_share": 0.1, "lasting_control_share": 0.05}
    changed = settings.model_copy(update=shares)
    many = scores(spark, 2_000)
    later = many.withColumn("cutoff", F.date_add("cutoff", 7))
    lists = [list_contacts(at_cutoff, changed) for at_cutoff in (many, later)]
    lasting = [set(control.loc[control["is_lasting"], "user_id"]) for _, control in lists]
    assert lasting[0] == lasting[1]
    assert 70 < len(lasting[0]) < 130
    for contacts, control in lists:
        assert not lasting[0] & set(contacts["user_id"])
        assert 150 < len(control) - len(lasting[0]) < 230


def test_without_a_lasting_control_group_the_lists_are_those_of_the_cutoff(
    spark: SparkSession, settings: ScoringParameters
) -> None:
    contacts, control = list_contacts(scores(spark, 200), settings)
    assert len(contacts) + len(control) == 200
    assert not control["is_lasting"].any()
    assert list(control) == [*contacts, "is_lasting"]


def listed(*user_ids: str, **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"user_id": list(user_ids)}).assign(
        **{"cutoff": CUTOFF, "probability": 0.5, "level": "paid", "expected_gain": 13.0}, **columns
    )


def test_a_campaign_is_archived_with_groups_and_segments() -> None:
    contacts = listed("many", "few", segment=["many adverts", "ordinary"])
    control = listed("lasts", "drawn", is_lasting=[True, False], segment=[None, "ordinary"])
    ((name, campaign),) = nodes.archive_campaign(contacts, control).items()
    assert name == "2018-11-07"
    assert campaign[["user_id", "group", "segment"]].to_numpy().tolist() == [
        ["drawn", "control", "ordinary"],
        ["few", "contact", "ordinary"],
        ["lasts", "lasting", None],
        ["many", "contact", "many adverts"],
    ]
    assert campaign["kept_value"].isna().all()
    valued = contacts.assign(kept_value=[9.0, 7.0]), control.assign(kept_value=8.0)
    ((_, campaign),) = nodes.archive_campaign(*valued).items()
    assert campaign["kept_value"].tolist() == [8.0, 7.0, 8.0, 9.0]


def test_an_empty_list_has_no_campaign() -> None:
    nothing = listed(is_lasting=[], segment=[]).astype({"is_lasting": bool})
    assert nodes.archive_campaign(nothing.drop(columns="is_lasting"), nothing) == {}


def equal(number: int, is_lasting: bool = False) -> pd.DataFrame:
    """Return customers whose probability is 10 % each."""
    return pd.DataFrame({"probability": [0.1] * number, "is_lasting": [is_lasting] * number})


def test_the_plan_says_what_a_list_can_show(settings: ScoringParameters) -> None:
    control = pd.concat([equal(300), equal(20, is_lasting=True)])
    plan = nodes.plan_campaign(equal(2_700), control, DECISION, settings)
    assert (plan["contacts"], plan["control"], plan["lasting_control"]) == (2_700, 300, 20)
    assert plan["expected_rate"] == pytest.approx(0.1)
    assert plan["detectable_success"] == pytest.approx(0.435, abs=0.005)
    assert plan["power"] == pytest.approx(0.48, abs=0.03)
    assert plan["needed_control"] == pytest.approx(800, abs=250)
    assert plan["needed_campaigns"] in (2, 3)
    assert plan["is_conclusive"]
    json.dumps(plan, allow_nan=False)


def test_a_small_list_can_show_nothing_plausible(settings: ScoringParameters) -> None:
    plan = nodes.plan_campaign(equal(30), equal(3), DECISION, settings)
    assert (plan["detectable_success"], plan["needed_control"]) == (None, None)
    assert not plan["is_conclusive"]


def test_an_empty_list_has_a_plan(settings: ScoringParameters) -> None:
    plan = nodes.plan_campaign(equal(0), equal(0), DECISION, settings)
    assert (plan["expected_rate"], plan["is_conclusive"]) == (None, False)
