"""From events to what was known about each customer at each cutoff."""

from datetime import date, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import EVENTS, KEYS, summed_columns, window_columns

SECONDS_PER_DAY = 86_400
MOST_ITEMS = 2**21  # of a session; with milliseconds up to the year 2100 it fits 63 bits
# The columns of user_days in which each outcome shows.
OUTCOMES = {
    "cancellation": ["cancellations"],
    "downgrade": ["submit_downgrade"],
    "either": ["cancellations", "submit_downgrade"],
}


class LogTooShortError(ValueError):
    """The log does not span the days that the first forecast needs."""


def events(checked_events: DataFrame) -> DataFrame:
    """Keep what was accepted: one row per event.

    Not stored a second time: checked_events is partitioned by `rejection`, so that reading
    its accepted rows touches no others.
    """
    return checked_events.where("rejection is null").select(*EVENTS.columns)


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
            F.max("gender").alias("gender"),
        )
        .select(
            *("user_id", "day", *counted, "sessions", "listening_ms", *free, "last_event.level"),
            F.col("last_event.last_ts").alias("last_ts"),
            *("registration", "gender"),
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
        F.max(moment * MOST_ITEMS + F.col("item_in_session")).alias("last_place"),
        F.min("registration").alias("registration"),
    )


def _session_days(page_days: DataFrame, parameters: FeatureEngineeringParameters) -> DataFrame:
    """Sum up by user, session and day, since a session may cross midnight."""
    page, is_free = F.col("page"), F.col("level") == "free"
    is_counted = page.isin(*parameters.pages.values(), parameters.cancellation_page)
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
        F.max(F.struct("last_place", "session_id", "level", "last_ts")).alias("last_event"),
        F.min("registration").alias("registration"),
        F.max("gender").alias("gender"),
    )


def cutoffs(first_day: date, log_end: date, parameters: FeatureEngineeringParameters) -> list[date]:
    """List the cutoffs of a log, the hold-out's first, then weekly backwards.

    Args:
        first_day: the first day with events.
        log_end: the day after the last full day.
        parameters: the horizon, the step and the shortest history.

    Raises:
        LogTooShortError: if the log has room for no cutoff.
    """
    earliest = first_day + timedelta(days=parameters.min_history_days)
    holdout = log_end - timedelta(days=parameters.horizon_days)
    if holdout < earliest:
        raise LogTooShortError(
            f"events span {first_day} to {log_end}: no room for {parameters.min_history_days} "
            f"days of history (feature_engineering.min_history_days) and a horizon of "
            f"{parameters.horizon_days} days (feature_engineering.horizon_days)."
        )
    steps = (holdout - earliest).days // parameters.cutoff_step_days
    return [
        holdout - timedelta(days=step * parameters.cutoff_step_days) for step in range(steps + 1)
    ]


def snapshots(user_days: DataFrame, feature_engineering: FeatureEngineeringParameters) -> DataFrame:
    """List who was a customer at each cutoff, and whether they churned within the horizon.

    One row per user and cutoff: a user seen before the cutoff who had not cancelled by then, and
    who was on the paid level then if the outcome is a downgrade.

    Raises:
        LogTooShortError: if the log has room for no cutoff.
    """
    tolerance_seconds = feature_engineering.log_end_tolerance_hours * 3_600
    tolerance = F.make_dt_interval(secs=F.lit(tolerance_seconds).cast("decimal(18,6)"))
    span = user_days.agg(
        F.min("day").alias("first_day"), F.to_date(F.max("last_ts") + tolerance).alias("log_end")
    ).first()
    if span is None or span["first_day"] is None:
        raise LogTooShortError("events holds no rows: every line of the log was rejected.")
    days = cutoffs(span["first_day"], span["log_end"], feature_engineering)
    outcome = [F.col(name) for name in OUTCOMES[feature_engineering.outcome]]
    has_outcome = reduce(Column.__or__, [count > 0 for count in outcome])
    customers = user_days.groupBy("user_id").agg(
        F.min("day").alias("first_day"),
        F.min(F.when(F.col("cancellations") > 0, F.col("day"))).alias("cancelled_on"),
        F.collect_list(F.when(has_outcome, F.col("day"))).alias("outcome_days"),
        F.array_sort(F.collect_list(F.struct("day", "level"))).alias("levels"),
    )
    cutoff = F.explode(F.array(*[F.lit(day) for day in sorted(days)])).alias("cutoff")
    was_seen = F.col("first_day") < F.col("cutoff")
    is_customer = F.col("cancelled_on").isNull() | (F.col("cancelled_on") >= F.col("cutoff"))
    before = F.filter("levels", lambda seen: seen["day"] < F.col("cutoff"))
    may_have_outcome = F.element_at(before, -1)["level"] == "paid"
    if feature_engineering.outcome != "downgrade":
        may_have_outcome = F.lit(True)
    horizon_end = F.date_add("cutoff", feature_engineering.horizon_days)
    churned = F.exists("outcome_days", lambda day: (day >= F.col("cutoff")) & (day < horizon_end))
    return (
        customers.select("*", cutoff)
        .where(was_seen & is_customer & may_have_outcome)
        .select("user_id", "cutoff", churned.alias("churned"))
    )


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
    days = user_days.withColumns(
        {
            "active_days": F.lit(1),
            **{f"paid_{name}": F.col(name) - F.col(f"free_{name}") for name in by_level},
        }
    )
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
