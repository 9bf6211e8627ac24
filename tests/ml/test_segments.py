from math import exp
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession

from sparkify.ml.segments import (
    CustomerSegments,
    add_likely_segment,
    fit_segments,
    get_segments,
)
from sparkify.ml.shrunken_rates import Rate

ADVERTS = Rate("adverts_per_song", "adverts", "songs", 10.0)
NEVER = Rate("never_per_song", "never", "songs", 10.0)
SEARCH = {"max_segments": 4, "starts": 2, "seed": 3}
STAGE = CustomerSegments(
    [Rate("adverts_per_song", "adverts", "songs", 10.0, 0.08)], [0.75, 0.25], [[0.05], [0.2]]
)


def draw_customers(few: int, many: int) -> pd.DataFrame:
    """Return customers with few and with many adverts."""
    random = np.random.default_rng(1)
    rows = pd.DataFrame({"songs": random.integers(100, 400, few + many).astype(float)})
    rates = np.repeat([0.05, 0.2], [few, many])
    return rows.assign(adverts=random.poisson(rows["songs"] * rates).astype(float), never=0.0)


def test_the_probability_of_a_segment_follows_bayes_rule(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [(0.0, 0.0), (2.0, 20.0), (40.0, 200.0), (90_000.0, 400_000.0), (0.0, 1e6)],
        "adverts double, songs double",
    )
    transformed = STAGE.transform(rows)
    assert transformed.columns == ["adverts", "songs", "segment_2"]

    def second(adverts: float, songs: float) -> float:
        odds = 0.25 / 0.75 * (0.2 / 0.05) ** adverts * exp(-0.15 * songs)
        return odds / (1 + odds)

    probabilities = [row["segment_2"] for row in transformed.collect()]
    expected = [0.25, second(2, 20), second(40, 200), 1.0, 0.0]
    assert probabilities == pytest.approx(expected, abs=1e-12)


def test_segments_are_fitted_with_shares_and_rates_the_largest_first() -> None:
    customers = draw_customers(60, 20)
    segments = fit_segments(customers, [ADVERTS, NEVER], **SEARCH)
    assert segments is not None
    assert segments.getOutputCols() == ["segment_2"]
    assert segments.getOrDefault("shares") == pytest.approx([0.75, 0.25], abs=0.02)
    rates = [rate for (rate,) in segments.getOrDefault("segment_rates")]
    assert rates == pytest.approx([0.05, 0.2], abs=0.01)
    (rate,) = segments.rates  # the other rate has no count
    assert rate == Rate("adverts_per_song", "adverts", "songs", 10.0, rate.overall)
    overall = customers["adverts"].sum() / customers["songs"].sum()
    assert rate.overall == pytest.approx(overall, rel=1e-5)


@pytest.mark.parametrize("few", [60, 0], ids=["similar customers", "no customers"])
def test_similar_customers_have_no_segments(few: int) -> None:
    assert fit_segments(draw_customers(few, 0), [ADVERTS, NEVER], **SEARCH) is None


def test_a_saved_model_adds_the_same_segments(tmp_path: Path, spark: SparkSession) -> None:
    PipelineModel([STAGE]).save(f"file://{tmp_path}/model")
    loaded = PipelineModel.load(f"file://{tmp_path}/model")
    segments = get_segments(loaded)
    assert segments is not None
    assert segments.rates == STAGE.rates
    rows = spark.createDataFrame(draw_customers(6, 2))
    pd.testing.assert_frame_equal(
        loaded.transform(rows).toPandas(), STAGE.transform(rows).toPandas()
    )


def test_the_likely_segment_has_the_highest_probability(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [(0.0, 0.0), (2.0, 200.0), (40.0, 200.0)], "adverts double, songs double"
    )
    named = add_likely_segment(PipelineModel([STAGE]), rows)
    assert named.columns == ["adverts", "songs", "segment"]
    # Without history, the first segment is the larger one.
    assert [row["segment"] for row in named.collect()] == ["segment_1", "segment_1", "segment_2"]
    without = add_likely_segment(PipelineModel([]), rows)
    assert [row["segment"] for row in without.collect()] == [None] * 3
