from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.scoring import nodes
from sparkify.pipelines.scoring.customer_value import total_values, value_customers
from sparkify.pipelines.scoring.parameters import Prices, ScoringParameters
from sparkify.schemas import CHURN_SCORES, CUSTOMER_VALUES

CUTOFF = date(2018, 12, 1)
DECISION = {
    **{"threshold": 0.1, "threshold_by": "profit"},
    **{"contact_cost": 0.2, "contact_success": 0.2, "kept_customer_value": 100.0},
}
CUSTOMERS = [("a", 0.5, "free"), ("b", 0.2, "paid"), ("c", 0.1, "paid"), ("d", 0.08, "paid")]


@pytest.fixture(scope="module")
def scores(spark: SparkSession) -> DataFrame:
    rows = [
        (user, CUTOFF, probability, rank, 50.0, level, 1.0, None, None, [], [])
        for rank, (user, probability, level) in enumerate(CUSTOMERS, 1)
    ]
    return spark.createDataFrame(rows, CHURN_SCORES.struct).cache()


@pytest.fixture(scope="module")
def priced(scoring: ScoringParameters) -> ScoringParameters:
    """Return the settings with prices, without a discount and a control group."""
    value = {"prices": Prices(free=1, paid=20), "margin": 0.5, "annual_discount_rate": 0}
    changed = scoring.value.model_copy(update=value)
    return scoring.model_copy(update={"value": changed, "control_share": 0})


def test_without_prices_every_kept_customer_is_worth_the_same(
    scores: DataFrame, no_revenue: DataFrame, scoring: ScoringParameters, card: dict[str, Any]
) -> None:
    values = value_customers(scores, no_revenue, card, DECISION, scoring)
    CUSTOMER_VALUES.validate(values)
    rows = values.orderBy("user_id").toPandas()
    assert rows["kept_value"].tolist() == [100.0] * 4
    assert rows["value_at_risk"].tolist() == [50.0, 20.0, 10.0, 8.0]
    assert rows["remaining_value"].isna().all()


def test_values_follow_from_the_curve_and_the_price(
    scores: DataFrame, no_revenue: DataFrame, priced: ScoringParameters, card: dict[str, Any]
) -> None:
    values = value_customers(scores, no_revenue, card, DECISION, priced)
    CUSTOMER_VALUES.validate(values)
    rows = values.toPandas().set_index("user_id")
    # The hazard is constant: 0.8 ** (1 / 10) stay each day, of a margin of 10 * 12 / 365 a day.
    stays = 0.8**0.1
    expected = 10 * 12 / 365 * sum(stays**day for day in range(1, 366))
    assert rows.loc["b", "remaining_value"] == pytest.approx(expected)
    assert rows.loc["b", "value_at_risk"] == pytest.approx(0.2 * rows.loc["b", "kept_value"])
    # A free customer of the same curve would be worth a twentieth.
    assert rows.loc["a", "remaining_value"] < rows.loc["b", "remaining_value"] / 20


def test_the_last_revenue_before_the_cutoff_replaces_the_price(
    spark: SparkSession,
    scores: DataFrame,
    no_revenue: DataFrame,
    priced: ScoringParameters,
    scoring: ScoringParameters,
    card: dict[str, Any],
) -> None:
    rows = [
        ("b", date(2018, 11, 1), 7.0),
        ("b", date(2018, 11, 30), 10.0),
        ("b", date(2018, 12, 1), 99.0),  # at the cutoff: not known then
        ("c", date(2018, 11, 1), None),
        ("d", date(2018, 11, 1), 0.0),
        ("e", date(2018, 11, 1), 50.0),  # not a customer at the cutoff
    ]
    days = spark.createDataFrame(rows, no_revenue.schema)
    values = CUSTOMER_VALUES.validate(value_customers(scores, days, card, DECISION, priced))
    by_price = value_customers(scores, no_revenue, card, DECISION, priced)
    columns = ["remaining_value", "remaining_value_sd", "kept_value", "value_at_risk"]
    own, usual = (
        one.toPandas().set_index("user_id")[columns].sort_index() for one in (values, by_price)
    )
    assert own.loc["b"].tolist() == pytest.approx((usual.loc["b"] * 10 / 20).tolist())
    assert own.loc[["a", "c"]].equals(usual.loc[["a", "c"]])
    assert own.loc["d"].tolist() == [0, 0, 0, 0]
    without_prices = value_customers(scores, days, card, DECISION, scoring).toPandas()
    assert without_prices["kept_value"].tolist() == [100.0] * 4


def test_with_prices_the_list_has_the_contacts_that_gain_the_most_first(
    scores: DataFrame, no_revenue: DataFrame, priced: ScoringParameters, card: dict[str, Any]
) -> None:
    values = value_customers(scores, no_revenue, card, DECISION, priced)
    contacts, _ = nodes.list_contacts(scores, values, DECISION, priced, {})
    kept = values.toPandas().set_index("user_id")["kept_value"]
    # A free customer brings half a dollar a month: a contact does not pay.
    assert "a" not in contacts["user_id"].tolist()
    gains = contacts["expected_gain"].tolist()
    assert gains == sorted(gains, reverse=True)
    assert min(gains) >= 0
    row = contacts.set_index("user_id").loc["b"]
    assert row["expected_gain"] == pytest.approx(0.2 * 0.2 * kept["b"] - 0.2)
    assert row["value_at_risk"] == pytest.approx(0.2 * kept["b"])


def test_the_summary_has_the_mean_value_of_the_listed_customers(
    scores: DataFrame,
    no_revenue: DataFrame,
    priced: ScoringParameters,
    scoring: ScoringParameters,
    card: dict[str, Any],
) -> None:
    def summarize(scoring: ScoringParameters, decision: dict[str, Any]) -> dict[str, Any]:
        values = value_customers(scores, no_revenue, card, decision, scoring)
        lists = nodes.list_contacts(scores, values, decision, scoring, {})
        return nodes.summarize_scores(scores, *lists, card, decision, 0)

    summary = summarize(priced, DECISION)
    values = (
        value_customers(scores, no_revenue, card, DECISION, priced).toPandas().set_index("user_id")
    )
    listed = values.loc[["b", "c", "d"]]
    weighted = listed["probability"] * listed["kept_value"]
    assert summary["has_prices"]
    assert summary["kept_value"] == pytest.approx(weighted.sum() / listed["probability"].sum())
    assert summarize(priced, {**DECISION, "contact_cost": 99.0})["kept_value"] is None
    without = summarize(scoring, DECISION)
    assert (without["has_prices"], without["kept_value"]) == (False, 100.0)


def test_with_prices_and_the_f1_threshold_the_list_has_who_reaches_it(
    scores: DataFrame, no_revenue: DataFrame, priced: ScoringParameters, card: dict[str, Any]
) -> None:
    by_f1 = {**DECISION, "threshold_by": "f1"}
    values = value_customers(scores, no_revenue, card, by_f1, priced)
    contacts, _ = nodes.list_contacts(scores, values, by_f1, priced, {})
    assert set(contacts["user_id"]) == {"a", "b", "c"}
    assert contacts["user_id"].iloc[-1] == "a"


def total(
    scores: DataFrame, no_revenue: DataFrame, scoring: ScoringParameters, card: dict[str, Any]
) -> pd.DataFrame:
    values = value_customers(scores, no_revenue, card, DECISION, scoring).cache()
    table = total_values(values)
    pd.testing.assert_frame_equal(total_values(values.repartition(3)), table)
    return table


def test_totals_have_an_interval_of_chance(
    scores: DataFrame, no_revenue: DataFrame, priced: ScoringParameters, card: dict[str, Any]
) -> None:
    table = total(scores, no_revenue, priced, card)
    assert table[["grouping", "value", "customers"]].to_numpy().tolist() == [
        ["all", "all", 4],
        ["level", "free", 1],
        ["level", "paid", 3],
    ]
    for name in ("remaining_value", "value_at_risk"):
        everyone, free, paid = table[name]
        assert everyone == pytest.approx(free + paid, abs=0.02)
        assert (table[f"{name}_low"] < table[name]).all()
        assert (table[name] < table[f"{name}_high"]).all()


def test_without_prices_the_totals_have_only_the_value_at_risk(
    scores: DataFrame, no_revenue: DataFrame, scoring: ScoringParameters, card: dict[str, Any]
) -> None:
    table = total(scores, no_revenue, scoring, card)
    assert table["value_at_risk"].tolist() == [88.0, 50.0, 38.0]
    assert table["remaining_value"].isna().all()


def test_a_group_without_revenue_has_no_value(
    scores: DataFrame, no_revenue: DataFrame, priced: ScoringParameters, card: dict[str, Any]
) -> None:
    free = priced.value.model_copy(update={"prices": Prices(free=0, paid=20)})
    table = total(scores, no_revenue, priced.model_copy(update={"value": free}), card)
    row = table.set_index("value").loc["free"]
    assert row["value_at_risk_low"] == row["value_at_risk"] == row["value_at_risk_high"] == 0
