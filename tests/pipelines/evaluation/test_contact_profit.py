import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from sparkify.pipelines.evaluation.contact_profit import _compute_intervals
from sparkify.pipelines.evaluation.nodes import estimate_contact_profit
from sparkify.pipelines.evaluation.parameters import EvaluationParameters

# Three of ten customers churn: ranks 1, 2 and 5 by the forecast, 1, 9 and 10 by the rule.
PROBABILITY = [0.9, 0.8, 0.5, 0.4, 0.3, 0.2, 0.1, 0.08, 0.06, 0.05]
CHURNED = [True, True, False, False, True, False, False, False, False, False]
SONGS = [10, 1, 8, 7, 2, 6, 5, 4, 3, 9]


def estimate_profit(
    spark: SparkSession, evaluation: EvaluationParameters, min_churned: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    rows = pd.DataFrame(
        {
            "user_id": list("abcdefghij"),
            "cutoff": date(2018, 11, 21),
            "churned": CHURNED,
            "probability": PROBABILITY,
            "baseline_most_songs": [float(songs) for songs in SONGS],
        }
    )
    # Contacting a churner gains 0.5 * $20 - $4 = +6, contacting anyone else -4.
    costs = {"contact_cost": 4, "contact_success": 0.5, "kept_customer_value": 20}
    settings = evaluation.model_copy(
        update={
            "decision": evaluation.decision.model_copy(update=costs),
            "bootstrap_resamples": 200,
            "min_interval_churned": min_churned,
        }
    )
    shuffled = spark.createDataFrame(rows.sample(frac=1, random_state=1))
    return estimate_contact_profit(shuffled, {"f1_threshold": 0.35}, settings)


@pytest.fixture(scope="module")
def estimated(
    spark: SparkSession, evaluation: EvaluationParameters
) -> tuple[pd.DataFrame, dict[str, Any]]:
    return estimate_profit(spark, evaluation, min_churned=3)


def test_profit_rises_with_kept_churners_and_falls_with_contacts(
    estimated: tuple[pd.DataFrame, dict[str, Any]],
) -> None:
    table, _ = estimated
    assert table["contacted"].tolist() == list(range(11))
    assert table["churned"].tolist() == [0, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3]
    assert table["probability"].tolist() == [PROBABILITY[0], *PROBABILITY]
    assert table["profit"].tolist() == [0, 6, 12, 8, 4, 10, 6, 2, -2, -6, -10]
    assert table["at_random"].tolist() == pytest.approx([-n for n in range(11)])
    assert table["most_songs"].tolist() == [0, 6, 2, -2, -6, -10, -14, -18, -22, -16, -10]
    assert (table["profit_low"] <= table["profit"]).all()
    assert (table["profit"] <= table["profit_high"]).all()


def test_the_plan_compares_the_best_number_with_the_alternatives(
    estimated: tuple[pd.DataFrame, dict[str, Any]],
) -> None:
    _, plan = estimated
    assert (plan["best"]["contacted"], plan["best"]["profit"]["value"]) == (2, 12)
    low, high = plan["best"]["contacted_ci95"]
    assert 0 <= low <= 2 <= high <= 10
    assert (plan["in_use"]["contacted"], plan["in_use"]["profit"]["value"]) == (4, 4)
    assert plan["in_use"]["threshold"] == plan["threshold"] == 0.35
    assert (plan["threshold_by"], plan["contact_cost"]) == ("f1", 4)
    assert plan["at_random"] == {"contacted": 4, "profit": -4}
    assert plan["all_customers"] == {"contacted": 10, "profit": -10}
    assert plan["baselines"] == {"most_songs": {"contacted": 1, "profit": 6}}
    assert plan["customers"] == 10
    json.dumps(plan, allow_nan=False)


def test_too_few_churners_leave_profits_without_intervals(
    spark: SparkSession, evaluation: EvaluationParameters
) -> None:
    table, plan = estimate_profit(spark, evaluation, min_churned=4)
    assert table["profit"].tolist() == [0, 6, 12, 8, 4, 10, 6, 2, -2, -6, -10]
    assert table[["profit_low", "profit_high"]].isna().all(axis=None)
    assert plan["best"]["profit"] == {"value": 12, "ci95": None}
    assert plan["best"]["contacted_ci95"] is None


def test_a_profit_that_is_the_same_in_every_resample_has_no_interval() -> None:
    sampled = np.array([[0.0, -4.0, -8.0], [0.0, -4.0, 2.0]])
    low, high = _compute_intervals(sampled, np.array([0, 1, 2]), has_enough=True)
    assert np.isnan([low[1], high[1]]).all()
    assert (low[0], high[0]) == (0, 0)
    assert low[2] < high[2]
