"""Make user days, snapshots with labels, and features."""

import logging
from collections.abc import Iterable
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkify.pipelines.data_processing.changed_days import digest_weeks, plan_partitions
from sparkify.pipelines.data_processing.nodes import require_usable_log
from sparkify.pipelines.feature_engineering.customers import (
    find_log_span,
    label_customers,
    list_cutoffs,
)
from sparkify.pipelines.feature_engineering.log_summary import (
    count_returning_customers,
    find_missing_pages,
    list_needed_pages,
)
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import (
    KEYS,
    USER_DAYS,
    PartitionUpdate,
    summed_columns,
    window_columns,
)

logger = logging.getLogger(__name__)
SECONDS_PER_DAY = 86_400
SESSION = ["user_id", "session_id"]
# Increase it when the code sums user_days differently: all weeks are made anew.
SUMS_VERSION = 1


def aggregate_user_days(
    page_counts: DataFrame,
    table_manifests: dict[str, Any],
    data_quality: dict[str, Any],
    feature_engineering: FeatureEngineeringParameters,
) -> PartitionUpdate:
    """Return one row per user and UTC day with events: counts per page, sessions, level.

    All later tables are sums over these rows. A run keeps the weeks before that of the first
    changed day. A session may go on after midnight, so a day depends on earlier days, but not on
    later ones.

    Args:
        page_counts: the events by user, session, page and day.
        table_manifests: what `page_counts` and the `user_days` of the last run were made from.
        data_quality: the numbers of accepted and rejected records.
        feature_engineering: the pages to count. If any parameter changed, all weeks are made anew.

    Raises:
        LogError: if too many records of the log were rejected.
    """
    require_usable_log(data_quality)
    partitions = table_manifests["page_counts"]["partitions"]
    digests = {day: made_from["digest"] for day, made_from in partitions.items()}
    settings = {
        "the version of the sums": SUMS_VERSION,
        "the columns of user_days": USER_DAYS.struct.simpleString(),
        "feature_engineering": feature_engineering.model_dump(mode="json"),
    }
    update = plan_partitions(digest_weeks(digests, settings), table_manifests["user_days"])
    is_from_scratch = update["written"] == [*update["partitions"]]
    first_day = None if is_from_scratch else min(update["written"], default=None)
    rows = sum_user_days(page_counts, feature_engineering, first_day)
    return PartitionUpdate(rows.repartition("week"), **update)  # a file per week


def sum_user_days(
    page_counts: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
    first_day: str | None = None,
) -> DataFrame:
    """Return the rows of `user_days` from `first_day` (ISO 8601) on; of all days if it is None.

    Example:
        Two songs around midnight in one session; the session counts on its first day.

        ```
        user_id  ts                   page      session_id
        a        2018-10-01 23:50:00  NextSong  1
        a        2018-10-02 00:05:00  NextSong  1

        user_id  day         next_song  sessions
        a        2018-10-01  1          1
        a        2018-10-02  1          0
        ```
    """
    is_new = F.col("day") >= F.lit(first_day).cast("date") if first_day else F.lit(True)
    new = page_counts.where(is_new)
    earlier = page_counts.where(~is_new).select(*SESSION)
    continued = earlier.join(new.select(*SESSION).distinct(), on=SESSION, how="left_semi")
    begun = continued.distinct().withColumn("has_earlier_day", F.lit(True))
    session_days = _aggregate_session_days(new, feature_engineering)
    is_first_day = F.col("day") == F.min("day").over(Window.partitionBy(*SESSION))
    counts = [*feature_engineering.pages, "other_pages", "cancellations"]
    free_counts = [f"free_{name}" for name in feature_engineering.by_level]
    return (
        session_days.join(begun, on=SESSION, how="left")
        .withColumn("is_session_start", is_first_day & F.col("has_earlier_day").isNull())
        .groupBy("user_id", "day")
        .agg(
            *(F.sum(name).alias(name) for name in [*counts, *free_counts, "listening_ms"]),
            F.count_if("is_session_start").alias("sessions"),
            F.max("last_event").alias("last_event"),
            F.min("registration").alias("registration"),
            F.max("last_gender").alias("last_gender"),
            F.max("last_revenue").alias("last_revenue"),
        )
        .select(
            *("user_id", "day", F.trunc("day", "week").alias("week")),
            *(*counts, "sessions", "listening_ms", *free_counts),
            "last_event.level",
            F.col("last_event.last_ts").alias("last_ts"),
            (F.col("last_event.page") == feature_engineering.cancellation_page).alias(
                "ends_cancelled"
            ),
            *("registration", "last_gender.gender", "last_revenue.revenue"),
        )
    )


def _aggregate_session_days(
    page_counts: DataFrame, parameters: FeatureEngineeringParameters
) -> DataFrame:
    """Return sums by user, session and day; a session may continue after midnight."""
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
    return page_counts.groupBy(*SESSION, "day").agg(
        *(
            F.sum(F.when(condition, F.col("events")).otherwise(0)).alias(name)
            for name, condition in conditions.items()
        ),
        F.sum(F.when(page == parameters.song_page, F.col("length_ms")).otherwise(0)).alias(
            "listening_ms"
        ),
        F.max(F.struct("last_position", "session_id", "level", "last_ts", "page")).alias(
            "last_event"
        ),
        F.min("registration").alias("registration"),
        F.max(F.when(is_gender_known, F.struct("last_position", "gender"))).alias("last_gender"),
        F.max(F.when(F.col("revenue").isNotNull(), F.struct("last_position", "revenue"))).alias(
            "last_revenue"
        ),
    )


def summarize_events(
    events: DataFrame,
    user_days: DataFrame,
    data_quality: dict[str, Any],
    feature_engineering: FeatureEngineeringParameters,
) -> dict[str, Any]:
    """Return the log's pages and returning customers; log a warning about pages without events.

    Returns:
        `pages`: the most frequent pages with their number of events. `missing_pages`: pages
        without events, by parameter. `returning_customers`: the number of `customers` with events
        after a cancellation, the number of these `events`, and in `treated_as` the parameter
        `feature_engineering.returning_customers`.
    """
    missing = find_missing_pages(user_days, feature_engineering)
    needed = list_needed_pages(missing, feature_engineering)
    if needed:
        listed = ", ".join(f"'{page}' ({parameter})" for parameter, page in needed.items())
        logger.warning("The log has no event on these configured pages: %s", listed)
    for level in sorted({"free", "paid"} - data_quality["levels"].keys()):
        logger.warning("The log has no event on the %s level (data_processing.levels)", level)
    return {
        "pages": data_quality["pages"],
        "missing_pages": missing,
        "returning_customers": count_returning_customers(events, user_days, feature_engineering),
    }


def label_snapshots(
    user_days: DataFrame, feature_engineering: FeatureEngineeringParameters
) -> DataFrame:
    """Return one row per customer and cutoff, with the label `churned`.

    `churned` is whether the outcome happens in [cutoff, cutoff + horizon).

    Raises:
        LogTooShortError: if the log is too short for a history and a horizon.
        LogGapError: if too many days in a row have no event.
    """
    cutoffs = list_cutoffs(*find_log_span(user_days, feature_engineering), feature_engineering)
    return label_customers(user_days, cutoffs, feature_engineering)


def add_derived_counts(user_days: DataFrame, by_level: Iterable[str]) -> DataFrame:
    """Return user_days with active days and paid counts, which are not stored."""
    paid = {f"paid_{name}": F.col(name) - F.col(f"free_{name}") for name in by_level}
    return user_days.withColumns({"active_days": F.lit(1), **paid})


def compute_features(
    user_days: DataFrame,
    snapshots: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
) -> DataFrame:
    """Return one row per user and cutoff: sums, levels and times of the events before the cutoff.

    The model computes rates, which it shrinks towards values learnt from training snapshots.
    """
    by_level = feature_engineering.by_level
    days = add_derived_counts(user_days, by_level)
    log_opened = F.broadcast(user_days.agg(F.min("day").alias("log_opened")))
    customers = snapshots.select(*KEYS).crossJoin(log_opened)
    days_before = days.join(customers, on="user_id", how="inner").where("day < cutoff")
    summed = summed_columns(feature_engineering.pages, by_level)
    windows = window_columns(feature_engineering.windowed, feature_engineering.windows_days)
    history = days_before.groupBy(*KEYS).agg(
        *(F.sum(name).cast("double").alias(name) for name in summed),
        *(
            _sum_recent_days(name, window).alias(column)
            for column, (name, window) in windows.items()
        ),
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
    since_registration = _count_days_between(F.col("registration"), cutoff)
    observed_from = F.least(first_day, F.greatest(opened, "registration"))
    return history.select(
        *KEYS,
        *summed,
        *windows,
        is_paid.cast("double").alias("is_paid"),
        F.greatest(since_registration, F.lit(0.0)).alias("account_age_days"),
        _count_days_between(observed_from, cutoff).alias("observed_days"),
        _count_days_between(F.col("last_ts"), cutoff).alias("days_since_last_seen"),
    )


def _sum_recent_days(column: str, days: int) -> Column:
    is_recent = F.col("day") >= F.date_sub("cutoff", days)
    return F.sum(F.when(is_recent, F.col(column)).otherwise(0)).cast("double")


def _count_days_between(earlier: Column, later: Column) -> Column:
    seconds = F.unix_micros(later) - F.unix_micros(earlier)
    return seconds / (1_000_000 * SECONDS_PER_DAY)
