from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.modelling.inputs import (
    describe_inputs,
    fit_customer_segments,
    fit_inputs,
    list_features,
    list_inputs,
)
from sparkify.pipelines.modelling.parameters import InputParameters, SegmentParameters


def create_parameters(**changes: Any) -> SegmentParameters:
    rates = {
        "adverts_per_song": {"count": "adverts", "per": "songs", "prior": 10, "group": "adverts"},
        "never_per_song": {"count": "never", "per": "songs", "prior": 10, "group": "never"},
    }
    parameters = {"rates": rates, "max_segments": 4, "min_ratio": 1.5, "starts": 2}
    parameters |= {"max_users": 1_000, "seed": 3}
    return SegmentParameters.model_validate(parameters | changes)


@pytest.fixture(scope="module")
def train(spark: SparkSession) -> DataFrame:
    """Return 60 customers with few adverts and 20 with many, each at two cutoffs."""
    random = np.random.default_rng(1)
    users = pd.DataFrame({"user_id": [f"u{n:02}" for n in range(80)]})
    users["rate"] = np.repeat([0.05, 0.2], [60, 20])
    rows = users.merge(pd.DataFrame({"cutoff": ["2018-10-31", "2018-11-07"]}), how="cross")
    rows["songs"] = random.integers(100, 400, len(rows)).astype(float)
    # The history at the first cutoff is the same in both segments.
    rows.loc[rows["cutoff"] == "2018-10-31", "rate"] = 0.05
    rows["adverts"] = random.poisson(rows["songs"] * rows["rate"]).astype(float)
    rows["churned"] = random.random(len(rows)) < 2 * rows["rate"]
    return spark.createDataFrame(rows.drop(columns="rate").assign(never=0.0)).cache()


def test_segments_are_learnt_without_labels_from_each_user_s_last_row(train: DataFrame) -> None:
    segments = fit_customer_segments(train.drop("churned"), create_parameters())
    assert segments is not None
    assert segments.getOrDefault("shares") == pytest.approx([0.75, 0.25], abs=0.02)
    last = train.where("cutoff = '2018-11-07'").selectExpr("sum(adverts) / sum(songs)").first()
    assert last is not None
    assert segments.getOrDefault("overall") == [pytest.approx(last[0], rel=1e-5)]
    assert fit_customer_segments(train.where("cutoff = '2018-10-31'"), create_parameters()) is None
    assert fit_customer_segments(train.where("songs < 0"), create_parameters()) is None


def test_order_and_partitions_do_not_change_the_segments(train: DataFrame) -> None:
    one, other = (
        fit_customer_segments(rows, create_parameters())
        for rows in (train.repartition(5, "songs"), train.orderBy("adverts").coalesce(1))
    )
    assert one is not None
    assert other is not None
    for name in ("shares", "segment_rates", "overall"):
        assert one.getOrDefault(name) == other.getOrDefault(name)


def test_the_number_of_users_has_a_maximum(train: DataFrame) -> None:
    segments = fit_customer_segments(train, create_parameters(max_users=2))
    assert segments is None or segments.getOrDefault("overall") != pytest.approx([0.09], abs=0.005)


def test_segments_are_the_first_inputs(train: DataFrame) -> None:
    songs = {"songs": {"group": "volume", "log": True}}
    parameters = {
        "segments": create_parameters(),
        "rates": {},
        "plain": songs,
        "moderator": "songs",
    }
    model = fit_inputs(train, InputParameters.model_validate(parameters))
    assert list_inputs(model) == ["segment_2", "log_songs"]
    assert [learnt.feature for learnt in describe_inputs(model)] == [None, "songs"]
    assert list_features(model) == {"adverts", "songs"}
    row = model.transform(train).first()
    assert row is not None
    assert row["inputs"].toArray()[0] == row["segment_2"]


def test_a_group_is_dropped_from_segments_and_inputs_alike() -> None:
    parameters = InputParameters.model_validate(
        {
            "segments": create_parameters(),
            "rates": {"a": {"count": "x", "per": "songs", "prior": 1, "group": "adverts"}},
            "plain": {"songs": {"group": "volume"}},
            "moderator": "songs",
        }
    )
    assert parameters.groups == {
        "adverts": ["adverts_per_song", "a"],
        "never": ["never_per_song"],
        "volume": ["songs"],
    }
    without = parameters.drop_group("adverts")
    assert without.groups == {"never": ["never_per_song"], "volume": ["songs"]}
    assert without.drop_group("never").segments is None
    assert parameters.drop_group("volume").moderator is None


def test_two_definitions_of_a_rate_are_an_error() -> None:
    rate = {"count": "x", "per": "songs", "prior": 1, "group": "adverts"}
    parameters = {"segments": create_parameters(), "plain": {}, "moderator": None}
    with pytest.raises(ValueError, match=r"allowed: the same as segments\.rates\.adverts_per_song"):
        InputParameters.model_validate({**parameters, "rates": {"adverts_per_song": rate}})
    same = {"adverts_per_song": create_parameters().rates["adverts_per_song"]}
    assert (
        InputParameters.model_validate({**parameters, "rates": same}).every_rate
        == create_parameters().rates
    )
