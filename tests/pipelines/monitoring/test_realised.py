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
    assert realised.list_matured_cutoffs(history, date(2018, 11, 16), 10, 8) == []
    assert realised.list_matured_cutoffs(history, date(2018, 11, 17), 10, 8) == DAYS[:1]
    assert realised.list_matured_cutoffs(history, date(2018, 12, 1), 10, 8) == DAYS
    assert realised.list_matured_cutoffs(history, date(2018, 12, 1), 10, 2) == DAYS[1:]


def test_a_cancellation_within_the_horizon_is_the_outcome(
    spark: SparkSession, settings: FeatureEngineeringParameters, evaluation: EvaluationParameters
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
    probabilities = [("stays", 0.1), ("at_the_cutoff", 0.2), ("last_day", 0.3), ("too_late", 0.4)]
    columns = ["user_id", "cutoff", "probability"]
    history = {
        DAYS[0]: spark.createDataFrame([(u, first, p) for u, p in probabilities], columns),
        DAYS[1]: spark.createDataFrame([("too_late", second, 0.5)], columns),
    }
    with_level = user_days.selectExpr("*", "'free' as level")
    result = realised.add_outcomes(history, with_level, settings, evaluation)
    assert result.columns.tolist() == [*columns, "churned", "scored"]
    assert result["scored"].tolist() == [4, 4, 4, 4, 1]
    churned = result.set_index([result["user_id"], result["cutoff"].astype(str)])["churned"]
    assert churned.to_dict() == {
        ("stays", DAYS[0]): False,
        ("at_the_cutoff", DAYS[0]): True,
        ("last_day", DAYS[0]): True,
        ("too_late", DAYS[0]): False,
        ("too_late", DAYS[1]): True,
    }


def test_too_many_past_scores_are_sampled_by_user(
    spark: SparkSession, settings: FeatureEngineeringParameters, evaluation: EvaluationParameters
) -> None:
    cutoffs = [date.fromisoformat(day) for day in DAYS[:2]]
    users = [f"u{number}" for number in range(200)]
    days = [(user, date(2018, 11, 1), 0, False, "free") for user in users]
    user_days = spark.createDataFrame(
        days,
        "user_id string, day date, cancellations long, ends_cancelled boolean, level string",
    )
    history = {
        str(cutoff): spark.createDataFrame(
            [(user, cutoff, 0.1) for user in users],
            "user_id string, cutoff date, probability double",
        )
        for cutoff in cutoffs
    }
    few = evaluation.model_copy(update={"max_customers": 100})
    result = realised.add_outcomes(history, user_days, settings, few)
    first, second = (result[result["cutoff"] == cutoff] for cutoff in cutoffs)
    assert 25 <= len(first) <= 75
    assert first["user_id"].tolist() == second["user_id"].tolist()
    assert set(result["scored"]) == {200}
    row = realised.evaluate_scores(first, 0.99, 50, evaluation.bootstrap)
    assert (row["customers"], row["scored"]) == (len(first), 200)


def create_scores(churned: list[bool], probability: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "user_id": [str(number) for number in range(len(churned))],
            "cutoff": date(2018, 11, 21),
            "scored": len(churned),
            "churned": churned,
            "probability": probability,
        }
    )


def test_churners_are_compared_with_the_sum_of_probabilities(
    evaluation: EvaluationParameters,
) -> None:
    rows = create_scores([True] * 3 + [False] * 97, [0.5] * 2 + [0.05] * 98)
    result = realised.evaluate_scores(rows, 0.99, 1e9, evaluation.bootstrap)
    assert list(result) == realised.COLUMNS
    assert (result["cutoff"], result["customers"], result["churned"]) == ("2018-11-21", 100, 3)
    assert result["expected"] == pytest.approx(5.9)
    # Of a Poisson number of mean 5.9, half a percent is below 1 and half a percent above 13.
    assert (result["expected_low"], result["expected_high"]) == (1, 13)
    assert result["auc"] == pytest.approx((2 + 0.5) / 3)


@pytest.mark.parametrize(("churned", "is_known"), [(4, False), (5, True)])
def test_with_few_churners_the_auc_has_no_interval(
    evaluation: EvaluationParameters, churned: int, is_known: bool
) -> None:
    rows = create_scores([True] * churned + [False] * 45, [0.5] * 2 + [0.05] * (43 + churned))
    result = realised.evaluate_scores(rows, 0.99, 50, evaluation.bootstrap)
    assert result["auc"] > 0.5
    assert (result["auc_low"] < result["auc"] < result["auc_high"]) is is_known
    assert pd.isna(result["auc_low"]) is not is_known


def test_fewer_training_churners_make_a_wider_interval(evaluation: EvaluationParameters) -> None:
    rows = create_scores([True] * 50 + [False] * 950, [0.05] * 1_000)
    certain, uncertain = (
        realised.evaluate_scores(rows, 0.99, n, evaluation.bootstrap) for n in (1e9, 50)
    )
    assert (certain["expected_low"], certain["expected_high"]) == (33, 69)
    # The variance is 50 + 50 ** 2 / 50: twice as large.
    assert uncertain["expected_high"] - uncertain["expected_low"] == pytest.approx(
        36 * 2**0.5, abs=2
    )


def test_a_churner_of_overlapping_horizons_counts_once(
    settings: FeatureEngineeringParameters,
) -> None:
    assert settings.horizon_days / settings.cutoff_step_days == 10 / 7
    assert realised.count_training_churners(50, settings) == pytest.approx(35)
    apart = settings.model_copy(update={"horizon_days": 5})
    assert realised.count_training_churners(50, apart) == 50
    assert realised.count_training_churners(0, apart) == 1


def test_an_inactive_customer_of_several_cutoffs_counts_once(
    settings: FeatureEngineeringParameters,
) -> None:
    inactivity = settings.model_copy(update={"outcome": "inactivity", "active_within_days": 35})
    assert realised.count_training_churners(50, inactivity) == 10


def test_absence_within_the_horizon_is_the_outcome_for_inactivity(
    spark: SparkSession, settings: FeatureEngineeringParameters, evaluation: EvaluationParameters
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
    probabilities = [(user, first, 0.1) for user in ("comes", "too_late", "away")]
    history = {DAYS[0]: spark.createDataFrame(probabilities, columns)}
    inactivity = settings.model_copy(update={"outcome": "inactivity"})
    result = realised.add_outcomes(history, user_days, inactivity, evaluation)
    churned = result.set_index("user_id")["churned"]
    assert churned.to_dict() == {"comes": False, "too_late": True, "away": True}


def test_without_churners_there_is_no_auc(evaluation: EvaluationParameters) -> None:
    result = realised.evaluate_scores(
        create_scores([False] * 5, [0.1] * 5), 0.99, 50, evaluation.bootstrap
    )
    assert result["churned"] == 0
    assert "auc" not in result
