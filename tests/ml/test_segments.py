from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession

from sparkify.ml.segments import (
    CustomerSegments,
    LearntRate,
    get_segments,
    learnt_segments,
    segment_table,
)
from sparkify.pipelines.modelling.inputs import (
    describe_inputs,
    fit_inputs,
    list_features,
    list_inputs,
)
from sparkify.pipelines.modelling.parameters import InputParameters, SegmentParameters

STAGE = CustomerSegments(
    **{"names": ["adverts_per_song"], "counts": ["adverts"], "pers": ["songs"]},
    **{"priors": [10.0], "overall": [0.08], "shares": [0.75, 0.25], "rates": [[0.05], [0.2]]},
    outputCols=["segment_2"],
)


def wanted(**changed: Any) -> SegmentParameters:
    rates = {
        "adverts_per_song": {"count": "adverts", "per": "songs", "prior": 10, "group": "adverts"},
        "never_per_song": {"count": "never", "per": "songs", "prior": 10, "group": "never"},
    }
    whole = {"rates": rates, "most": 4, "starts": 2, "most_users": 1_000, "seed": 3}
    return SegmentParameters.model_validate(whole | changed)


@pytest.fixture(scope="module")
def train(spark: SparkSession) -> DataFrame:
    """Return 60 customers with few adverts and 20 with many, each at two cutoffs."""
    random = np.random.default_rng(1)
    users = pd.DataFrame({"user_id": [f"u{n:02}" for n in range(80)]})
    users["rate"] = np.repeat([0.05, 0.2], [60, 20])
    rows = users.merge(pd.DataFrame({"cutoff": ["2018-10-31", "2018-11-07"]}), how="cross")
    rows["songs"] = random.integers(100, 400, len(rows)).astype(float)
    # What was known at the first cutoff tells nothing of segments.
    rows.loc[rows["cutoff"] == "2018-10-31", "rate"] = 0.05
    rows["adverts"] = random.poisson(rows["songs"] * rows["rate"]).astype(float)
    rows["churned"] = random.random(len(rows)) < 2 * rows["rate"]
    return spark.createDataFrame(rows.drop(columns="rate").assign(never=0.0)).cache()


def test_a_customer_s_segment_is_told_by_bayes_rule(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [(0.0, 0.0), (2.0, 20.0), (40.0, 200.0), (90_000.0, 400_000.0), (0.0, 1e6)],
        "adverts double, songs double",
    )
    found = STAGE.transform(rows)
    assert found.columns == ["adverts", "songs", "segment_2"]

    def second(adverts: float, songs: float) -> float:
        odds = 0.25 / 0.75 * (0.2 / 0.05) ** adverts * exp(-0.15 * songs)
        return odds / (1 + odds)

    probabilities = [row["segment_2"] for row in found.collect()]
    expected = [0.25, second(2, 20), second(40, 200), 1.0, 0.0]
    assert probabilities == pytest.approx(expected, abs=1e-12)


def test_segments_are_learnt_without_labels_from_each_user_s_last_row(train: DataFrame) -> None:
    learnt = learnt_segments(train.drop("churned"), wanted())
    assert learnt is not None
    assert learnt.getOutputCols() == ["segment_2"]
    assert learnt.getOrDefault("shares") == pytest.approx([0.75, 0.25], abs=0.02)
    assert [rate for (rate,) in learnt.getOrDefault("rates")] == pytest.approx(
        [0.05, 0.2], abs=0.01
    )
    (rate,) = learnt.learnt_rates  # nobody does what is never done
    assert rate == LearntRate("adverts_per_song", "adverts", "songs", 10.0, rate.overall)
    last = train.where("cutoff = '2018-11-07'").selectExpr("sum(adverts) / sum(songs)").first()
    assert last is not None
    assert rate.overall == pytest.approx(last[0], rel=1e-5)


def test_no_order_and_no_partition_changes_what_is_learnt(train: DataFrame) -> None:
    one, other = (
        learnt_segments(rows, wanted())
        for rows in (train.repartition(5, "songs"), train.orderBy("adverts").coalesce(1))
    )
    assert one is not None
    assert other is not None
    for name in ("shares", "rates", "overall"):
        assert one.getOrDefault(name) == other.getOrDefault(name)


@pytest.mark.parametrize(
    "rows", ["cutoff = '2018-10-31'", "songs < 0"], ids=["all are alike", "there are none"]
)
def test_where_customers_are_alike_there_are_no_segments(train: DataFrame, rows: str) -> None:
    assert learnt_segments(train.where(rows), wanted()) is None


def test_only_so_many_users_are_learnt_from(train: DataFrame) -> None:
    few = learnt_segments(train, wanted(most_users=2))
    assert few is None or few.getOrDefault("overall") != pytest.approx([0.09], abs=0.005)


def test_segments_are_the_first_inputs_and_can_be_moderated(train: DataFrame) -> None:
    songs = {"songs": {"group": "volume", "log": True}}
    whole = {"segments": wanted(), "rates": {}, "plain": songs, "moderator": "songs"}
    model = fit_inputs(train, InputParameters.model_validate(whole))
    assert list_inputs(model) == ["segment_2", "log_songs"]
    assert [learnt.feature for learnt in describe_inputs(model)] == [None, "songs"]
    assert list_features(model) == {"adverts", "songs"}
    row = model.transform(train).first()
    assert row is not None
    assert row["inputs"].toArray()[0] == row["segment_2"]


def test_a_saved_model_tells_the_same_segments(tmp_path: Path, train: DataFrame) -> None:
    PipelineModel([STAGE]).save(f"file://{tmp_path}/model")
    loaded = PipelineModel.load(f"file://{tmp_path}/model")
    found = get_segments(loaded)
    assert found is not None
    assert found.learnt_rates == STAGE.learnt_rates
    pd.testing.assert_frame_equal(
        loaded.transform(train).toPandas(), STAGE.transform(train).toPandas()
    )


def test_segments_are_described_with_their_churners(train: DataFrame) -> None:
    table = segment_table(PipelineModel([STAGE]), train)
    assert table["segment"].tolist() == ["1", "2", "all"]
    assert table["share"].tolist() == [0.75, 0.25, 1.0]
    assert table["adverts_per_song"].tolist() == [0.05, 0.2, 0.08]
    rows = STAGE.transform(train).toPandas()
    mean = [
        np.average(rows["churned"], weights=weights)
        for weights in (1 - rows["segment_2"], rows["segment_2"], np.ones(len(rows)))
    ]
    assert table["churned"].tolist() == pytest.approx(mean)
    assert mean[1] > 2 * mean[0]


def test_a_model_without_segments_has_none_to_describe(train: DataFrame) -> None:
    table = segment_table(PipelineModel([]), train)
    assert table.empty
    assert list(table.columns) == ["segment", "share", "churned"]


def test_a_group_is_dropped_from_segments_and_inputs_alike() -> None:
    whole = InputParameters.model_validate(
        {
            "segments": wanted(),
            "rates": {"a": {"count": "x", "per": "songs", "prior": 1, "group": "adverts"}},
            "plain": {"songs": {"group": "volume"}},
            "moderator": "songs",
        }
    )
    assert whole.groups == {
        "adverts": ["adverts_per_song", "a"],
        "never": ["never_per_song"],
        "volume": ["songs"],
    }
    without = whole.without("adverts")
    assert without.groups == {"never": ["never_per_song"], "volume": ["songs"]}
    assert without.without("never").segments is None
    assert whole.without("volume").moderator is None


def test_a_rate_in_two_ways_is_refused() -> None:
    rate = {"count": "x", "per": "songs", "prior": 1, "group": "adverts"}
    whole = {"segments": wanted(), "plain": {}, "moderator": None}
    with pytest.raises(ValueError, match=r"allowed: the same as segments\.rates\.adverts_per_song"):
        InputParameters.model_validate({**whole, "rates": {"adverts_per_song": rate}})
    same = {"adverts_per_song": wanted().rates["adverts_per_song"]}
    assert InputParameters.model_validate({**whole, "rates": same}).every_rate == wanted().rates
