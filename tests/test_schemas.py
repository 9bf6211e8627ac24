import pytest
from pyspark.sql import SparkSession

from sparkify.schemas import SNAPSHOTS, Features, UserDays
from sparkify.table import SchemaError

PAGES = {"next_song": "NextSong"}


def test_a_table_with_its_columns_is_valid_in_any_order(spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "churned boolean, cutoff date, user_id string")
    assert SNAPSHOTS.validate(frame) is frame


def test_differences_are_named(spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "user_id bigint, cutoff date, label boolean")
    message = "'churned' is missing; 'label' is not expected; 'user_id' is bigint, not string"
    with pytest.raises(SchemaError, match=message):
        SNAPSHOTS.validate(frame)


def test_a_page_has_a_column_per_window() -> None:
    columns = Features(PAGES, [7]).columns
    assert {"next_song_7d", "next_song_all", "sessions_7d", "other_pages_all"} <= set(columns)
    assert len(columns) == len(set(columns))


def test_every_column_has_a_meaning() -> None:
    for table in (SNAPSHOTS, UserDays(PAGES), Features(PAGES, [7, 14])):
        assert table.grain.startswith("One row per")
        for column in table.definition:
            assert column.meaning.endswith("."), column
