import pytest
from pyspark.sql import SparkSession

import sparkify.schemas
from sparkify.schemas import FEATURES, PREDICTIONS, SNAPSHOTS, USER_DAYS, feature_columns
from sparkify.schemas import table as schemas_table
from sparkify.schemas.table import SchemaError, Table

PAGES = {"next_song": "NextSong", "home": "Home"}
SETTINGS = (PAGES, ["next_song"], ["next_song", "sessions"], [7, 14])
TABLES = {name: one for name, one in vars(sparkify.schemas).items() if isinstance(one, Table)}
FIXED_FEATURES = (
    "user_id string, cutoff date, other_pages double, sessions double, listening_ms double, "
    "active_days double, is_paid double, account_age_days double, observed_days double, "
    "days_since_last_seen double"
)


def test_a_table_with_its_columns_is_valid_in_any_order(spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "churned boolean, cutoff date, user_id string")
    assert SNAPSHOTS.validate(frame) is frame


def test_differences_are_named(spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "user_id bigint, cutoff date, label boolean")
    with pytest.raises(SchemaError) as raised:
        SNAPSHOTS.validate(frame)
    assert str(raised.value) == (
        "columns differ from the schema: 'churned' is missing; 'user_id' is bigint, not string; "
        "'label' is not expected."
    )


def test_columns_of_a_pattern_have_its_type(spark: SparkSession) -> None:
    frame = spark.createDataFrame([], f"{FIXED_FEATURES}, next_song double, next_song_7d double")
    assert FEATURES.validate(frame) is frame
    wrong = spark.createDataFrame([], f"{FIXED_FEATURES}, next_song bigint, home string")
    with pytest.raises(SchemaError) as raised:
        FEATURES.validate(wrong)
    assert str(raised.value) == (
        "columns differ from the schema: 'next_song' is bigint, not double; "
        "'home' is string, not double."
    )


def test_a_column_by_name_takes_precedence_over_a_pattern(spark: SparkSession) -> None:
    with pytest.raises(SchemaError, match="'level' is bigint, not string"):
        USER_DAYS.validate(spark.createDataFrame([], "level bigint"))


def test_only_columns_of_the_pattern_are_expected(spark: SparkSession) -> None:
    fixed = "user_id string, cutoff date, churned boolean, is_trainable boolean, probability double"
    PREDICTIONS.validate(spark.createDataFrame([], f"{fixed}, baseline_most_songs double"))
    with pytest.raises(SchemaError, match="'rank' is not expected"):
        PREDICTIONS.validate(spark.createDataFrame([], f"{fixed}, rank double"))


def test_features_are_sums_then_window_sums_then_states() -> None:
    assert [column.name for column in feature_columns(*SETTINGS)] == [
        *["next_song", "home", "other_pages", "sessions", "listening_ms"],
        *["active_days", "free_next_song", "paid_next_song"],
        *["next_song_7d", "next_song_14d", "sessions_7d", "sessions_14d"],
        *["is_paid", "account_age_days", "observed_days", "days_since_last_seen"],
    ]


def test_the_meaning_of_a_sum_names_page_level_and_period() -> None:
    meanings = {column.name: column.meaning for column in feature_columns(*SETTINGS)}
    assert meanings["home"] == "Events on page Home, whole history."
    assert meanings["free_next_song"] == (
        "Events on page NextSong on the free level, whole history."
    )
    assert meanings["sessions_7d"] == "Sessions, last 7 days."


def test_every_table_of_the_file_has_a_name_in_the_package() -> None:
    assert {name.lower(): one for name, one in TABLES.items()} == schemas_table.TABLES


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_a_meaning(name: str) -> None:
    table = TABLES[name]
    assert table.grain.startswith("One row per")
    assert len(table.columns) == len(set(table.columns))
    for column in (*table.definition, *feature_columns(*SETTINGS)):
        assert column.meaning.endswith("."), column
