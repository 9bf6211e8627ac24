import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.pipelines.modelling import training_reference as reference
from sparkify.pipelines.modelling.nodes import describe_training
from sparkify.pipelines.modelling.parameters import InputParameters, ReferenceParameters

CUTOFF = date(2018, 11, 7)
WINDOW = {"cutoff": "2018-11-07", "window_days": 7, "max_customers": 10, "customers": 3}
INPUTS = InputParameters.model_validate(
    {
        "rates": {
            "adverts_per_free_song": {
                "count": "free_roll_advert",
                "per": "free_next_song",
                "prior": 100,
                "group": "adverts",
            },
            "songs_per_day": {
                "count": "next_song",
                "per": "observed_days",
                "prior": 2,
                "group": "volume",
            },
        },
        "plain": {
            "is_paid": {"group": "level"},
            "next_song": {"group": "volume", "log": True},
            "observed_days": {"group": "exposure", "log": True},
        },
        "moderator": None,
    }
)
REFERENCE = ReferenceParameters(
    window_days=7,
    rates={
        "active_days_per_day": {
            "count": "active_days",
            "per": "observed_days",
            "prior": 4,
            "group": "volume",
        }
    },
    comparable=("is_paid",),
    min_known_share=0.2,
    bins=10,
    max_customers=10,
)
QUALITY = {
    "rejected_share": 0.0,
    "max_rejected_share": 0.2,
    "lines": 130,
    "accepted": 120,
    "first_event": "2018-10-20T00:00:00Z",
    "rejections": {"no user": {"lines": 10, "examples": ["{}"]}},
}


@pytest.fixture(scope="module")
def user_days(spark: SparkSession) -> DataFrame:
    """Return days of three users, within and outside of the window."""
    rows = [
        ("a", date(2018, 10, 30), 900, 90, 900, 90, 9, "free"),
        ("a", date(2018, 10, 31), 30, 3, 30, 3, 1, "free"),
        ("a", date(2018, 11, 6), 20, 2, 10, 2, 2, "paid"),
        ("a", date(2018, 11, 7), 700, 70, 700, 70, 7, "paid"),
        ("b", date(2018, 11, 5), 19, 19, 19, 19, 1, "free"),
        ("c", date(2018, 10, 20), 50, 5, 50, 5, 1, "free"),
    ]
    names = ["next_song", "roll_advert", "free_next_song", "free_roll_advert", "sessions"]
    return spark.createDataFrame(rows, ["user_id", "day", *names, "level"])


@pytest.fixture(scope="module")
def features(spark: SparkSession) -> DataFrame:
    """Return three users at the cutoff, and one at the hold-out's."""
    rows = [
        ("a", CUTOFF, 1.0, 18.0, 950.0),
        ("b", CUTOFF, 0.0, 2.0, 19.0),
        ("c", CUTOFF, 0.0, 18.0, 50.0),
        ("a", date(2018, 11, 21), 0.0, 32.0, 5_000.0),
    ]
    columns = ["user_id", "cutoff", "is_paid", "observed_days", "next_song"]
    return spark.createDataFrame(rows, columns)


@pytest.fixture(scope="module")
def event_counts(spark: SparkSession) -> DataFrame:
    """Return counts of events before, within and after the window, of two levels."""
    rows = [
        ("NextSong", date(2018, 10, 20), "free", 5),
        ("NextSong", date(2018, 10, 31), "free", 1),
        ("NextSong", date(2018, 10, 31), "paid", 2),
        ("Help", date(2018, 11, 6), "paid", 1),
        ("Home", date(2018, 11, 7), "paid", 1),
    ]
    return spark.createDataFrame(rows, "page string, day date, level string, events bigint")


def test_only_the_days_of_the_window_are_summed(features: DataFrame, user_days: DataFrame) -> None:
    snapshot = features.where("cutoff = '2018-11-07'")
    result = reference.sum_recent_days(snapshot, user_days, WINDOW).set_index("user_id")
    assert result["next_song"].to_dict() == {"a": 50.0, "b": 19.0, "c": 0.0}
    assert result["free_next_song"].to_dict() == {"a": 40.0, "b": 19.0, "c": 0.0}
    assert result["paid_next_song"].to_dict() == {"a": 10.0, "b": 0.0, "c": 0.0}
    assert result["active_days"].to_dict() == {"a": 2.0, "b": 1.0, "c": 0.0}
    assert result["observed_days"].to_dict() == {"a": 18.0, "b": 2.0, "c": 18.0}


def test_customers_are_sampled_about_a_maximum_and_anew_at_each_cutoff(
    spark: SparkSession, user_days: DataFrame
) -> None:
    users = [
        (str(number), cutoff) for number in range(40) for cutoff in ("2018-11-07", "2018-11-14")
    ]
    rows = spark.createDataFrame(users, ["user_id", "cutoff"]).selectExpr(
        "user_id", "date(cutoff) as cutoff"
    )
    samples = [
        set(
            reference.sum_recent_days(
                rows.where(f"cutoff = '{cutoff}'").repartition(parts),
                user_days,
                {**WINDOW, "cutoff": cutoff, "customers": 40},
            )["user_id"]
        )
        for cutoff, parts in (("2018-11-07", 1), ("2018-11-07", 3), ("2018-11-14", 1))
    ]
    assert all(5 <= len(users) <= 15 for users in samples)
    assert samples[0] == samples[1] != samples[2]


def test_training_is_described_at_its_last_cutoff(
    features: DataFrame, user_days: DataFrame, event_counts: DataFrame
) -> None:
    prediction_task = {"train_cutoffs": ["2018-10-31", "2018-11-07"], "cutoff": "2018-11-21"}
    result = describe_training(
        features, user_days, event_counts, QUALITY, prediction_task, INPUTS, REFERENCE
    )
    json.dumps(result, allow_nan=False)
    watched = result.pop("watched")
    assert result == {
        "cutoff": "2018-11-07",
        "window_days": 7,
        "max_customers": 10,
        "bins": 10,
        "customers": 3,
        "pages": ["Help", "Home", "NextSong"],
        "days": [
            {"day": "2018-10-31", "events": 3, "active": 1},
            *({"day": f"2018-11-0{day}", "events": 0, "active": 0} for day in range(1, 5)),
            {"day": "2018-11-05", "events": 0, "active": 1},
            {"day": "2018-11-06", "events": 1, "active": 1},
        ],
        "lines": {
            "lines": 130,
            "first_event": "2018-10-20T00:00:00Z",
            "rejections": {"no user": 10},
        },
    }
    # b has 19 songs, fewer than a fifth of the prior; c has none.
    assert watched["adverts_per_free_song"] == {
        "kind": "number",
        "count": "free_roll_advert",
        "per": "free_next_song",
        "min_denominator": 20.0,
        "edges": [0.125],
        "counts": [1, 0],
        "mean": 0.125,
    } | {"kind": "level"}
    assert watched["songs_per_day"]["edges"] == pytest.approx([0, 50 / 7, 9.5])
    assert watched["songs_per_day"]["counts"] == [1, 1, 1, 0]
    assert watched["active_days_per_day"]["edges"] == pytest.approx([0, 2 / 7, 1 / 2])
    assert watched["is_paid"] == {
        "kind": "level",
        "count": "is_paid",
        "edges": [0.0, 1.0],
        "counts": [2, 1, 0],
        "mean": pytest.approx(1 / 3),
    }
    # A sum over the window is comparable; observed days are a clock.
    assert watched["next_song"]["kind"] == "number"
    assert watched["next_song"]["edges"] == [0.0, 19.0, 50.0]
    assert watched["observed_days"]["kind"] == "clock"


def test_bins_are_quantiles_and_equal_values_stay_together() -> None:
    values = np.array([0.0] * 50 + list(range(1, 51)), float)
    result = reference.learn_bins(values, {"kind": "number"}, 10)
    assert result["edges"] == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert result["counts"] == [50, 10, 10, 10, 10, 10, 0]
    later = reference.count_in_bins(np.array([0.0, 0.5, 10.0, 99.0]), result["edges"])
    assert later == {"counts": [1, 2, 0, 0, 0, 0, 1], "mean": 27.375}


def test_values_of_no_customer_have_no_bins_and_no_mean() -> None:
    result = reference.learn_bins(np.array([]), {"kind": "clock"}, 10)
    assert result == {"kind": "clock", "edges": [], "counts": [0], "mean": None}


def test_a_window_starts_no_earlier_than_the_log(
    user_days: DataFrame, event_counts: DataFrame
) -> None:
    days = reference.count_days(event_counts, QUALITY)
    early: dict[str, Any] = {"cutoff": "2018-10-22", "window_days": 7}
    assert reference.select_window(days, user_days, early) == [
        {"day": "2018-10-20", "events": 5, "active": 1},
        {"day": "2018-10-21", "events": 0, "active": 0},
    ]


def test_a_rate_needs_a_minimum_of_its_denominator() -> None:
    customers = pd.DataFrame({"downgrade": [1.0, 0.0, 2.0], "paid_next_song": [20.0, 19.0, 40.0]})
    definition = {"count": "downgrade", "per": "paid_next_song", "min_denominator": 20}
    assert reference.select_values(customers, definition, WINDOW).tolist() == [0.05, 0.05]
