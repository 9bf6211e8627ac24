from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.scoring.time_to_leave import (
    draw_time_to_leave,
    list_time_to_leave,
    summarize_time_to_leave,
)
from sparkify.schemas import CHURN_SCORES, KEYS, TIME_TO_LEAVE

CUTOFF = date(2018, 12, 1)


@pytest.fixture(scope="module")
def scores(spark: SparkSession) -> DataFrame:
    customers = [
        ("a", 0.19, "paid", "segment_1"),
        ("b", 0.75, "paid", "segment_2"),
        ("c", 0.02, "free", "segment_2"),
    ]
    rows = [
        (user, CUTOFF, probability, rank, 50.0, level, 1.0, segment, None, [], [])
        for rank, (user, probability, level, segment) in enumerate(customers)
    ]
    return spark.createDataFrame(rows, CHURN_SCORES.struct).cache()


@pytest.fixture(scope="module")
def curves(scores: DataFrame, card: dict[str, Any]) -> DataFrame:
    return list_time_to_leave(scores, card, 20).cache()


def test_curves_have_a_row_per_customer_and_day(curves: DataFrame) -> None:
    TIME_TO_LEAVE.validate(curves)
    rows = curves.toPandas().set_index(["user_id", "day"])["probability"]
    assert len(rows) == 60
    # The hazard is constant: after 5 and 20 days 1 - 0.81 ** (days / 10).
    assert rows["a", 5] == pytest.approx(0.1)
    assert rows["a", 10] == pytest.approx(0.19)
    assert rows["a", 20] == pytest.approx(1 - 0.81**2)


def test_curves_end_where_the_training_log_does(scores: DataFrame, card: dict[str, Any]) -> None:
    days = list_time_to_leave(scores, card, 99).agg({"day": "max"}).collect()
    assert days[0][0] == 40


def test_curves_are_summarised_by_level_and_segment(curves: DataFrame, scores: DataFrame) -> None:
    summary = summarize_time_to_leave(curves, scores)
    at_horizon = summary[summary["day"] == 10].drop(columns=["day", "p10", "p90"])
    assert at_horizon.to_numpy().tolist() == [
        ["all", "all", 3, 0.32],
        ["level", "free", 1, 0.02],
        ["level", "paid", 2, 0.47],
        ["segment", "segment_1", 1, 0.19],
        ["segment", "segment_2", 2, 0.385],
    ]
    again = summarize_time_to_leave(curves.repartition(3, *KEYS), scores)
    pd.testing.assert_frame_equal(again, summary)


def test_a_model_without_segments_has_curves_by_level(
    curves: DataFrame, scores: DataFrame, card: dict[str, Any]
) -> None:
    without = scores.withColumn("segment", F.lit(None).cast("string"))
    summary = summarize_time_to_leave(curves, without)
    assert list(summary["value"].unique()) == ["all", "free", "paid"]
    figure = draw_time_to_leave(summary, card)
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "Days after the cutoff"]


def test_the_figure_has_a_curve_per_group(
    curves: DataFrame, scores: DataFrame, card: dict[str, Any]
) -> None:
    figure = draw_time_to_leave(summarize_time_to_leave(curves, scores), card)
    labels = [[text.get_text() for text in axes.get_legend().get_texts()] for axes in figure.axes]
    assert labels == [
        ["free (1)", "paid (2)", "all customers"],
        ["segment 1 (1)", "segment 2 (2)", "all customers"],
    ]
