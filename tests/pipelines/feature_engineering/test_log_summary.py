import logging
from datetime import datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.pipelines.feature_engineering import nodes
from sparkify.pipelines.feature_engineering.log_summary import (
    MissingPageError,
    require_cancellation_page,
    require_outcome_page,
)
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import EVENTS
from tests.checked_log import sum_events_by_day

CANCELLED = "Cancellation Confirmation"
QUALITY = {"pages": {"NextSong": 9, "Home": 5}, "levels": {"free": 9, "paid": 5}}
STAYS_AWAY = [("gone", "2018-10-01 10:00", "NextSong"), ("gone", "2018-10-02 10:00", CANCELLED)]
COMES_BACK = [
    ("back", "2018-10-01 10:00", "NextSong"),
    ("back", "2018-10-02 10:00", CANCELLED),
    ("back", "2018-10-02 10:01", "Home"),
    ("back", "2018-10-09 10:00", "NextSong"),
]
CANCELS_TWICE_A_DAY = [
    ("twice", "2018-10-02 10:00", CANCELLED),
    ("twice", "2018-10-02 11:00", "Home"),
    ("twice", "2018-10-02 12:00", CANCELLED),
]
STAYS = [("stays", "2018-10-01 10:00", "NextSong")]


@pytest.fixture(scope="module")
def settings(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return parameters["feature_engineering"]


def events(spark: SparkSession, rows: list[tuple[str, str, str]]) -> DataFrame:
    frame = spark.createDataFrame(
        [
            (user, datetime.fromisoformat(ts), page, item)
            for item, (user, ts, page) in enumerate(rows)
        ],
        "user_id string, ts timestamp, page string, item_in_session bigint",
    ).withColumns({"session_id": F.lit("1"), "level": F.lit("free")})
    missing = [c for c in EVENTS.definition if c.name not in frame.columns]
    return frame.withColumns({c.name: F.lit(None).cast(c.type) for c in missing})


def summarize(
    spark: SparkSession, rows: list[tuple[str, str, str]], settings: FeatureEngineeringParameters
) -> dict[str, Any]:
    log = events(spark, rows)
    return nodes.summarize_events(log, sum_events_by_day(log, settings), QUALITY, settings)


@pytest.mark.parametrize(
    ("rows", "customers", "later_events"),
    [
        ([*STAYS, *STAYS_AWAY], 0, 0),
        ([*STAYS, *STAYS_AWAY, *COMES_BACK], 1, 2),
        ([*COMES_BACK, *CANCELS_TWICE_A_DAY], 2, 4),
    ],
)
def test_returning_customers_and_their_later_events_are_counted(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    rows: list[tuple[str, str, str]],
    customers: int,
    later_events: int,
) -> None:
    assert summarize(spark, rows, settings)["returning_customers"] == {
        "customers": customers,
        "events": later_events,
        "treated_as": "return",
    }


def test_missing_pages_are_listed_with_their_parameters(
    spark: SparkSession, settings: FeatureEngineeringParameters, caplog: pytest.LogCaptureFixture
) -> None:
    two_pages = settings.model_copy(
        update={"pages": {"next_song": "NextSong", "home": "Hone"}, "by_level": ()}
    )
    caplog.set_level(logging.WARNING, "sparkify")
    event_summary = summarize(spark, [*STAYS, ("stays", "2018-10-01 11:00", "Home")], two_pages)
    assert event_summary["missing_pages"] == {
        "feature_engineering.cancellation_page": CANCELLED,
        "feature_engineering.pages.home": "Hone",
    }
    assert caplog.messages == [
        "The log has no event on these configured pages: "
        "'Cancellation Confirmation' (feature_engineering.cancellation_page), "
        "'Hone' (feature_engineering.pages.home)"
    ]


@pytest.mark.parametrize("outcome", ["downgrade", "inactivity"])
def test_no_warning_about_a_cancellation_page_that_the_outcome_does_not_need(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    caplog: pytest.LogCaptureFixture,
    outcome: str,
) -> None:
    pages = {"next_song": "NextSong", "home": "Home"}
    changed = settings.model_copy(update={"pages": pages, "by_level": (), "outcome": outcome})
    caplog.set_level(logging.WARNING, "sparkify")
    event_summary = summarize(spark, [*STAYS, ("stays", "2018-10-01 11:00", "Home")], changed)
    assert event_summary["missing_pages"] == {"feature_engineering.cancellation_page": CANCELLED}
    assert event_summary["returning_customers"]["customers"] == 0
    assert caplog.messages == []


def test_a_level_without_events_gives_a_warning(
    spark: SparkSession, settings: FeatureEngineeringParameters, caplog: pytest.LogCaptureFixture
) -> None:
    log = events(spark, STAYS_AWAY)
    caplog.set_level(logging.WARNING, "sparkify")
    free = {**QUALITY, "levels": {"free": 2}}
    nodes.summarize_events(log, sum_events_by_day(log, settings), free, settings)
    assert "no event on the paid level (data_processing.levels)" in caplog.messages[-1]


def test_the_error_for_a_missing_cancellation_page_lists_the_log_s_pages(
    settings: FeatureEngineeringParameters,
) -> None:
    other = settings.model_copy(update={"cancellation_page": "Foo"})
    missing = {"feature_engineering.cancellation_page": "Foo"}
    with pytest.raises(MissingPageError) as raised:
        require_outcome_page({**QUALITY, "missing_pages": missing}, other)
    assert str(raised.value) == (
        "events: no event on page 'Foo' (feature_engineering.cancellation_page), which shows the "
        "outcome cancellation. The log's most frequent pages: 'NextSong' (9), 'Home' (5). Set the "
        "parameter to the page that confirms it. For a service without such a page set "
        "feature_engineering.outcome to inactivity."
    )


@pytest.mark.parametrize(
    ("outcome", "missing", "is_error"),
    [
        ("cancellation", {"feature_engineering.pages.submit_downgrade": "x"}, False),
        ("downgrade", {"feature_engineering.pages.submit_downgrade": "x"}, True),
        ("either", {"feature_engineering.pages.submit_downgrade": "x"}, False),
        ("either", {"feature_engineering.cancellation_page": "x"}, False),
        (
            "either",
            {
                "feature_engineering.cancellation_page": "x",
                "feature_engineering.pages.submit_downgrade": "y",
            },
            True,
        ),
        (
            "inactivity",
            {
                "feature_engineering.cancellation_page": "x",
                "feature_engineering.pages.submit_downgrade": "y",
            },
            False,
        ),
    ],
)
def test_the_outcome_needs_one_of_its_pages(
    settings: FeatureEngineeringParameters, outcome: str, missing: dict[str, str], is_error: bool
) -> None:
    changed = settings.model_copy(update={"outcome": outcome})
    event_summary = {**QUALITY, "missing_pages": missing}
    if is_error:
        with pytest.raises(MissingPageError):
            require_outcome_page(event_summary, changed)
    else:
        require_outcome_page(event_summary, changed)


def test_a_missing_cancellation_page_is_an_error() -> None:
    require_cancellation_page({**QUALITY, "missing_pages": {"feature_engineering.pages.home": "x"}})
    missing = {"feature_engineering.cancellation_page": "Foo"}
    with pytest.raises(MissingPageError) as raised:
        require_cancellation_page({**QUALITY, "missing_pages": missing})
    assert str(raised.value) == (
        "events: no event on page 'Foo' (feature_engineering.cancellation_page), which shows who "
        "cancelled. The log's most frequent pages: 'NextSong' (9), 'Home' (5). Set the parameter "
        "to the page that confirms a cancellation."
    )
