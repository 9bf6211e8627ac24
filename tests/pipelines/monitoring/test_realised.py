from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.monitoring import realised

DAYS = ["2018-11-07", "2018-11-14", "2018-11-21"]


@pytest.fixture(scope="module")
def settings(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return FeatureEngineeringParameters.model_validate(parameters["feature_engineering"])


def test_scores_mature_when_their_horizon_is_over() -> None:
    history: Any = dict.fromkeys(reversed(DAYS))
    assert realised.matured(history, date(2018, 11, 16), 10, 8) == []
    assert realised.matured(history, date(2018, 11, 17), 10, 8) == DAYS[:1]
    assert realised.matured(history, date(2018, 12, 1), 10, 8) == DAYS
    assert realised.matured(history, date(2018, 12, 1), 10, 2) == DAYS[1:]


def test_a_score_came_true_if_the_customer_left_within_the_horizon(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    first, second = (date.fromisoformat(day) for day in DAYS[:2])
    days = [
        ("stays", date(2018, 11, 1), 0),
        ("at_the_cutoff", date(2018, 11, 1), 0),
        ("at_the_cutoff", first, 1),
        ("last_day", date(2018, 11, 1), 0),
        ("last_day", date(2018, 11, 16), 1),
        ("too_late", date(2018, 11, 1), 0),
        ("too_late", date(2018, 11, 17), 1),
    ]
    user_days = spark.createDataFrame(
        days, "user_id string, day date, cancellations long"
    ).withColumn("ends_cancelled", F.col("cancellations") > 0)
    scored = [("stays", 0.1), ("at_the_cutoff", 0.2), ("last_day", 0.3), ("too_late", 0.4)]
    columns = ["user_id", "cutoff", "probability"]
    history = {
        DAYS[0]: lambda: pd.DataFrame([(u, first, p) for u, p in scored], columns=columns),
        DAYS[1]: lambda: pd.DataFrame([("too_late", second, 0.5)], columns=columns),
        DAYS[2]: lambda: pytest.fail("nobody asked for it"),
    }
    with_level = user_days.selectExpr("*", "'free' as level")
    found = realised.came_true(history, DAYS[:2], with_level, settings)
    assert found.columns.tolist() == [*columns, "churned"]
    churned = found.set_index([found["user_id"], found["cutoff"].astype(str)])["churned"]
    assert churned.to_dict() == {
        ("stays", DAYS[0]): False,
        ("at_the_cutoff", DAYS[0]): True,
        ("last_day", DAYS[0]): True,
        ("too_late", DAYS[0]): False,
        ("too_late", DAYS[1]): True,
    }


def predictions(churned: list[bool], probability: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": [str(number) for number in range(len(churned))],
            "cutoff": date(2018, 11, 21),
            "churned": churned,
            "probability": probability,
        }
    )


def test_churners_are_set_against_the_sum_of_probabilities(
    evaluation: EvaluationParameters,
) -> None:
    rows = predictions([True] * 3 + [False] * 97, [0.5] * 2 + [0.05] * 98)
    found = realised.judged(rows, 0.99, 1e9, evaluation.bootstrap)
    assert list(found) == realised.COLUMNS
    assert (found["cutoff"], found["customers"], found["churned"]) == ("2018-11-21", 100, 3)
    assert found["expected"] == pytest.approx(5.9)
    # Of a Poisson number of mean 5.9, half a percent is below 1 and half a percent above 13.
    assert (found["expected_low"], found["expected_high"]) == (1, 13)
    assert found["auc"] == pytest.approx((2 + 0.5) / 3)


@pytest.mark.parametrize(("churned", "is_known"), [(4, False), (5, True)])
def test_too_few_churners_leave_the_interval_of_the_auc_unknown(
    evaluation: EvaluationParameters, churned: int, is_known: bool
) -> None:
    rows = predictions([True] * churned + [False] * 45, [0.5] * 2 + [0.05] * (43 + churned))
    found = realised.judged(rows, 0.99, 50, evaluation.bootstrap)
    assert found["auc"] > 0.5
    assert (found["auc_low"] < found["auc"] < found["auc_high"]) is is_known
    assert pd.isna(found["auc_low"]) is not is_known


def test_what_few_churners_have_taught_is_less_certain(evaluation: EvaluationParameters) -> None:
    rows = predictions([True] * 50 + [False] * 950, [0.05] * 1_000)
    known, guessed = (
        realised.judged(rows, 0.99, learnt, evaluation.bootstrap) for learnt in (1e9, 50)
    )
    assert (known["expected_low"], known["expected_high"]) == (33, 69)
    # The variance is 50 + 50 ** 2 / 50: twice as large.
    assert guessed["expected_high"] - guessed["expected_low"] == pytest.approx(36 * 2**0.5, abs=2)


def test_a_churner_of_overlapping_horizons_counts_once(
    settings: FeatureEngineeringParameters,
) -> None:
    metrics = {"train": {"churned": 50}}
    assert settings.horizon_days / settings.cutoff_step_days == 10 / 7
    assert realised.learnt_from(metrics, settings) == pytest.approx(35)
    apart = settings.model_copy(update={"horizon_days": 5})
    assert realised.learnt_from(metrics, apart) == 50
    assert realised.learnt_from({"train": {"churned": 0}}, apart) == 1


def test_an_inactive_customer_counts_once_for_all_cutoffs_that_saw_it_before(
    settings: FeatureEngineeringParameters,
) -> None:
    inactivity = settings.model_copy(update={"outcome": "inactivity", "active_within_days": 35})
    assert realised.learnt_from({"train": {"churned": 50}}, inactivity) == 10


def test_a_score_of_inactivity_came_true_if_the_customer_was_not_seen(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    first = date.fromisoformat(DAYS[0])
    days = [
        ("comes", date(2018, 11, 1)),
        ("comes", date(2018, 11, 16)),
        ("too_late", date(2018, 11, 1)),
        ("too_late", date(2018, 11, 17)),
        ("away", date(2018, 11, 1)),
    ]
    user_days = spark.createDataFrame(days, "user_id string, day date").selectExpr(
        "*", "'free' as level", "0L as cancellations", "false as ends_cancelled"
    )
    columns = ["user_id", "cutoff", "probability"]
    scored = [(user, first, 0.1) for user in ("comes", "too_late", "away")]
    history = {DAYS[0]: lambda: pd.DataFrame(scored, columns=columns)}
    inactivity = settings.model_copy(update={"outcome": "inactivity"})
    found = realised.came_true(history, DAYS[:1], user_days, inactivity)
    churned = found.set_index("user_id")["churned"]
    assert churned.to_dict() == {"comes": False, "too_late": True, "away": True}


def test_where_nobody_churned_there_is_nothing_to_rank(evaluation: EvaluationParameters) -> None:
    found = realised.judged(predictions([False] * 5, [0.1] * 5), 0.99, 50, evaluation.bootstrap)
    assert found["churned"] == 0
    assert "auc" not in found
