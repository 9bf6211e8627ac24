import json
from math import log

import numpy as np
import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from sklearn.metrics import log_loss

from sparkify.ml.calibration import (
    build_calibration_stages,
    calibrate,
    fit_platt,
    learn_calibration,
    select_calibration,
)

METHODS = ("none", "platt", "isotonic")


def forecasts(*groups: tuple[int, float, int, int]) -> pd.DataFrame:
    """Return predictions by (fold, probability, rows, how many of them churned)."""
    rows = [
        (fold, probability, place < churned)
        for fold, probability, count, churned in groups
        for place in range(count)
    ]
    return pd.DataFrame(rows, columns=["fold", "probability", "churned"]).assign(repeat=0)


# In each of two folds what is forecast happens.
RIGHT = forecasts(*[(fold, p, 10, round(10 * p)) for fold in (0, 1) for p in (0.1, 0.5, 0.9)])
# Forecast as certain, and one in ten is not so.
OVER_CONFIDENT = RIGHT.assign(probability=RIGHT["probability"].replace({0.1: 0.01, 0.9: 0.99}))
SEPARABLE = forecasts((0, 0.1, 5, 0), (1, 0.2, 5, 0), (0, 0.8, 5, 5), (1, 0.9, 5, 5))


@pytest.fixture(scope="module")
def drawn() -> pd.DataFrame:
    """Return 1,200 over-confident forecasts: three times the log-odds that come true."""
    random = np.random.default_rng(5)
    log_odds = random.normal(-1, 1, 1_200)
    return pd.DataFrame(
        {
            "repeat": 0,
            "fold": np.arange(1_200) % 2,
            "probability": 1 / (1 + np.exp(-3 * log_odds)),
            "churned": random.random(1_200) < 1 / (1 + np.exp(-log_odds)),
        }
    )


def raw(spark: SparkSession, probabilities: list[float]) -> DataFrame:
    rows = list(enumerate(probabilities))
    return spark.createDataFrame(rows, ["place", "uncalibrated"])


def staged(
    spark: SparkSession,
    out_of_fold: pd.DataFrame,
    method: str,
    new: list[float],
) -> pd.DataFrame:
    """Forecast `new` with the stages that a method learns from predictions out of fold."""
    parameters = json.loads(json.dumps(learn_calibration(spark, out_of_fold, method)))
    stages = build_calibration_stages(spark, method, parameters)
    rows = PipelineModel(stages).transform(raw(spark, new))
    return rows.orderBy("place").select("probability").toPandas()


def test_platt_finds_by_how_much_forecasts_are_too_extreme() -> None:
    churned, probability = OVER_CONFIDENT["churned"], OVER_CONFIDENT["probability"]
    slope, intercept = fit_platt(churned.to_numpy(float), probability.to_numpy(float))
    # Odds of 99 came true as odds of 9.
    assert slope == pytest.approx(log(9) / log(99), abs=1e-9)
    assert intercept == pytest.approx(0, abs=1e-9)


def test_platt_leaves_forecasts_that_separate_churners_from_others() -> None:
    assert calibrate(SEPARABLE, "platt").tolist() == pytest.approx(
        SEPARABLE["probability"].tolist()
    )


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_calibration_makes_over_confident_forecasts_come_true(
    spark: SparkSession, method: str
) -> None:
    found = staged(spark, OVER_CONFIDENT, method, [0.01, 0.5, 0.99])
    assert found["probability"].tolist() == pytest.approx([0.1, 0.5, 0.9], abs=1e-3)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_calibration_improves_the_log_loss_of_what_it_has_not_learnt_from(
    spark: SparkSession, drawn: pd.DataFrame, method: str
) -> None:
    learnt, held_out = drawn[drawn["fold"] == 0], drawn[drawn["fold"] == 1]
    found = staged(spark, learnt, method, held_out["probability"].tolist())
    before = log_loss(held_out["churned"], held_out["probability"])
    assert log_loss(held_out["churned"], found["probability"]) < before - 0.1


def test_over_confident_forecasts_are_calibrated(drawn: pd.DataFrame) -> None:
    assert select_calibration(drawn, METHODS) == "platt"
    assert select_calibration(drawn, ("none", "isotonic")) == "isotonic"


def test_forecasts_that_come_true_are_left_alone() -> None:
    assert select_calibration(RIGHT, METHODS) == "none"


def test_a_calibration_is_judged_on_folds_that_it_has_not_learnt_from() -> None:
    # Known together the groups would be told apart; neither fold knows of the other's.
    apart = forecasts((0, 0.5, 4, 3), (1, 0.45, 4, 1))
    assert select_calibration(apart, METHODS) == "none"


def test_a_calibration_is_not_judged_on_users_that_another_repeat_has_shown_it() -> None:
    once = forecasts((0, 0.5, 4, 3), (1, 0.45, 4, 1))
    again = once.assign(repeat=1, fold=1 - once["fold"])
    assert select_calibration(pd.concat([once, again], ignore_index=True), METHODS) == "none"


def test_only_methods_that_are_asked_for_are_taken() -> None:
    assert select_calibration(OVER_CONFIDENT, ("none",)) == "none"
    assert select_calibration(RIGHT, ("isotonic",)) == "isotonic"


def test_uncalibrated_forecasts_are_a_classifier_s_own(spark: SparkSession) -> None:
    found = staged(spark, OVER_CONFIDENT, "none", [0.01, 0.3, 0.99])
    assert found["probability"].tolist() == [0.01, 0.3, 0.99]


@pytest.mark.parametrize("method", METHODS)
def test_a_model_calibrates_as_its_f1_threshold_was_found(
    spark: SparkSession, drawn: pd.DataFrame, method: str
) -> None:
    tied = drawn.assign(probability=drawn["probability"].round(2).clip(0.01, 0.99))
    found = staged(spark, tied, method, tied["probability"].tolist())
    expected = calibrate(tied, method)
    assert found["probability"].tolist() == pytest.approx(expected.tolist(), abs=2e-6)


@pytest.mark.parametrize(
    "method",
    [
        "none",
        "platt",
        "isotonic",
    ],
)
def test_no_forecast_is_certain(spark: SparkSession, method: str) -> None:
    found = staged(spark, SEPARABLE, method, [1e-6, 0.1, 0.9, 1 - 1e-6])
    assert found["probability"].min() >= 1e-6
    assert found["probability"].max() <= 1 - 1e-6
    assert found["probability"].is_monotonic_increasing


def test_a_calibration_adds_a_probability_and_no_decision(spark: SparkSession) -> None:
    rows = raw(spark, [0.3])
    for method in METHODS:
        parameters = learn_calibration(spark, RIGHT, method)
        stages = build_calibration_stages(spark, method, parameters)
        added = PipelineModel(stages).transform(rows).columns
        assert set(added) - {*rows.columns, "isotonic"} == {"probability"}


def test_without_churners_to_learn_from_nothing_is_calibrated() -> None:
    nobody = forecasts((0, 0.1, 5, 0), (1, 0.2, 5, 0))
    for method in METHODS:
        assert calibrate(nobody, method).tolist() == nobody["probability"].tolist()


def test_no_calibration_turns_the_ranking_around() -> None:
    reversed_forecasts = RIGHT.assign(probability=1 - RIGHT["probability"])
    assert select_calibration(reversed_forecasts, ("none", "platt")) == "none"


def test_an_isotonic_calibration_is_made_again_from_its_points(
    spark: SparkSession, drawn: pd.DataFrame
) -> None:
    parameters = learn_calibration(spark, drawn, "isotonic")
    isotonic, _ = build_calibration_stages(spark, "isotonic", parameters)
    assert isotonic.boundaries.toArray().tolist() == parameters["boundaries"]
    assert isotonic.predictions.toArray().tolist() == parameters["predictions"]
    assert len(parameters["boundaries"]) > 10
