from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.ml.bootstrap import Bootstrap
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.pipelines.validation import curves, nodes
from sparkify.pipelines.validation.parameters import ValidationParameters

HOLDOUT = date(2018, 11, 21)
CUTOFFS = [HOLDOUT - timedelta(days=7 * week) for week in range(5, -1, -1)]
LOG_END = HOLDOUT + timedelta(days=10)
CHAMPION = {
    "candidate": "logistic_regression",
    "settings": {"regParam": 0.3, "tol": 0.0001},
    "label": "logistic regression",
    "calibration": "none",
    "imbalance": "none",
    "training": {"fingerprint": "00f1-160"},
}


def test_each_day_is_evaluated_on_the_last_cutoff_that_shows_it() -> None:
    assert curves.group_days((30, 7, 14, 10, 99), CUTOFFS, LOG_END) == {
        HOLDOUT: [7, 10],
        date(2018, 11, 14): [14],
        date(2018, 10, 31): [30],
    }


def test_a_day_is_scored_with_censoring_weights() -> None:
    customers = pd.DataFrame(
        {
            "user_id": list("abcdef"),
            "left_on_day": [1, np.nan, 3, np.nan, np.nan, np.nan],
            "follow_up_days": [9, 9, 9, 1, 9, 9],
        }
    )
    good, flat = np.array([0.6, 0.1, 0.5, 0.2, 0.1, 0.2]), np.full(6, 0.4)
    forecasts = {
        curves.CURVE: np.outer(good, [0.5, 0.8, 1]),
        curves.ALL: np.outer(flat, [0.5, 0.8, 1]),
    }
    curve, of_all = curves.score_day(customers, forecasts, 3, Bootstrap(50, 7, 2))
    assert (curve["customers"], curve["left"]) == (6, 2)
    assert curve["observed"] == pytest.approx(1 - 5 / 6 * 3 / 4)
    assert (curve["auc"], of_all["auc"]) == (1, 0.5)
    # d is no longer observed: each of b, c, e and f stands for 1.25 customers.
    squares = 0.4**2 + 1.25 * (0.1**2 + 0.5**2 + 0.1**2 + 0.2**2)
    assert curve["brier"] == pytest.approx(squares / 6)
    assert curve["brier_low"] <= curve["brier"] <= curve["brier_high"]


@pytest.fixture(scope="module")
def user_days(spark: SparkSession) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Return user days, snapshots and features; users with few thumbs up leave earlier."""
    random = np.random.default_rng(4)
    days, snapshots, features = [], [], []
    for number in range(300):
        user, rate = f"u{number}", random.uniform(0.005, 0.09)
        hazard = 0.04 * np.exp(-40 * rate)
        left = CUTOFFS[0] - timedelta(days=7) + timedelta(days=int(random.exponential(1 / hazard)))
        days += [(user, CUTOFFS[0] - timedelta(days=9), 0, 0)]
        days += [(user, left, 1, 0)] if left < LOG_END else []
        for cutoff in CUTOFFS:
            if left >= cutoff:
                churned = left < cutoff + timedelta(days=10)
                songs = float(random.integers(100, 400))
                snapshots += [(user, cutoff, churned)]
                features += [(user, cutoff, songs, round(songs * rate), 1.0, 2.0)]
    return (
        spark.createDataFrame(
            days, "user_id string, day date, cancellations bigint, submit_downgrade bigint"
        ).cache(),
        spark.createDataFrame(snapshots, "user_id string, cutoff date, churned boolean").cache(),
        spark.createDataFrame(
            pd.DataFrame(
                features,
                columns=[
                    *("user_id", "cutoff", "next_song", "thumbs_up"),
                    *("is_paid", "days_since_last_seen"),
                ],
            )
        ).cache(),
    )


def test_curves_are_trained_before_the_cutoff_and_evaluated_after_it(
    user_days: tuple[DataFrame, DataFrame, DataFrame],
    parameters: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
) -> None:
    days, snapshots, features = user_days
    validation: ValidationParameters = parameters["validation"]
    settings = evaluation.model_copy(update={"bootstrap_resamples": 20})
    metrics, calibration, summary = nodes.evaluate_time_to_leave(
        *(features, snapshots, days, CHAMPION, inputs, modelling, settings),
        *(parameters["feature_engineering"], validation),
    )
    assert list(metrics) == curves.METRIC_COLUMNS
    curve = metrics[metrics["predictor"] == curves.CURVE].set_index("day")
    assert curve["cutoff"].to_dict() == {
        **{7: "2018-11-21", 10: "2018-11-21"},
        **{14: "2018-11-14", 30: "2018-10-31"},
    }
    # Of the cutoffs from 2018-10-17 on, only the first one's horizon ends by 2018-10-31.
    assert curve["training_cutoffs"].to_dict() == {7: 4, 10: 4, 14: 3, 30: 1}
    assert curve["shown_days"].to_dict() == {7: 10, 10: 10, 14: 14, 30: 14}
    assert (curve["auc"] > 0.55).all()
    assert (abs(curve["observed"] - curve["mean_forecast"]) < 0.12).all()
    of_all = metrics[metrics["predictor"] == curves.ALL].set_index("day")
    assert of_all["auc"].tolist() == [0.5] * 4
    assert calibration.groupby("cutoff")["day"].max().to_dict() == {
        **{"2018-10-31": 30, "2018-11-14": 14, "2018-11-21": 10}
    }
    assert summary["fingerprint"] == "00f1-160"
    assert len(summary["rows"]) == 12
    figure = curves.draw_curve_evaluation(metrics, calibration)
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "Share who have left",
        "AUC: left by this day",
    ]


def test_the_title_of_the_figure_compares_the_last_day() -> None:
    shares = {"cutoff": "2018-10-31", "observed": [0.01, 0.1109], curves.CURVE: [0.01, 0.109]}
    calibration = pd.DataFrame({"day": [1, 30], **shares})
    metrics = pd.DataFrame(columns=curves.METRIC_COLUMNS)
    title = curves.draw_curve_evaluation(metrics, calibration).texts[0].get_text()
    assert title == "By day 30, 11.1 % had left; the curves forecast 10.9 %"
    empty = curves.draw_curve_evaluation(metrics, calibration[:0])
    assert empty.texts[0].get_text() == "Curves of leaving"


def test_outcomes_after_the_cutoff_do_not_change_the_training(
    user_days: tuple[DataFrame, DataFrame, DataFrame],
    parameters: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> None:
    days, snapshots, features = user_days
    first = snapshots.where("cutoff = '2018-10-17'").join(features, on=["user_id", "cutoff"])
    cutoff = date(2018, 10, 31)
    trained = [
        curves.CurveStudy(
            known, CHAMPION, inputs, modelling, parameters["feature_engineering"]
        ).train(first, cutoff, 30)
        for known in (days, days.where("day < '2018-10-31'"))
    ]
    assert trained[0].curve == trained[1].curve
