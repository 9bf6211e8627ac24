from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.datasets import SparkMLModelDataset
from sparkify.pipelines.modelling.model_card import (
    add_card,
    compute_fingerprint,
    is_forecast,
    read_card,
    summarize_training,
)

CARD = {
    "candidate": "logistic_regression",
    "f1_threshold": 0.1,
    "prediction_task": {"horizon_days": 10},
}


def test_a_saved_model_has_its_card_and_predicts_as_before(
    fitted: Callable[[str], PipelineModel], train: DataFrame, tmp_path: Path
) -> None:
    model = fitted("logistic_regression")
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "model"))
    dataset.save(add_card(model, CARD))
    loaded = dataset.load()
    assert read_card(loaded) == CARD
    before, after = (
        one.transform(train).select("user_id", "cutoff", "uncalibrated") for one in (model, loaded)
    )
    assert sorted(before.collect()) == sorted(after.collect())


def test_a_model_without_a_card_has_an_empty_one(fitted: Callable[[str], PipelineModel]) -> None:
    assert read_card(fitted("logistic_regression")) == {}


def test_training_rows_are_summarised(train: DataFrame) -> None:
    summary = summarize_training(train)
    churned = train.where("churned").count()
    assert summary == {
        "snapshots": 160,
        "users": 80,
        "churned": churned,
        "first_cutoff": "2018-10-31",
        "last_cutoff": "2018-11-07",
        "base_rate": churned / 160,
        "fingerprint": compute_fingerprint(train),
    }


def test_a_fingerprint_depends_on_the_rows_but_not_on_their_order(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [("a", date(2018, 11, 7), 1.0), ("b", date(2018, 11, 7), 2.0)],
        "user_id string, cutoff date, songs double",
    )
    name = compute_fingerprint(rows)
    assert compute_fingerprint(rows.repartition(3).orderBy(F.desc("songs"))) == name
    assert compute_fingerprint(rows.select("songs", "cutoff", "user_id")) == name
    assert compute_fingerprint(rows.withColumn("songs", F.col("songs") + 1)) != name
    assert compute_fingerprint(rows.unionAll(rows)) != name
    assert compute_fingerprint(rows.limit(0)).endswith("-0")


@pytest.mark.parametrize(
    ("cutoff", "expected"), [(date(2018, 11, 16), False), (date(2018, 11, 17), True)]
)
def test_scores_are_a_forecast_if_all_training_horizons_are_over(
    cutoff: date, expected: bool
) -> None:
    card = {"prediction_task": {"train_cutoffs": ["2018-10-31", "2018-11-07"], "horizon_days": 10}}
    assert is_forecast(card, cutoff) == expected
