from datetime import date

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from sparkify.pipelines.evaluation.customer_groups import COLUMNS
from sparkify.pipelines.evaluation.nodes import evaluate_groups
from sparkify.pipelines.evaluation.parameters import EvaluationParameters

CUTOFF = date(2018, 11, 21)
GENDERS = [
    *[("a", date(2018, 11, 1), None), ("a", date(2018, 11, 2), "F")],
    *[("b", date(2018, 11, 1), "F"), ("b", date(2018, 11, 2), None)],  # missing on the last day
    *[("c", date(2018, 11, 1), "M"), ("c", date(2018, 11, 2), "F")],  # changed
    *[("d", date(2018, 11, 1), "M"), ("d", CUTOFF, "F")],  # changed after the cutoff
    *[("e", date(2018, 11, 1), None), ("e", date(2018, 11, 22), "F")],  # known too late
]


def evaluate_rows(
    spark: SparkSession, evaluation: EvaluationParameters, rows: pd.DataFrame, min_churned: int
) -> pd.DataFrame:
    """Return the groups of customers with `churned`, `probability` and features."""
    dated = rows.assign(cutoff=CUTOFF)
    days = spark.createDataFrame(GENDERS, "user_id string, day date, gender string")
    settings = evaluation.model_copy(
        update={"min_interval_churned": min_churned, "bootstrap_resamples": 100}
    )
    scored = spark.createDataFrame(dated[["user_id", "cutoff", "churned", "probability"]])
    features = spark.createDataFrame(dated.drop(columns=["churned", "probability"]))
    return evaluate_groups(scored, features, days, settings).set_index(["group", "value"])


@pytest.fixture(scope="module")
def six_customers(spark: SparkSession, evaluation: EvaluationParameters) -> pd.DataFrame:
    rows = pd.DataFrame(
        # Three paid customers churn, one of them with a low forecast; no free customer churns.
        {
            "user_id": list("abcdef"),
            "churned": [True, True, True, False, False, False],
            "probability": [0.9, 0.2, 0.8, 0.3, 0.1, 0.1],
            "is_paid": [1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
            "account_age_days": [59.9, 60.0, 100.0, 100.0, 100.0, 1.0],
            "days_since_last_seen": [1.0, 7.0, 1.0, 1.0, 1.0, 1.0],
        }
    )
    return evaluate_rows(spark, evaluation, rows, min_churned=1)


@pytest.fixture(scope="module")
def many_customers(spark: SparkSession, evaluation: EvaluationParameters) -> pd.DataFrame:
    """Return groups of 400 customers: paid ones ranked well, free ones forecast too low."""
    random = np.random.default_rng(2)
    probability, is_paid = random.uniform(0.1, 0.5, 400), np.arange(400) % 2
    truth = np.where(is_paid == 1, probability, 0.7)
    rows = pd.DataFrame(
        {
            "user_id": [f"{place:03}" for place in range(400)],
            "churned": random.random(400) < truth,
            "probability": probability,
            "is_paid": is_paid.astype(float),
            "account_age_days": [10.0] * 4 + [100.0] * 396,
            "days_since_last_seen": 1.0,
        }
    )
    return evaluate_rows(spark, evaluation, rows, min_churned=5)


def test_customers_are_grouped_by_their_features_and_gender(six_customers: pd.DataFrame) -> None:
    assert six_customers["users"].to_dict() == {
        ("level", "free"): 2,
        ("level", "paid"): 4,
        ("registered", "60 days ago or more"): 4,
        ("registered", "less than 60 days ago"): 2,
        ("last seen", "7 days ago or more"): 1,
        ("last seen", "less than 7 days ago"): 5,
        ("gender", "F"): 3,
        ("gender", "M"): 1,
        ("gender", "unknown"): 2,
    }


def test_a_group_is_evaluated_by_its_own_customers(six_customers: pd.DataFrame) -> None:
    paid = six_customers.loc[("level", "paid")]
    assert (paid["churned"], paid["base_rate"]) == (3, 0.75)
    assert paid["mean_probability"] == pytest.approx(0.55)
    assert paid["auc"] == pytest.approx(2 / 3)
    assert paid["auc_difference"] == pytest.approx(2 / 3 - 8 / 9)
    assert paid["calibration_gap"] == pytest.approx(0.75 - 0.55)
    assert paid["calibration_gap_low"] < 0.2 < paid["calibration_gap_high"]
    assert 0 < paid["expected_calibration_error"] < 1


def test_a_group_with_too_few_churners_is_only_counted(
    six_customers: pd.DataFrame, many_customers: pd.DataFrame
) -> None:
    free = six_customers.loc[("level", "free")]
    assert (free["users"], free["churned"]) == (2, 0)
    assert free[COLUMNS].isna().all()
    new = many_customers.loc[("registered", "less than 60 days ago")]
    assert (new["users"], new["churned"] > 0) == (4, True)
    assert new[COLUMNS].isna().all()


def test_a_difference_is_computed_on_the_same_resamples(many_customers: pd.DataFrame) -> None:
    free, paid = many_customers.loc[("level", "free")], many_customers.loc[("level", "paid")]
    assert free["auc_difference"] < free["auc_difference_high"] < 0 < paid["auc_difference"]
    old = many_customers.loc[("registered", "60 days ago or more")]
    # The groups are almost the same, so the difference has a much narrower interval than the AUC.
    width, auc_width = (
        old[f"{name}_high"] - old[f"{name}_low"] for name in ("auc_difference", "auc")
    )
    assert width < auc_width / 5


def test_a_calibration_gap_is_the_churn_rate_minus_the_mean_forecast(
    many_customers: pd.DataFrame,
) -> None:
    free, paid = many_customers.loc[("level", "free")], many_customers.loc[("level", "paid")]
    assert 0.3 < free["calibration_gap_low"] < free["calibration_gap"] < 0.5
    assert paid["calibration_gap_low"] < 0 < paid["calibration_gap_high"]
