"""From events to what was known about each customer at each cutoff."""

import logging
from collections.abc import Iterable
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkify.pipelines.data_processing.duplicates import drop_copies
from sparkify.pipelines.data_processing.fields import MAX_ITEMS
from sparkify.pipelines.data_processing.log_checks import require_usable_log
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.feature_engineering.completion import find_levels, find_sessions
from sparkify.pipelines.feature_engineering.customers import (
    cutoffs,
    label_customers,
    log_span,
)
from sparkify.pipelines.feature_engineering.log_summary import (
    count_returning_customers,
    find_missing_pages,
    list_needed_pages,
)
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import EVENTS, KEYS, summed_columns, window_columns

logger = logging.getLogger(__name__)
SECONDS_PER_DAY = 86_400


def events(
    checked_events: DataFrame,
    repeated_events: DataFrame,
    data_quality: dict[str, Any],
    data_processing: DataProcessingParameters,
) -> DataFrame:
    """Keep what was accepted: one row per event; a view on what is saved, no copy on disk.

    Sessions and levels that the log does not name are found here, since they take all events of a
    customer.

    Raises:
        LogError: if too many records of the log were rejected.
    """
    require_usable_log(data_quality)
    found = drop_copies(checked_events, repeated_events)
    if data_processing.lacks("sessionId"):
        found = find_sessions(found, data_processing.session_gap_minutes)
    if data_processing.lacks("level"):
        found = find_levels(found, data_processing.plan_pages)
    return found.select(*EVENTS.columns)


def user_days(events: DataFrame, feature_engineering: FeatureEngineeringParameters) -> DataFrame:
    """Sum up each user's days: one row per user and UTC day with events.

    This is the only reader of events; every cutoff, window and label works on its rows.
    """
    session_days = _session_days(_page_days(events, feature_engineering), feature_engineering)
    counted = [*feature_engineering.pages, "other_pages", "cancellations"]
    free = [f"free_{name}" for name in feature_engineering.by_level]
    session = Window.partitionBy("user_id", "session_id")
    is_first_day = F.col("day") == F.min("day").over(session)
    return (
        session_days.withColumn("is_first_day", is_first_day)
        .groupBy("user_id", "day")
        .agg(
            *(F.sum(name).alias(name) for name in [*counted, *free, "listening_ms"]),
            F.count_if("is_first_day").alias("sessions"),
            F.max("last_event").alias("last_event"),
            F.min("registration").alias("registration"),
            F.max("last_gender").alias("last_gender"),
        )
        .select(
            *("user_id", "day", *counted, "sessions", "listening_ms", *free, "last_event.level"),
            F.col("last_event.last_ts").alias("last_ts"),
            (F.col("last_event.page") == feature_engineering.cancellation_page).alias(
                "ends_cancelled"
            ),
            *("registration", "last_gender.gender"),
        )
    )


def _page_days(events: DataFrame, parameters: FeatureEngineeringParameters) -> DataFrame:
    """Count events by user, session, day, page and level.

    Few sums of plain numbers, so that Spark hashes the events and need not sort them: three
    times as fast as a count for every page, and what is left is a fifth of the rows. `last_place`
    orders events by time and, within a moment, by item, in one plain number.
    """
    # Whole milliseconds: a sum of fractions would depend on the order of the events.
    length_ms = F.expr("try_cast(round(length * 1000) as bigint)")
    is_song = F.col("page") == parameters.song_page
    moment = F.unix_millis("ts")
    # A user's gender as a key: its maximum would make Spark sort the events.
    return events.groupBy(
        "user_id", "session_id", F.to_date("ts").alias("day"), "page", "level", "gender"
    ).agg(
        F.count("*").alias("events"),
        F.coalesce(F.sum(F.when(is_song, length_ms)), F.lit(0)).alias("listening_ms"),
        F.max("ts").alias("last_ts"),
        F.max(moment * MAX_ITEMS + F.col("item_in_session")).alias("last_place"),
        F.min("registration").alias("registration"),
    )


def _session_days(page_days: DataFrame, parameters: FeatureEngineeringParameters) -> DataFrame:
    """Sum up by user, session and day, since a session may cross midnight."""
    page, is_free = F.col("page"), F.col("level") == "free"
    is_counted = page.isin(*parameters.pages.values(), parameters.cancellation_page)
    is_gender_known = F.trim("gender") != ""
    conditions = {
        **{column: page == name for column, name in parameters.pages.items()},
        "other_pages": ~is_counted,
        "cancellations": page == parameters.cancellation_page,
        **{
            f"free_{column}": (page == parameters.pages[column]) & is_free
            for column in parameters.by_level
        },
    }
    return page_days.groupBy("user_id", "session_id", "day").agg(
        *(
            F.sum(F.when(condition, F.col("events")).otherwise(0)).alias(name)
            for name, condition in conditions.items()
        ),
        F.sum("listening_ms").alias("listening_ms"),
        F.max(F.struct("last_place", "session_id", "level", "last_ts", "page")).alias("last_event"),
        F.min("registration").alias("registration"),
        F.max(F.when(is_gender_known, F.struct("last_place", "gender"))).alias("last_gender"),
    )


def event_summary(
    events: DataFrame,
    user_days: DataFrame,
    data_quality: dict[str, Any],
    feature_engineering: FeatureEngineeringParameters,
) -> dict[str, Any]:
    """Sum up the log's pages and returning customers; warn of pages that no event has.

    A missing cancellation page is no warning with an outcome that does not show on it.

    Returns:
        `pages`: the most frequent pages with their events; `missing_pages`: pages without any
        event, by the parameter that names them; `returning_customers`: the `customers` who have
        events after a cancellation, these `events`, and what they are `treated_as`.
    """
    missing = find_missing_pages(user_days, feature_engineering)
    needed = list_needed_pages(missing, feature_engineering)
    if needed:
        listed = ", ".join(f"'{page}' ({parameter})" for parameter, page in needed.items())
        logger.warning("The log has no event on these pages, which parameters name: %s", listed)
    for level in sorted({"free", "paid"} - data_quality["levels"].keys()):
        logger.warning("The log has no event on the %s level (data_processing.levels)", level)
    return {
        "pages": data_quality["pages"],
        "missing_pages": missing,
        "returning_customers": count_returning_customers(events, user_days, feature_engineering),
    }


def snapshots(user_days: DataFrame, feature_engineering: FeatureEngineeringParameters) -> DataFrame:
    """List who was a customer at each cutoff, and whether they churned within the horizon.

    One row per user and cutoff.

    Raises:
        LogTooShortError: if the log has room for no cutoff.
        LogGapError: if too many days in a row have no event.
    """
    days = cutoffs(*log_span(user_days, feature_engineering), feature_engineering)
    return label_customers(user_days, days, feature_engineering)


def add_countable_columns(user_days: DataFrame, by_level: Iterable[str]) -> DataFrame:
    """Add what user_days can be summed up by, but does not hold: itself, and the paid level."""
    paid = {f"paid_{name}": F.col(name) - F.col(f"free_{name}") for name in by_level}
    return user_days.withColumns({"active_days": F.lit(1), **paid})


def features(
    user_days: DataFrame,
    snapshots: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
) -> DataFrame:
    """Describe each customer by what the log said before the cutoff.

    One row per user and cutoff. All of it are sums, levels and times; rates come later, in the
    model, which learns from its training snapshots alone towards what to shrink them.
    """
    by_level = feature_engineering.by_level
    days = add_countable_columns(user_days, by_level)
    log_opened = F.broadcast(user_days.agg(F.min("day").alias("log_opened")))
    customers = snapshots.select(*KEYS).crossJoin(log_opened)
    known = days.join(customers, on="user_id", how="inner").where("day < cutoff")
    summed = summed_columns(feature_engineering.pages, by_level)
    windows = window_columns(feature_engineering.windowed, feature_engineering.windows_days)
    history = known.groupBy(*KEYS).agg(
        *(F.sum(name).cast("double").alias(name) for name in summed),
        *(_recent_sum(name, window).alias(column) for column, (name, window) in windows.items()),
        F.min("day").alias("first_day"),
        F.min("log_opened").alias("log_opened"),
        F.max("last_ts").alias("last_ts"),
        F.max(F.when(F.col("level") == "paid", F.col("last_ts"))).alias("last_paid_ts"),
        F.min("registration").alias("registration"),
    )
    is_paid = F.coalesce(F.col("last_paid_ts") == F.col("last_ts"), F.lit(False))
    first_day, opened, cutoff = [
        F.col(name).cast("timestamp") for name in ("first_day", "log_opened", "cutoff")
    ]
    since_registration = _days_between(F.col("registration"), cutoff)
    observed_from = F.least(first_day, F.greatest(opened, "registration"))
    return history.select(
        *KEYS,
        *summed,
        *windows,
        is_paid.cast("double").alias("is_paid"),
        F.greatest(since_registration, F.lit(0.0)).alias("account_age_days"),
        _days_between(observed_from, cutoff).alias("observed_days"),
        _days_between(F.col("last_ts"), cutoff).alias("days_since_last_seen"),
    )


def _recent_sum(column: str, days: int) -> Column:
    is_recent = F.col("day") >= F.date_sub("cutoff", days)
    return F.sum(F.when(is_recent, F.col(column)).otherwise(0)).cast("double")


def _days_between(earlier: Column, later: Column) -> Column:
    seconds = F.unix_micros(later) - F.unix_micros(earlier)
    return seconds / (1_000_000 * SECONDS_PER_DAY)
