"""From events to what was known about each customer at each cutoff."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import EVENTS, KEYS, PER_SONG_RATES, window_columns

SECONDS_PER_DAY = 86_400


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
    pages = [*feature_engineering.pages, "other_pages"]
    summed = [*pages, "cancellations", "listening_ms", "free_songs", "free_adverts"]
    session = Window.partitionBy("user_id", "session_id")
    is_first_day = F.col("day") == F.min("day").over(session)
    return (
        session_days.withColumn("is_first_day", is_first_day)
        .groupBy("user_id", "day")
        .agg(
            *(F.sum(name).alias(name) for name in summed),
            F.count_if("is_first_day").alias("sessions"),
            F.max("last_event").alias("last_event"),
            F.min("registration").alias("registration"),
        )
        .select(
            *("user_id", "day", *pages, "cancellations", "sessions", "listening_ms"),
            *("free_songs", "free_adverts", "last_event.level"),
            F.col("last_event.last_ts").alias("last_ts"),
            "registration",
        )
    )


def _page_days(events: DataFrame, parameters: FeatureEngineeringParameters) -> DataFrame:
    """Count events by user, session, day, page and level.

    Few sums of plain numbers, so that Spark hashes the events and need not sort them: three
    times as fast as a count for every page, and what is left is a fifth of the rows. Within a
    session items are counted in the order of time.
    """
    # Whole milliseconds: a sum of fractions would depend on the order of the events.
    length_ms = F.expr("try_cast(round(length * 1000) as bigint)")
    is_song = F.col("page") == parameters.song_page
    return events.groupBy(
        "user_id", "session_id", F.to_date("ts").alias("day"), "page", "level"
    ).agg(
        F.count("*").alias("events"),
        F.coalesce(F.sum(F.when(is_song, length_ms)), F.lit(0)).alias("listening_ms"),
        F.max("ts").alias("last_ts"),
        F.max("item_in_session").alias("last_item"),
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
        "free_songs": (page == parameters.song_page) & is_free,
        "free_adverts": (page == parameters.advert_page) & is_free,
    }
    return page_days.groupBy("user_id", "session_id", "day").agg(
        *(
            F.sum(F.when(condition, F.col("events")).otherwise(0)).alias(name)
            for name, condition in conditions.items()
        ),
        F.sum("listening_ms").alias("listening_ms"),
        F.max(F.struct("last_ts", "last_item", "session_id", "level")).alias("last_event"),
        F.min("registration").alias("registration"),
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
    """List who was a customer at each cutoff, and whether they cancelled within the horizon.

    One row per user and cutoff: a user seen before the cutoff who had not cancelled by then.

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
    cancelled_on = F.min(F.when(F.col("cancellations") > 0, F.col("day")))
    customers = user_days.groupBy("user_id").agg(
        F.min("day").alias("first_day"), cancelled_on.alias("cancelled_on")
    )
    cutoff = F.explode(F.array(*[F.lit(day) for day in sorted(days)])).alias("cutoff")
    was_seen = F.col("first_day") < F.col("cutoff")
    is_customer = F.col("cancelled_on").isNull() | (F.col("cancelled_on") >= F.col("cutoff"))
    horizon_end = F.date_add("cutoff", feature_engineering.horizon_days)
    churned = F.coalesce(F.col("cancelled_on") < horizon_end, F.lit(False))
    return (
        customers.select("*", cutoff)
        .where(was_seen & is_customer)
        .select("user_id", "cutoff", churned.alias("churned"))
    )


def features(
    user_days: DataFrame,
    snapshots: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
) -> DataFrame:
    """Describe each customer by what the log said before the cutoff.

    One row per user and cutoff. Rates are shrunk towards those of all customers at the same
    cutoff, which are known then as well.
    """
    days = user_days.withColumn("active_days", F.lit(1))
    known = days.join(snapshots.select(*KEYS), on="user_id", how="inner").where("day < cutoff")
    windows = window_columns(feature_engineering.pages, feature_engineering.windows_days)
    sums = [_window_sum(column, window).alias(name) for name, (column, window) in windows.items()]
    history = known.groupBy(*KEYS).agg(
        *sums,
        F.sum("free_songs").alias("free_songs"),
        F.sum("free_adverts").alias("free_adverts"),
        F.max("last_ts").alias("last_ts"),
        F.max(F.when(F.col("level") == "paid", F.col("last_ts"))).alias("last_paid_ts"),
        F.min("registration").alias("registration"),
    )
    is_paid = F.coalesce(F.col("last_paid_ts") == F.col("last_ts"), F.lit(False))
    cutoff_ts = F.col("cutoff").cast("timestamp")
    since_registration = _days_between("registration", cutoff_ts)
    rates = _shrunk_rates(feature_engineering)
    return history.select(
        *KEYS,
        *windows,
        *(rate.alias(name) for name, rate in rates.items()),
        is_paid.cast("double").alias("is_paid"),
        F.greatest(since_registration, F.lit(0.0)).alias("account_age_days"),
        _days_between("last_ts", cutoff_ts).alias("days_since_last_seen"),
    )


def _window_sum(column: str, window: str) -> Column:
    summed = F.col(column).cast("double")
    if window == "all":
        return F.sum(summed)
    is_recent = F.col("day") >= F.date_sub("cutoff", int(window))
    return F.sum(F.when(is_recent, summed).otherwise(0.0))


def _days_between(earlier: str, later: Column) -> Column:
    seconds = F.unix_micros(later) - F.unix_micros(F.col(earlier))
    return seconds / (1_000_000 * SECONDS_PER_DAY)


def _shrunk_rates(parameters: FeatureEngineeringParameters) -> dict[str, Column]:
    """Return rates per song: (count + prior * population rate) / (songs + prior)."""
    column_of = {page: column for column, page in parameters.pages.items()}
    songs = F.col(f"{column_of[parameters.song_page]}_all")
    rates = {
        f"{name}_per_song": _shrunk(F.col(f"{name}_all"), songs, parameters.prior_songs)
        for name in PER_SONG_RATES
    }
    free_songs, free_adverts = F.col("free_songs"), F.col("free_adverts")
    prior = parameters.prior_songs
    return {
        **rates,
        "adverts_per_free_song": _shrunk(free_adverts, free_songs, prior),
        "downgrade_per_paid_song": _shrunk(F.col("downgrade_all"), songs - free_songs, prior),
    }


def _shrunk(count: Column, songs: Column, prior: float) -> Column:
    """Shrink a user's rate towards that of all customers at the same cutoff."""
    at_cutoff = Window.partitionBy("cutoff")
    population = F.try_divide(F.sum(count).over(at_cutoff), F.sum(songs).over(at_cutoff))
    return (count + prior * F.coalesce(population, F.lit(0.0))) / (songs + prior)
