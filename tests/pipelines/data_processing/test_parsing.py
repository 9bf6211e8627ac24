"""A log whose fields and plans have names of its own."""

import json
from datetime import datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sparkify.pipelines.data_processing import nodes
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters

KEYS = {"ts": "watchedAt", "userId": "memberId", "page": "screen", "registration": "memberSince"}
PLAY = {
    "watchedAt": 1538352117000,
    "memberId": 30,
    "sessionId": 29,
    "screen": "Play",
    "level": "Premium",
    "itemInSession": 50,
    "memberSince": 1538173362000,
}


@pytest.fixture(scope="module")
def own_names(parameters: dict[str, Any]) -> DataProcessingParameters:
    usual = parameters["data_processing"].model_dump()
    levels = {"free": ["Trial", "Basic"], "paid": ["Premium"]}
    return DataProcessingParameters(
        **{**usual, "fields": {**usual["fields"], **KEYS}, "levels": levels}
    )


def checked(spark: SparkSession, own_names: DataProcessingParameters, **changes: Any) -> Any:
    lines = spark.createDataFrame([(json.dumps({**PLAY, **changes}),)], "value string")
    (row,) = nodes.checked_events(lines, own_names).collect()
    return row


def test_fields_are_read_by_the_log_s_own_keys(
    spark: SparkSession, own_names: DataProcessingParameters
) -> None:
    row = checked(spark, own_names)
    assert (row["user_id"], row["page"], row["session_id"]) == ("30", "Play", 29)
    assert row["ts"] == datetime(2018, 10, 1, 0, 1, 57)
    assert (row["rejection"], row["unknown_columns"]) == (None, None)


@pytest.mark.parametrize(
    ("plan", "level"), [("Trial", "free"), ("Basic", "free"), ("Premium", "paid")]
)
def test_a_plan_is_read_as_its_level(
    spark: SparkSession, own_names: DataProcessingParameters, plan: str, level: str
) -> None:
    assert checked(spark, own_names, level=plan)["level"] == level


@pytest.mark.parametrize(
    ("changes", "rejection"),
    [
        ({"watchedAt": "yesterday"}, "wrong type of ts"),
        ({"screen": 5}, "wrong type of page"),
        ({"memberId": ["30"]}, "wrong type of userId"),
        ({"watchedAt": 1538352117}, "ts in seconds"),
        ({"memberSince": None}, "no user"),
    ],
)
def test_a_rejection_names_the_field_whatever_its_key(
    spark: SparkSession,
    own_names: DataProcessingParameters,
    changes: dict[str, Any],
    rejection: str,
) -> None:
    assert checked(spark, own_names, **changes)["rejection"] == rejection


def test_what_is_usually_a_key_is_unknown_to_a_log_with_another(
    spark: SparkSession, own_names: DataProcessingParameters
) -> None:
    row = checked(spark, own_names, userId="somebody", page="Home")
    assert (row["user_id"], row["page"]) == ("30", "Play")
    assert row["unknown_columns"] == ["page", "userId"]


def test_a_key_that_no_line_has_is_named_as_the_log_would(
    spark: SparkSession, own_names: DataProcessingParameters
) -> None:
    text = json.dumps({key: value for key, value in PLAY.items() if key != "watchedAt"})
    raw = spark.createDataFrame([(text,)], "value string")
    quality = nodes.data_quality(raw, nodes.checked_events(raw, own_names), {}, own_names)
    assert quality["fields_without_values"] == ["watchedAt"]
