from datetime import date

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from sparkify.pipelines.modelling.groups import group_metrics
from sparkify.pipelines.modelling.parameters import ModellingParameters

CUTOFF = date(2018, 11, 21)


@pytest.fixture(scope="module")
def judged(spark: SparkSession, modelling: ModellingParameters) -> pd.DataFrame:
    rows = pd.DataFrame(
        # Three paid customers churn, of whom one is forecast low; no free one does.
        {
            "user_id": list("abcdef"),
            "churned": [True, True, True, False, False, False],
            "probability": [0.9, 0.2, 0.8, 0.3, 0.1, 0.1],
        }
    ).assign(cutoff=CUTOFF)
    features = pd.DataFrame(
        {
            "user_id": list("abcdef"),
            "cutoff": CUTOFF,
            "is_paid": [1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
            "account_age_days": [59.9, 60.0, 100.0, 100.0, 100.0, 1.0],
            "days_since_last_seen": [1.0, 7.0, 1.0, 1.0, 1.0, 1.0],
        }
    )
    days = spark.createDataFrame(
        [("a", date(2018, 11, 1), None), ("a", date(2018, 11, 2), "F")]
        + [(user, date(2018, 11, 1), "M") for user in "bcde"],
        "user_id string, day date, gender string",
    )
    frames = [spark.createDataFrame(table) for table in (rows, features)]
    return group_metrics(*frames, days, modelling).set_index(["group", "value"])


def test_customers_are_grouped_by_what_is_known_of_them(judged: pd.DataFrame) -> None:
    assert judged["users"].to_dict() == {
        ("level", "free"): 2,
        ("level", "paid"): 4,
        ("registered", "60 days ago or more"): 4,
        ("registered", "less than 60 days ago"): 2,
        ("last seen", "7 days ago or more"): 1,
        ("last seen", "less than 7 days ago"): 5,
        ("gender", "F"): 1,
        ("gender", "M"): 4,
        ("gender", "unknown"): 1,
    }


def test_a_group_is_judged_by_its_own_customers(judged: pd.DataFrame) -> None:
    paid = judged.loc[("level", "paid")]
    assert (paid["churned"], paid["base_rate"]) == (3, 0.75)
    assert paid["mean_probability"] == pytest.approx(0.55)
    assert paid["auc"] == pytest.approx(2 / 3)
    assert paid["auc_low"] <= paid["auc"] <= paid["auc_high"]
    assert 0 < paid["expected_calibration_error"] < 1


def test_a_group_with_too_few_churners_is_only_counted(judged: pd.DataFrame) -> None:
    free = judged.loc[("level", "free")]
    assert (free["users"], free["churned"]) == (2, 0)
    assert free[["auc", "auc_low", "auc_high", "expected_calibration_error"]].isna().all()
