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


def create_forecasts(*groups: tuple[int, float, int, int]) -> pd.DataFrame:
    """Return predictions by (fold, probability, rows, churned rows)."""
    rows = [
        (fold, probability, place < churned)
        for fold, probability, count, churned in groups
        for place in range(count)
    ]
    return pd.DataFrame(rows, columns=["fold", "probability", "churned"]).assign(repeat=0)


# In each of two folds, churn rates equal the forecasts.
CALIBRATED = create_forecasts(
    *[(fold, p, 10, round(10 * p)) for fold in (0, 1) for p in (0.1, 0.5, 0.9)]
)
# Forecasts of 0.01 and 0.99, where 0.1 and 0.9 churn.
OVER_CONFIDENT = CALIBRATED.assign(
    probability=CALIBRATED["probability"].replace({0.1: 0.01, 0.9: 0.99})
)
SEPARABLE = create_forecasts((0, 0.1, 5, 0), (1, 0.2, 5, 0), (0, 0.8, 5, 5), (1, 0.9, 5, 5))


@pytest.fixture(scope="module")
def over_confident() -> pd.DataFrame:
    """Return 1,200 over-confident forecasts, with three times the true log-odds."""
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


def create_rows(spark: SparkSession, probabilities: list[float]) -> DataFrame:
    rows = list(enumerate(probabilities))
    return spark.createDataFrame(rows, ["place", "uncalibrated"])


def predict_calibrated(
    spark: SparkSession,
    out_of_fold: pd.DataFrame,
    method: str,
    new: list[float],
) -> pd.DataFrame:
    """Calibrate `new` probabilities with the stages that a method learns out of fold."""
    parameters = json.loads(json.dumps(learn_calibration(spark, out_of_fold, method)))
    stages = build_calibration_stages(spark, method, parameters)
    rows = PipelineModel(stages).transform(create_rows(spark, new))
    return rows.orderBy("place").select("probability").toPandas()


def test_platt_estimates_the_slope_of_over_confident_forecasts() -> None:
    churned, probability = OVER_CONFIDENT["churned"], OVER_CONFIDENT["probability"]
    slope, intercept = fit_platt(churned.to_numpy(float), probability.to_numpy(float))
    # Forecast odds of 99 have observed odds of 9.
    assert slope == pytest.approx(log(9) / log(99), abs=1e-9)
    assert intercept == pytest.approx(0, abs=1e-9)


def test_platt_does_not_change_separable_forecasts() -> None:
    assert calibrate(SEPARABLE, "platt").tolist() == pytest.approx(
        SEPARABLE["probability"].tolist()
    )


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_calibration_corrects_over_confident_forecasts(spark: SparkSession, method: str) -> None:
    calibrated = predict_calibrated(spark, OVER_CONFIDENT, method, [0.01, 0.5, 0.99])
    assert calibrated["probability"].tolist() == pytest.approx([0.1, 0.5, 0.9], abs=1e-3)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_calibration_improves_the_log_loss_of_held_out_rows(
    spark: SparkSession, over_confident: pd.DataFrame, method: str
) -> None:
    learnt, held_out = (
        over_confident[over_confident["fold"] == 0],
        over_confident[over_confident["fold"] == 1],
    )
    calibrated = predict_calibrated(spark, learnt, method, held_out["probability"].tolist())
    before = log_loss(held_out["churned"], held_out["probability"])
    assert log_loss(held_out["churned"], calibrated["probability"]) < before - 0.1


def test_a_calibration_is_selected_for_over_confident_forecasts(
    over_confident: pd.DataFrame,
) -> None:
    assert select_calibration(over_confident, METHODS) == "platt"
    assert select_calibration(over_confident, ("none", "isotonic")) == "isotonic"


def test_none_is_selected_for_calibrated_forecasts() -> None:
    assert select_calibration(CALIBRATED, METHODS) == "none"


def test_a_calibration_is_evaluated_on_held_out_folds() -> None:
    # A calibration of both folds would separate the groups, but each fold has only one.
    two_groups = create_forecasts((0, 0.5, 4, 3), (1, 0.45, 4, 1))
    assert select_calibration(two_groups, METHODS) == "none"


def test_a_fold_is_calibrated_without_other_repeats() -> None:
    first_repeat = create_forecasts((0, 0.5, 4, 3), (1, 0.45, 4, 1))
    second_repeat = first_repeat.assign(repeat=1, fold=1 - first_repeat["fold"])
    assert (
        select_calibration(pd.concat([first_repeat, second_repeat], ignore_index=True), METHODS)
        == "none"
    )


def test_only_listed_methods_are_selected() -> None:
    assert select_calibration(OVER_CONFIDENT, ("none",)) == "none"
    assert select_calibration(CALIBRATED, ("isotonic",)) == "isotonic"


def test_method_none_keeps_the_classifier_s_probabilities(spark: SparkSession) -> None:
    calibrated = predict_calibrated(spark, OVER_CONFIDENT, "none", [0.01, 0.3, 0.99])
    assert calibrated["probability"].tolist() == [0.01, 0.3, 0.99]


@pytest.mark.parametrize("method", METHODS)
def test_the_stages_match_the_calibration_of_the_f1_threshold(
    spark: SparkSession, over_confident: pd.DataFrame, method: str
) -> None:
    tied = over_confident.assign(
        probability=over_confident["probability"].round(2).clip(0.01, 0.99)
    )
    calibrated = predict_calibrated(spark, tied, method, tied["probability"].tolist())
    expected = calibrate(tied, method)
    assert calibrated["probability"].tolist() == pytest.approx(expected.tolist(), abs=2e-6)


@pytest.mark.parametrize(
    "method",
    [
        "none",
        "platt",
        "isotonic",
    ],
)
def test_probabilities_are_never_0_or_1(spark: SparkSession, method: str) -> None:
    calibrated = predict_calibrated(spark, SEPARABLE, method, [1e-6, 0.1, 0.9, 1 - 1e-6])
    assert calibrated["probability"].min() >= 1e-6
    assert calibrated["probability"].max() <= 1 - 1e-6
    assert calibrated["probability"].is_monotonic_increasing


def test_a_calibration_adds_only_a_probability(spark: SparkSession) -> None:
    rows = create_rows(spark, [0.3])
    for method in METHODS:
        parameters = learn_calibration(spark, CALIBRATED, method)
        stages = build_calibration_stages(spark, method, parameters)
        added = PipelineModel(stages).transform(rows).columns
        assert set(added) - {*rows.columns, "isotonic"} == {"probability"}


def test_without_churners_calibration_changes_nothing() -> None:
    no_churners = create_forecasts((0, 0.1, 5, 0), (1, 0.2, 5, 0))
    for method in METHODS:
        assert calibrate(no_churners, method).tolist() == no_churners["probability"].tolist()


def test_a_calibration_that_reverses_the_ranking_is_not_selected() -> None:
    reversed_forecasts = CALIBRATED.assign(probability=1 - CALIBRATED["probability"])
    assert select_calibration(reversed_forecasts, ("none", "platt")) == "none"


def test_an_isotonic_calibration_is_restored_from_its_points(
    spark: SparkSession, over_confident: pd.DataFrame
) -> None:
    parameters = learn_calibration(spark, over_confident, "isotonic")
    isotonic, _ = build_calibration_stages(spark, "isotonic", parameters)
    assert isotonic.boundaries.toArray().tolist() == parameters["boundaries"]
    assert isotonic.predictions.toArray().tolist() == parameters["predictions"]
    assert len(parameters["boundaries"]) > 10
