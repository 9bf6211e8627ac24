import json
from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.evaluation.parameters import DecisionParameters, EvaluationParameters
from sparkify.pipelines.scoring import lists
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.schemas import CHURN_SCORES

CUTOFF = date(2018, 12, 1)
THUMBS = {"input": "thumbs", "reason": "thumbs down", "contribution": 0.51239}
AGE = {"input": "age", "reason": "registered 3 days ago", "contribution": -0.25}


def scored(spark: SparkSession, customers: list[tuple[Any, ...]]) -> DataFrame:
    """Return scores of (user, probability, reasons for, reasons against)."""
    rows = [
        (user, CUTOFF, probability, rank, 50.0, "paid", 1.26, reasons, against)
        for rank, (user, probability, reasons, against) in enumerate(customers, 1)
    ]
    return spark.createDataFrame(rows, CHURN_SCORES.struct)


@pytest.fixture(scope="module")
def scores(spark: SparkSession) -> DataFrame:
    customers = [
        ("007", 0.51239, [THUMBS, {**AGE, "contribution": 0.1}], []),
        ("8", 0.25, [THUMBS], [AGE]),
        ("9", 0.1, [], [AGE]),
    ]
    return scored(spark, customers).cache()


@pytest.fixture(scope="module")
def money(evaluation: EvaluationParameters) -> EvaluationParameters:
    decision = DecisionParameters(
        threshold="f1", contact_cost=2, contact_success=0.1, kept_customer_value=100
    )
    return evaluation.model_copy(update={"decision": decision})


def sharing(scoring: ScoringParameters, share: float, seed: int = 7) -> ScoringParameters:
    return scoring.model_copy(update={"control_share": share, "control_seed": seed})


def test_people_get_a_column_per_reason(
    scores: DataFrame,
    card: dict[str, Any],
    scoring: ScoringParameters,
    money: EvaluationParameters,
) -> None:
    two = scoring.model_copy(update={"reasons": 2})
    rows = lists.churn_scores_csv(scores, card, two, money)
    first, _, last = rows.to_dict("records")
    assert first == {
        "rank": 1,
        "user_id": "007",
        "cutoff": CUTOFF,
        "probability": 0.5124,
        "level": "paid",
        "days_since_last_seen": 1.3,
        "percentile": 50.0,
        "predicted": True,
        "reason_for_1": "thumbs down",
        "contribution_for_1": 0.512,
        "reason_for_2": "registered 3 days ago",
        "contribution_for_2": 0.1,
        "reason_against_1": None,
        "contribution_against_1": pytest.approx(float("nan"), nan_ok=True),
        "reason_against_2": None,
        "contribution_against_2": None,
    }
    assert last["reason_for_1"] is None
    assert last["reason_against_1"] == "registered 3 days ago"


def test_a_contact_has_what_it_is_expected_to_gain(
    scores: DataFrame,
    card: dict[str, Any],
    scoring: ScoringParameters,
    money: EvaluationParameters,
) -> None:
    contacts, control = lists.contacts(scores, card, sharing(scoring, 0), money)
    assert contacts["user_id"].tolist() == ["007", "8"]
    # 0.51239 * 0.1 * 100 - 2 and 0.25 * 0.1 * 100 - 2 dollars.
    assert contacts["expected_gain"].tolist() == pytest.approx([3.1239, 0.5])
    assert contacts["reason_for_1"].tolist() == ["thumbs down", "thumbs down"]
    assert (list(control), len(control)) == (list(contacts), 0)


def test_people_get_contacts_rounded(
    scores: DataFrame,
    card: dict[str, Any],
    scoring: ScoringParameters,
    money: EvaluationParameters,
) -> None:
    found = lists.contacts(scores, card, sharing(scoring, 0), money)
    rounded, control = lists.round_contacts(*found)
    assert rounded["probability"].tolist() == [0.5124, 0.25]
    assert rounded["expected_gain"].tolist() == [3.12, 0.5]
    assert (list(control), len(control)) == (list(rounded), 0)


def test_a_share_is_kept_as_the_control_group(
    spark: SparkSession,
    card: dict[str, Any],
    scoring: ScoringParameters,
    money: EvaluationParameters,
) -> None:
    many = scored(spark, [(str(user), 0.5, [THUMBS], []) for user in range(2_000)])
    contacts, control = lists.contacts(many, card, sharing(scoring, 0.1), money)
    assert len(contacts) + len(control) == 2_000
    assert not set(contacts["user_id"]) & set(control["user_id"])
    assert 160 < len(control) < 240
    _, again = lists.contacts(many.repartition(3), card, sharing(scoring, 0.1), money)
    pd.testing.assert_frame_equal(again, control)
    _, other = lists.contacts(many, card, sharing(scoring, 0.1, seed=8), money)
    assert set(other["user_id"]) != set(control["user_id"])


@pytest.mark.parametrize(
    ("share", "contacted", "warning"),
    [
        (
            0.0001,
            20,
            "control_group is empty: scoring.control_share 0.0001 of 20 listed customers is "
            "nobody, so that the effect of contacts cannot be measured. Raise "
            "scoring.control_share.",
        ),
        (
            0.9999,
            0,
            "contacts is empty: scoring.control_share 0.9999 puts all 20 listed customers into "
            "the control group. Lower scoring.control_share.",
        ),
    ],
)
def test_a_share_that_is_nobody_or_everybody_is_warned_of(
    *,
    spark: SparkSession,
    card: dict[str, Any],
    scoring: ScoringParameters,
    money: EvaluationParameters,
    told: pytest.LogCaptureFixture,
    share: float,
    contacted: int,
    warning: str,
) -> None:
    few = scored(spark, [(str(user), 0.5, [THUMBS], []) for user in range(20)])
    contacts, control = lists.contacts(few, card, sharing(scoring, share), money)
    assert (len(contacts), len(control)) == (contacted, 20 - contacted)
    assert told.messages == [warning]


def test_the_summary_says_whom_to_contact_and_what_is_expected(
    scores: DataFrame,
    card: dict[str, Any],
    scoring: ScoringParameters,
    money: EvaluationParameters,
    parameters: dict[str, Any],
) -> None:
    contacts, control = lists.contacts(scores, card, sharing(scoring, 0), money)
    told = lists.score_summary(
        *(scores, contacts, control, card, scoring, money),
        parameters["feature_engineering"],
    )
    json.dumps(told, allow_nan=False)
    assert told["cutoff"] == "2018-12-01"
    assert (told["customers"], told["by_level"]) == (3, {"free": 0, "paid": 3})
    assert (told["expected_churners"], told["predicted"]) == (0.9, 2)
    assert (told["to_contact"], told["control"]) == (2, 0)
    assert (told["expected_profit"], told["contact_costs"]) == (3.62, 4)
    assert told["main_reasons"] == {"thumbs": 2}
    assert told["is_forecast"]
    assert told["model"]["label"] == "logistic regression (regParam 0.3)"
    assert told["decision"] == {
        "threshold": 0.2,
        "threshold_by": "f1",
        "contact_cost": 2,
        "contact_success": 0.1,
        "kept_customer_value": 100,
    }


# By the cost of a contact that keeps $100 with a probability of .1: who is listed, and dollars.
PAYING = {
    1: (["007", "8", "9"], 5.62),
    2.4: (["007", "8"], 2.82),
    5: (["007"], 0.12),
    6: ([], 0.0),
}


@pytest.mark.parametrize("contact_cost", PAYING)
def test_the_list_holds_those_whose_contact_pays_at_the_costs_of_this_run(
    scores: DataFrame,
    card: dict[str, Any],
    scoring: ScoringParameters,
    money: EvaluationParameters,
    parameters: dict[str, Any],
    contact_cost: float,
) -> None:
    listed, gain = PAYING[contact_cost]
    paying = {"threshold": "profit", "contact_cost": contact_cost}
    decision = money.decision.model_copy(update=paying)
    asked = money.model_copy(update={"decision": decision})
    all_listed = sharing(scoring, 0)
    contacts, control = lists.contacts(scores, card, all_listed, asked)
    summary = lists.score_summary(
        *(scores, contacts, control, card, all_listed, asked), parameters["feature_engineering"]
    )
    shown = lists.churn_scores_csv(scores, card, all_listed, asked)
    assert contacts["user_id"].tolist() == listed
    assert shown.loc[shown["predicted"], "user_id"].tolist() == listed
    assert (contacts["expected_gain"] >= 0).all()
    assert summary["expected_profit"] == pytest.approx(gain)
    assert (summary["predicted"], summary["to_contact"]) == (len(listed), len(listed))
    assert summary["decision"]["threshold"] == pytest.approx(contact_cost / 10)


def test_nobody_to_contact_is_an_empty_list(
    spark: SparkSession,
    card: dict[str, Any],
    scoring: ScoringParameters,
    money: EvaluationParameters,
    parameters: dict[str, Any],
) -> None:
    nobody = scored(spark, [("9", 0.1, [], [AGE])])
    contacts, control = lists.contacts(nobody, card, scoring, money)
    told = lists.score_summary(
        *(nobody, contacts, control, card, scoring, money),
        parameters["feature_engineering"],
    )
    assert (told["to_contact"], told["control"], told["expected_profit"]) == (0, 0, 0.0)
    assert told["main_reasons"] == {}


def test_what_was_learnt_from_is_no_forecast(
    scores: DataFrame,
    card: dict[str, Any],
    scoring: ScoringParameters,
    money: EvaluationParameters,
    parameters: dict[str, Any],
    told: pytest.LogCaptureFixture,
) -> None:
    earlier = scores.withColumn("cutoff", F.lit(date(2018, 11, 16)))
    contacts, control = lists.contacts(earlier, card, scoring, money)
    summary = lists.score_summary(
        *(earlier, contacts, control, card, scoring, money),
        parameters["feature_engineering"],
    )
    assert not summary["is_forecast"]
    assert (
        told.messages[-1]
        == "churn_model has learnt from days after 2018-11-16: these scores are no forecast"
    )
