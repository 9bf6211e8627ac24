from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

from sparkify.pipelines.data_processing.nodes import (
    check_records,
    drop_duplicates,
    find_copies,
    sum_events,
)
from sparkify.pipelines.feature_engineering import nodes
from sparkify.pipelines.feature_engineering.customers import LogTooShortError
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import EVENTS, FEATURES, SNAPSHOTS, USER_DAYS, PartitionUpdate
from tests.checked_log import USABLE, sum_events_by_day

REGISTERED = datetime(2018, 9, 1)


@pytest.fixture(scope="module")
def settings(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return parameters["feature_engineering"]


def accepted(checked: DataFrame) -> DataFrame:
    return drop_duplicates(checked, find_copies(checked)).select(*EVENTS.columns)


def events(spark: SparkSession, *rows: tuple[Any, ...]) -> DataFrame:
    """Return events from (user_id, ts, page, session_id, level, length)."""
    frame = spark.createDataFrame(
        [
            (user, datetime.fromisoformat(ts), page, str(session), level, length, item)
            for item, (user, ts, page, session, level, length) in enumerate(rows)
        ],
        "user_id string, ts timestamp, page string, session_id string, level string, "
        "length double, item_in_session bigint",
    )
    missing = [c for c in EVENTS.definition if c.name not in frame.columns]
    nulls = {c.name: F.lit(None).cast(c.type) for c in missing}
    return frame.withColumns({**nulls, "registration": F.lit(REGISTERED)})


# Two users around a midnight, an upgrade, a cancellation; two months of log.
HISTORY = [
    ("a", "2018-10-01 23:50:00", "NextSong", 1, "free", 200.5),
    ("a", "2018-10-01 23:55:00", "Roll Advert", 1, "free", None),
    ("a", "2018-10-02 00:05:00", "NextSong", 1, "free", 100.25),
    ("a", "2018-10-02 00:06:00", "Thumbs Up", 1, "free", None),
    ("a", "2018-10-02 09:00:00", "Submit Upgrade", 2, "free", None),
    ("a", "2018-10-02 09:00:10", "Home", 2, "paid", None),
    ("a", "2018-11-25 12:00:00", "NextSong", 7, "paid", 50.0),
    ("b", "2018-10-03 10:00:00", "NextSong", 1, "paid", 300.0),
    ("b", "2018-10-03 10:05:00", "A new page", 1, "paid", None),
    ("b", "2018-11-12 10:00:00", "Cancel", 2, "paid", None),
    ("b", "2018-11-12 10:00:30", "Cancellation Confirmation", 2, "paid", None),
    ("c", "2018-11-22 10:00:00", "NextSong", 3, "free", 10.0),
    ("d", "2018-11-30 23:59:58", "Home", 9, "free", None),
]


@pytest.fixture(scope="module")
def days(spark: SparkSession, settings: FeatureEngineeringParameters) -> DataFrame:
    return sum_events_by_day(events(spark, *HISTORY), settings).cache()


DAYS_OF_HISTORY = sorted({ts[:10] for _, ts, *_ in HISTORY})
WEEKS_OF_HISTORY = [
    *("2018-10-01", "2018-11-12", "2018-11-19"),
    "2018-11-26",
]


def aggregate_after(
    days: list[str], pages: DataFrame, settings: FeatureEngineeringParameters
) -> PartitionUpdate:
    """Return the update of user_days after a run whose log had only some days."""

    def aggregate(listed: list[str], manifest: dict[str, Any]) -> PartitionUpdate:
        digests = {day: {"digest": f"events of {day}"} for day in listed}
        manifests = {"page_counts": {"partitions": digests}, "user_days": manifest}
        return nodes.aggregate_user_days(pages, manifests, USABLE, settings)

    return aggregate(DAYS_OF_HISTORY, {"partitions": aggregate(days, {}).partitions})


@pytest.mark.parametrize(
    ("new", "first_week"),
    [("2018-10-02", "2018-10-01"), ("2018-11-22", "2018-11-19"), ("2018-11-30", "2018-11-26")],
)
def test_weeks_from_the_first_new_day_on_are_summed_as_those_of_the_whole_log(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    days: DataFrame,
    new: str,
    first_week: str,
) -> None:
    pages = sum_events(events(spark, *HISTORY).withColumn("time_format", F.lit("ms")))
    others = [day for day in DAYS_OF_HISTORY if day != new]
    update = aggregate_after(others, pages, settings)
    assert update.written == [week for week in WEEKS_OF_HISTORY if week >= first_week]
    assert list(update.partitions) == WEEKS_OF_HISTORY
    assertDataFrameEqual(update.rows, days.where(F.col("week") >= F.lit(first_week)))


def test_a_session_that_began_before_the_first_day_does_not_begin_again(
    spark: SparkSession, settings: FeatureEngineeringParameters, days: DataFrame
) -> None:
    pages = sum_events(events(spark, *HISTORY).withColumn("time_format", F.lit("ms")))
    later = nodes.sum_user_days(pages, settings, "2018-10-02")
    # On 2018-10-02, session 1 of the day before goes on.
    assertDataFrameEqual(later, days.where("day >= '2018-10-02'"))


def test_a_user_day_has_the_last_known_revenue(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    log = events(
        spark,
        ("a", "2018-10-01 10:00:00", "Home", 1, "paid", None),
        ("a", "2018-10-01 11:00:00", "Home", 2, "paid", None),
        ("a", "2018-10-01 12:00:00", "Home", 2, "paid", None),
        ("b", "2018-10-01 10:00:00", "Home", 3, "free", None),
    )
    revenue = F.create_map(F.lit(0), F.lit(9.5), F.lit(1), F.lit(7.5))[F.col("item_in_session")]
    days = sum_events_by_day(log.withColumn("revenue", revenue), settings)
    assert {row["user_id"]: row["revenue"] for row in days.collect()} == {"a": 7.5, "b": None}


def test_a_user_day_sums_the_events_of_a_day(
    days: DataFrame, settings: FeatureEngineeringParameters
) -> None:
    USER_DAYS.validate(days)
    first, second, *_ = days.where("user_id = 'a'").orderBy("day").collect()
    columns = ["next_song", "roll_advert", "thumbs_up", "home", "submit_upgrade", "other_pages"]
    assert [first[name] for name in columns] == [1, 1, 0, 0, 0, 0]
    assert [second[name] for name in columns] == [1, 0, 1, 1, 1, 0]
    assert (first["day"], second["day"]) == (date(2018, 10, 1), date(2018, 10, 2))
    assert (first["listening_ms"], second["listening_ms"]) == (200_500, 100_250)
    assert (first["level"], second["level"]) == ("free", "paid")
    assert second["last_ts"] == datetime(2018, 10, 2, 9, 0, 10)


BOTH_LEVELS = [
    ("a", "2018-10-01 10:00:00", "NextSong", 1, "free", 200.0),
    ("a", "2018-10-01 10:03:00", "Roll Advert", 1, "free", None),
    ("a", "2018-10-01 10:04:00", "NextSong", 1, "free", 200.0),
    ("a", "2018-10-01 10:07:00", "Thumbs Down", 1, "free", None),
    ("a", "2018-10-01 10:08:00", "Submit Upgrade", 1, "free", None),
    ("a", "2018-10-01 10:09:00", "NextSong", 1, "paid", 200.0),
    ("a", "2018-10-01 10:10:00", "Thumbs Down", 1, "paid", None),
    ("a", "2018-10-01 10:11:00", "Thumbs Down", 1, "paid", None),
]


def test_a_user_day_counts_events_on_the_free_level_separately(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    (row,) = sum_events_by_day(events(spark, *BOTH_LEVELS), settings).collect()
    columns = ["next_song", "thumbs_down", "roll_advert"]
    assert [row[name] for name in columns] == [3, 3, 1]
    assert [row[f"free_{name}"] for name in columns] == [2, 1, 1]


@pytest.mark.parametrize(
    ("moments", "level"),
    [
        ([(1, "NextSong", "paid"), (2, "Home", "free")], "free"),
        ([(2, "Home", "free"), (1, "NextSong", "paid")], "free"),
        ([(2, "Home", "free"), (2, "NextSong", "paid")], "paid"),
        ([(2, "Home", "free"), (2, "NextSong", "paid"), (1, "Home", "free")], "paid"),
    ],
    ids=["in order", "items out of order", "same time", "both"],
)
def test_the_last_event_of_a_day_has_the_latest_time_then_the_highest_item(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    moments: list[tuple[int, str, str]],
    level: str,
) -> None:
    log = [
        ("a", f"2018-10-01 10:00:0{second}", page, 1, event_level, None)
        for second, page, event_level in moments
    ]
    (row,) = sum_events_by_day(events(spark, *log), settings).collect()
    assert (row["level"], row["last_ts"]) == (level, datetime(2018, 10, 1, 10, 0, 2))


CANCELLED = "Cancellation Confirmation"
AT_ONE_MOMENT = [
    ("a", "2018-10-01 10:00:00", CANCELLED, 1, "free", None),
    ("a", "2018-10-01 10:00:00", "Home", 1, "free", None),
]


@pytest.mark.parametrize(
    ("log", "ends_cancelled"),
    [
        ([("a", "2018-10-01 10:00:00", CANCELLED, 1, "free", None)], True),
        (AT_ONE_MOMENT, False),
        (AT_ONE_MOMENT[::-1], True),
        ([*AT_ONE_MOMENT, ("a", "2018-10-01 11:00:00", CANCELLED, 2, "free", None)], True),
        ([("a", "2018-10-01 10:00:00", "Home", 1, "free", None)], False),
    ],
    ids=["alone", "event after it", "event before it", "twice", "never"],
)
def test_a_day_ends_cancelled_if_the_cancellation_is_its_last_event(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    log: list[tuple[Any, ...]],
    ends_cancelled: bool,
) -> None:
    (row,) = sum_events_by_day(events(spark, *log), settings).collect()
    assert row["ends_cancelled"] is ends_cancelled


def test_a_session_across_midnight_counts_once(days: DataFrame) -> None:
    rows = days.where("user_id = 'a'").orderBy("day").collect()
    assert [row["sessions"] for row in rows] == [1, 1, 1]


def test_unknown_pages_but_not_the_cancellation_are_other_pages(days: DataFrame) -> None:
    rows = days.where("user_id = 'b'").orderBy("day").collect()
    assert [row["other_pages"] for row in rows] == [1, 1]  # the new page; Cancel
    assert [row["cancellations"] for row in rows] == [0, 1]


@pytest.mark.parametrize(
    ("last_event", "holdout"),
    [
        ("2018-11-30 23:59:58", date(2018, 11, 21)),
        ("2018-12-01 00:00:02", date(2018, 11, 21)),
        ("2018-11-30 15:00:00", date(2018, 11, 20)),
    ],
)
def test_the_last_full_day_ends_the_log(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    last_event: str,
    holdout: date,
) -> None:
    log = [*HISTORY[:7], ("d", last_event, "Home", 9, "free", None)]
    snapshots = nodes.label_snapshots(sum_events_by_day(events(spark, *log), settings), settings)
    assert snapshots.agg(F.max("cutoff")).first()[0] == holdout


def test_snapshots_are_customers_and_their_labels(
    spark: SparkSession, days: DataFrame, settings: FeatureEngineeringParameters
) -> None:
    snapshots = SNAPSHOTS.validate(nodes.label_snapshots(days, settings))
    cutoffs = [date(2018, 10, 10), date(2018, 10, 17), date(2018, 10, 24), date(2018, 10, 31)]
    cutoffs += [date(2018, 11, 7), date(2018, 11, 14), date(2018, 11, 21)]
    # b cancels on 2018-11-12: churned at 11-07, not a customer later; c and d come too late.
    expected = [("a", cutoff, False) for cutoff in cutoffs]
    expected += [("b", cutoff, cutoff == date(2018, 11, 7)) for cutoff in cutoffs[:5]]
    assertDataFrameEqual(snapshots, spark.createDataFrame(expected, snapshots.schema))


def test_a_log_without_events_is_an_error(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    no_days = sum_events_by_day(events(spark, *HISTORY).where("false"), settings)
    with pytest.raises(LogTooShortError, match="events has no rows"):
        nodes.label_snapshots(no_days, settings)


# Seven customers around the only cutoff of a log from 2018-11-10 to 2018-12-01: 2018-11-21.
CHANGES = [
    ("later", "2018-11-10 10:00:00", "Home", 1, "paid", None),
    ("later", "2018-11-30 23:59:59", "Submit Downgrade", 2, "paid", None),
    ("too_late", "2018-11-10 10:00:00", "Home", 1, "paid", None),
    ("too_late", "2018-12-01 00:00:00", "Submit Downgrade", 2, "paid", None),
    ("cancelled_later", "2018-11-10 10:00:00", "Home", 1, "paid", None),
    ("cancelled_later", "2018-11-25 10:00:00", "Cancellation Confirmation", 2, "paid", None),
    ("upgraded_later", "2018-11-10 10:00:00", "Home", 1, "free", None),
    ("upgraded_later", "2018-11-21 00:00:00", "Submit Upgrade", 2, "free", None),
    ("upgraded_later", "2018-11-23 10:00:00", "Submit Downgrade", 3, "paid", None),
    ("earlier", "2018-11-20 23:59:58", "Submit Downgrade", 1, "paid", None),
    ("earlier", "2018-11-20 23:59:59", "Home", 1, "free", None),
    ("twice", "2018-11-15 10:00:00", "Submit Downgrade", 1, "paid", None),
    ("twice", "2018-11-20 10:00:00", "Home", 2, "paid", None),
    ("twice", "2018-11-21 00:00:00", "Submit Downgrade", 3, "paid", None),
    ("gone", "2018-11-15 10:00:00", "Cancellation Confirmation", 1, "paid", None),
]


@pytest.mark.parametrize(
    ("outcome", "churned"),
    [
        (
            "cancellation",
            {
                **{"later": False, "too_late": False, "cancelled_later": True},
                **{"upgraded_later": False, "earlier": False, "twice": False},
            },
        ),
        (
            "downgrade",  # only customers on the paid level at the cutoff
            {"later": True, "too_late": False, "cancelled_later": False, "twice": True},
        ),
        (
            "either",
            {
                **{"later": True, "too_late": False, "cancelled_later": True},
                **{"upgraded_later": True, "earlier": False, "twice": True},
            },
        ),
        (
            "inactivity",
            {
                **{"later": False, "too_late": True, "cancelled_later": False},
                **{"upgraded_later": False, "earlier": True, "twice": False},
            },
        ),
    ],
)
def test_customers_and_labels_depend_on_the_outcome(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    outcome: str,
    churned: dict[str, bool],
) -> None:
    changed = settings.model_copy(update={"outcome": outcome})
    snapshots = nodes.label_snapshots(sum_events_by_day(events(spark, *CHANGES), settings), changed)
    expected = [(user, date(2018, 11, 21), label) for user, label in churned.items()]
    assertDataFrameEqual(snapshots, spark.createDataFrame(expected, snapshots.schema))


# The last day, 2018-12-01, has events until 09:00: it is not full, so no horizon contains it.
PARTLY_LOGGED = [
    ("regular", "2018-11-10 10:00:00", "Home", 1, "free", None),
    ("regular", "2018-11-19 10:00:00", "Home", 2, "free", None),
    ("regular", "2018-11-29 10:00:00", "Home", 3, "free", None),
    ("late", "2018-11-18 10:00:00", "Home", 1, "free", None),
    ("late", "2018-11-30 10:00:00", "Home", 2, "free", None),
    ("away", "2018-11-18 10:00:00", "Home", 1, "free", None),
    ("away", "2018-12-01 09:00:00", "Home", 2, "free", None),
]


def test_a_partial_last_day_does_not_make_customers_inactive(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    changed = settings.model_copy(update={"outcome": "inactivity"})
    log = sum_events_by_day(events(spark, *PARTLY_LOGGED), changed)
    snapshots = nodes.label_snapshots(log, changed)
    holdout = date(2018, 11, 21)  # its horizon is the ten full days from 11-21 to 11-30
    expected = [("regular", holdout, False), ("late", holdout, False), ("away", holdout, True)]
    assertDataFrameEqual(snapshots, spark.createDataFrame(expected, snapshots.schema))


def test_for_inactivity_events_after_the_cutoff_do_not_change_features(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    changed = settings.model_copy(update={"outcome": "inactivity"})
    whole = sum_events_by_day(events(spark, *CHANGES), changed)
    earlier = [row for row in CHANGES if row[1] < "2018-11-21"]
    cut = sum_events_by_day(events(spark, *earlier), changed)
    snapshots = nodes.label_snapshots(whole, changed)
    assert snapshots.count() == 6
    assertDataFrameEqual(
        nodes.compute_features(whole, snapshots, changed),
        nodes.compute_features(cut, snapshots, changed),
    )


def test_a_cancellation_counts_from_the_cutoff_to_the_end_of_the_horizon(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    def churned(ts: str) -> dict[str, bool]:
        log = [
            ("a", "2018-10-01 00:00:00", "Home", 1, "free", None),
            ("a", ts, "Cancellation Confirmation", 1, "free", None),
            ("z", "2018-10-01 00:00:00", "Home", 1, "free", None),
            ("z", "2018-12-01 00:00:02", "Home", 1, "free", None),
        ]
        snapshots = nodes.label_snapshots(
            sum_events_by_day(events(spark, *log), settings), settings
        )
        return {str(r["cutoff"]): r["churned"] for r in snapshots.where("user_id='a'").collect()}

    assert "2018-11-21" not in churned("2018-11-20 23:59:59")
    assert churned("2018-11-21 00:00:00")["2018-11-21"] is True
    assert churned("2018-11-30 23:59:59")["2018-11-21"] is True
    assert churned("2018-12-01 00:00:00")["2018-11-21"] is False


@pytest.fixture(scope="module")
def features(days: DataFrame, settings: FeatureEngineeringParameters) -> DataFrame:
    return nodes.compute_features(days, nodes.label_snapshots(days, settings), settings).cache()


def test_features_sum_events_before_the_cutoff(
    features: DataFrame, settings: FeatureEngineeringParameters
) -> None:
    FEATURES.validate(features)
    assert features.columns[2:] == settings.feature_columns
    (row,) = features.where("user_id = 'a' and cutoff = date'2018-10-10'").collect()
    # Days 10-01 and 10-02 are 9 and 8 days before: outside of 7, inside of 14.
    assert [row[f"next_song{window}"] for window in ("_7d", "_14d", "_28d", "")] == [0, 2, 2, 2]
    assert [row[f"sessions{window}"] for window in ("_7d", "_14d", "_28d", "")] == [0, 2, 2, 2]
    assert (row["active_days"], row["listening_ms"], row["other_pages"]) == (2, 300_750, 0)
    assert (row["thumbs_up"], row["submit_upgrade"], row["thumbs_down"]) == (1, 1, 0)
    assert row["is_paid"] == 1.0
    assert row["account_age_days"] == 39.0
    assert row["days_since_last_seen"] == pytest.approx(7 + (15 * 3600 - 10) / 86_400)


def test_a_window_begins_the_given_number_of_days_before_the_cutoff(features: DataFrame) -> None:
    rows = features.where("user_id = 'b'").orderBy("cutoff").limit(5).collect()
    # b listens only on 10-03: 7, 14, 21, 28 and 35 days before.
    windows = ("_7d", "_14d", "_28d", "")
    assert [[row[f"next_song{window}"] for window in windows] for row in rows] == [
        [1, 1, 1, 1],
        [0, 1, 1, 1],
        [0, 0, 1, 1],
        [0, 0, 1, 1],
        [0, 0, 0, 1],
    ]


def test_features_count_each_level_separately(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    log, customer = events(spark, *BOTH_LEVELS), spark.createDataFrame([("a",)], "user_id string")
    (row,) = compute_features_at(log, "2018-10-02", customer, settings).collect()
    columns = ["next_song", "thumbs_down", "roll_advert"]
    assert [row[name] for name in columns] == [3, 3, 1]
    assert [row[f"free_{name}"] for name in columns] == [2, 1, 1]
    assert [row[f"paid_{name}"] for name in columns] == [1, 2, 0]


@pytest.mark.parametrize(
    ("registered", "observed_days"),
    [
        ("2018-09-01 00:00:00", 9.0),  # from the log's first day on
        ("2018-10-02 12:00:00", 7.5),  # from the registration on
        ("2018-10-05 12:00:00", 7.0),  # from the day of the first event on
    ],
)
def test_observed_days_begin_with_registration_log_start_or_first_event(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    registered: str,
    observed_days: float,
) -> None:
    log = events(spark, *HISTORY).withColumn("registration", F.lit(registered).cast("timestamp"))
    customer = spark.createDataFrame([("b",)], "user_id string")  # first seen on 2018-10-03
    (row,) = compute_features_at(log, "2018-10-10", customer, settings).collect()
    assert row["observed_days"] == observed_days


def test_a_future_registration_gives_an_account_age_of_zero(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    late = events(spark, *HISTORY).withColumn("registration", F.lit(datetime(2018, 11, 30)))
    days = sum_events_by_day(late, settings)
    rows = nodes.compute_features(days, nodes.label_snapshots(days, settings), settings)
    assert rows.agg(F.max("account_age_days")).first()[0] == 0.0


def compute_features_at(
    log: DataFrame, cutoff: str, users: DataFrame, settings: FeatureEngineeringParameters
) -> DataFrame:
    """Return the features of the given users at one cutoff."""
    snapshots = users.select("user_id", F.lit(cutoff).cast("date").alias("cutoff"), F.lit(None))
    return nodes.compute_features(sum_events_by_day(log, settings), snapshots, settings)


@pytest.mark.parametrize("cutoff", ["2018-10-17", "2018-11-14"])
def test_events_at_or_after_the_cutoff_do_not_change_features(
    finished: Any, settings: FeatureEngineeringParameters, cutoff: str
) -> None:
    log = accepted(finished.catalog().load("checked_events")).cache()
    after = F.col("ts") >= F.lit(cutoff).cast("timestamp")
    users = finished.catalog().load("snapshots").where(F.col("cutoff") == cutoff)
    expected = compute_features_at(log, cutoff, users, settings)
    deleted = log.where(~after)
    altered = log.withColumns(
        {
            "page": F.when(after, "Thumbs Down").otherwise(F.col("page")),
            "level": F.when(after, "paid").otherwise(F.col("level")),
            "length": F.when(after, 9999.0).otherwise(F.col("length")),
            "registration": F.when(after, F.lit(datetime(2000, 1, 1))).otherwise(
                F.col("registration")
            ),
        }
    )
    cutoff_time = F.lit(cutoff).cast("timestamp")
    invented = log.unionByName(
        log.where("page = 'Home'").withColumns({"ts": cutoff_time, "page": F.lit("Downgrade")})
    )
    for changed in (deleted, altered, invented):
        assertDataFrameEqual(compute_features_at(changed, cutoff, users, settings), expected)
    log.unpersist()


@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_results_do_not_depend_on_partitions_or_order(
    finished: Any,
    settings: FeatureEngineeringParameters,
    parameters: dict[str, Any],
    partitions: int,
) -> None:
    catalog = finished.catalog()
    lines = (
        catalog.load("raw_events").read_all().orderBy(F.xxhash64("value")).repartition(partitions)
    )
    log = accepted(check_records(lines, parameters["data_processing"]))
    days = sum_events_by_day(log, settings).cache()
    snapshots = nodes.label_snapshots(days, settings)
    assertDataFrameEqual(days, catalog.load("user_days"), rtol=0, atol=0)
    assertDataFrameEqual(snapshots, catalog.load("snapshots"))
    features = nodes.compute_features(days, snapshots, settings)
    assertDataFrameEqual(features, catalog.load("features"), rtol=0, atol=0)
    days.unpersist()


def test_events_are_the_accepted_rows(finished: Any) -> None:
    checked = finished.catalog().load("checked_events")
    rows = EVENTS.validate(accepted(checked))
    quality = finished.catalog().load("data_quality")
    assert rows.count() == quality["accepted"] < quality["lines"]


def test_one_row_per_user_and_cutoff(finished: Any) -> None:
    for name in ("snapshots", "features", "train", "test"):
        table = finished.catalog().load(name)
        assert table.count() == table.select("user_id", "cutoff").distinct().count(), name
    snapshots = finished.catalog().load("snapshots")
    assert snapshots.count() == finished.catalog().load("features").count()


def test_a_cancelled_user_has_no_later_snapshot(finished: Any) -> None:
    catalog = finished.catalog()
    gone = accepted(catalog.load("checked_events")).where("page = 'Cancellation Confirmation'")
    cancelled = gone.groupBy("user_id").agg(F.min("ts").alias("cancelled_ts"))
    later = catalog.load("snapshots").join(cancelled, on="user_id").where("cutoff > cancelled_ts")
    assert cancelled.count() > 0
    assert later.count() == 0


def test_features_of_genuine_users_match_pandas(
    spark: SparkSession,
    settings: FeatureEngineeringParameters,
    parameters: dict[str, Any],
    real: Path,
) -> None:
    names = ["events_5_users.json", "events_user_87.json", "events_user_113.json"]
    paths = [str(real / name) for name in names]
    log = accepted(check_records(spark.read.text(paths), parameters["data_processing"]))
    days = sum_events_by_day(log, settings).cache()
    frame = pd.concat(pd.read_json(path, lines=True, convert_dates=False) for path in paths)
    frame["day"] = pd.to_datetime(frame["ts"], unit="ms").dt.date
    totals = days.agg(
        F.count("*"), F.sum("next_song"), F.sum("thumbs_down"), F.sum("sessions")
    ).first()
    assert totals[0] == len(frame[["userId", "day"]].drop_duplicates())
    assert totals[1] == (frame["page"] == "NextSong").sum()
    assert totals[2] == (frame["page"] == "Thumbs Down").sum()
    assert totals[3] == len(frame[["userId", "sessionId"]].drop_duplicates())
    snapshots = nodes.label_snapshots(days, settings)
    cutoff_ms = int(pd.Timestamp("2018-11-06").timestamp() * 1000)
    before = frame[frame["ts"] < cutoff_ms]
    gone = before[before["page"] == "Cancellation Confirmation"]["userId"]
    customers = set(before["userId"].astype(str)) - set(gone.astype(str))
    at_cutoff = snapshots.where("cutoff = date'2018-11-06'")
    assert {row["user_id"] for row in at_cutoff.collect()} == customers
    songs = before[before["page"] == "NextSong"].groupby("userId").size()
    features = nodes.compute_features(days, at_cutoff, settings).collect()
    counts = {row["user_id"]: row["next_song"] for row in features}
    assert counts == {user: songs.get(int(user), 0) for user in customers}
    days.unpersist()


def test_renaming_page_columns_does_not_change_values(
    spark: SparkSession, settings: FeatureEngineeringParameters
) -> None:
    new_names = {name: f"seen_{name}" for name in settings.pages}
    changed = FeatureEngineeringParameters(
        **{
            **settings.model_dump(),
            "pages": {new_names[name]: page for name, page in settings.pages.items()},
            "by_level": [new_names[name] for name in settings.by_level],
            "windowed": [new_names.get(name, name) for name in settings.windowed],
            "outcome": "either",
        }
    )
    log = events(spark, *CHANGES)
    usual = sum_events_by_day(log, settings)
    days = sum_events_by_day(log, changed)
    snapshots = nodes.label_snapshots(days, changed)
    either = settings.model_copy(update={"outcome": "either"})
    assertDataFrameEqual(snapshots, nodes.label_snapshots(usual, either))
    actual = nodes.compute_features(days, snapshots, changed)
    expected = nodes.compute_features(usual, snapshots, settings)
    assert actual.columns != expected.columns
    assertDataFrameEqual(actual.toDF(*expected.columns), expected)
