from math import log
from pathlib import Path

import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession

from sparkify.ml.shrunken_rates import Logarithms, Rate, ShrunkenRates, learn_overall_rates

THUMBS = Rate("thumbs_per_song", "thumbs", "songs", 100.0)
NEVER = Rate("never_per_song", "never", "songs", 100.0)


def test_a_saved_model_computes_the_same_rates_and_logarithms(
    tmp_path: Path, spark: SparkSession
) -> None:
    train = spark.createDataFrame(
        [(3.0, 100.0, 0.0), (1.0, 100.0, 0.0)], ["thumbs", "songs", "never"]
    )
    rates = learn_overall_rates(train, [THUMBS, NEVER])
    assert [rate.overall for rate in rates] == [0.02, 0.0]
    model = PipelineModel([ShrunkenRates(rates), Logarithms(["songs"], ["log_songs"])])
    model.save(f"file://{tmp_path}/model")
    loaded = PipelineModel.load(f"file://{tmp_path}/model")
    assert loaded.stages[0].rates == rates
    rows = loaded.transform(train).select("thumbs_per_song", "never_per_song", "log_songs")
    assert rows.collect() == model.transform(train).select(*rows.columns).collect()
    # (3 + 100 * 0.02) / (100 + 100) / 0.02
    assert list(rows.collect()[0]) == pytest.approx([log(1.25), 0.0, log(101)])


def test_without_rates_nothing_is_learnt_and_nothing_added(spark: SparkSession) -> None:
    train = spark.createDataFrame([(1.0,)], ["songs"])
    assert learn_overall_rates(train, []) == []
    assert ShrunkenRates([]).transform(train).columns == ["songs"]
