import ast
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pyspark.errors import PySparkException
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.feature_engineering import nodes
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import EVENTS, SNAPSHOTS, NewColumnName
from sparkify.schemas.parameters import SQL_WORDS
from tests.checked_log import sum_events_by_day

FEATURE_ENGINEERING = Path(__file__).parents[2] / "src/sparkify/pipelines/feature_engineering"
NAME = TypeAdapter(NewColumnName)


def is_allowed(name: str) -> bool:
    try:
        NAME.validate_python(name)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "name",
    [
        *("user_id", "day", "cutoff", "level", "gender", "sessions", "listening_ms"),
        *("active_days", "other_pages", "cancellations", "churned", "is_paid", "probability"),
        *("free_trial", "paid_trial", "segment_1", "first_day", "label", "null", "not"),
    ],
)
def test_columns_of_the_project_are_reserved(name: str) -> None:
    assert not is_allowed(name)


@pytest.mark.parametrize("name", ["trailer", "order", "date", "log_out", "freedom", "error"])
def test_other_names_are_allowed(name: str) -> None:
    assert is_allowed(name)


@pytest.mark.parametrize("name", ["Trailer", "a-b", "1st", "_x", "a b", "", "x" * 101])
def test_names_that_are_not_identifiers_are_refused(name: str) -> None:
    assert not is_allowed(name)


def test_names_in_the_code_that_are_not_reserved_work_as_page_names(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    """An intermediate column with the same name would make Spark fail."""
    words = {
        node.value
        for module in FEATURE_ENGINEERING.glob("*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_allowed(node.value)
    }
    assert {"events", "last_position", "first_day"} - words == {"first_day"}
    pages = {**{word: f"page {word}" for word in sorted(words)}, "next_song": "NextSong"}
    usual = parameters["feature_engineering"].model_dump()
    settings = FeatureEngineeringParameters.model_validate(
        {**usual, "pages": pages, "by_level": []}
    )
    events = spark.createDataFrame([], EVENTS.struct)
    snapshots = spark.createDataFrame([], SNAPSHOTS.struct)
    user_days = sum_events_by_day(events, settings)
    features = nodes.compute_features(user_days, snapshots, settings)
    assert set(pages) <= set(user_days.columns)
    assert features.columns[2:] == settings.feature_columns


@pytest.mark.parametrize("name", [*SQL_WORDS, "current_date", "date", "order", "interval"])
def test_spark_reads_only_allowed_names_as_columns(spark: SparkSession, name: str) -> None:
    table = spark.range(1).select(F.lit(3.0).alias(name))
    statement = f"SELECT ({name} + 1) / 2 AS half FROM __THIS__"  # noqa: S608 -- names from above
    try:
        half = SQLTransformer(statement=statement).transform(table).first()["half"]
    except PySparkException:
        half = None
    assert (half == 2.0) is is_allowed(name)
