import pytest
from pyspark.sql import SparkSession

from sparkify.schemas import (
    CANDIDATE_PREDICTIONS,
    SNAPSHOTS,
    Features,
    ModelInput,
    Predictions,
    UserDays,
)
from sparkify.schemas.table import SchemaError

PAGES = {"next_song": "NextSong", "home": "Home"}
FEATURES = (PAGES, ["next_song"], ["next_song", "sessions"], [7, 14])


def test_a_table_with_its_columns_is_valid_in_any_order(spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "churned boolean, cutoff date, user_id string")
    assert SNAPSHOTS.validate(frame) is frame


def test_differences_are_named(spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "user_id bigint, cutoff date, label boolean")
    message = "'churned' is missing; 'label' is not expected; 'user_id' is bigint, not string"
    with pytest.raises(SchemaError, match=message):
        SNAPSHOTS.validate(frame)


def test_features_are_sums_by_level_and_by_window_beside_levels_and_times() -> None:
    assert Features(*FEATURES).columns == [
        *["user_id", "cutoff", "next_song", "home", "other_pages", "sessions", "listening_ms"],
        *["active_days", "free_next_song", "paid_next_song"],
        *["next_song_7d", "next_song_14d", "sessions_7d", "sessions_14d"],
        *["is_paid", "account_age_days", "observed_days", "days_since_last_seen"],
    ]


def test_a_sum_says_what_it_counts_where_and_when() -> None:
    meanings = {column.name: column.meaning for column in Features(*FEATURES).definition}
    assert meanings["home"] == "Events on page Home, whole history."
    assert meanings["free_next_song"] == (
        "Events on page NextSong on the free level, whole history."
    )
    assert meanings["sessions_7d"] == "Sessions, last 7 days."


def test_every_column_has_a_meaning() -> None:
    tables = [
        *(SNAPSHOTS, UserDays(PAGES, ["next_song"]), Features(*FEATURES), ModelInput(*FEATURES)),
        *(Predictions({"most_songs": "next_song_14d"}), CANDIDATE_PREDICTIONS),
    ]
    for table in tables:
        assert table.grain.startswith("One row per")
        assert len(table.columns) == len(set(table.columns))
        for column in table.definition:
            assert column.meaning.endswith("."), column
