"""Features and a model from the log, in Polars and scikit-learn."""

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from benchmarks.peers import settings
from benchmarks.peers.model import evaluate_tables
from benchmarks.peers.settings import Phases, main, part_files

TYPES = {"double": pl.Float64, "text": pl.String, "whole": pl.Int64}
DAY_SECONDS = 86_400


def accepted_events(log: Path, folder: Path) -> None:
    """Write the valid events of users, without duplicates."""
    schema = {key: TYPES[kind] for key, (_, kind) in settings.COLUMNS.items()}
    essential = ["page", "sessionId", "itemInSession", "level"]
    accepted = (
        pl.scan_ndjson(part_files(log), schema=schema, ignore_errors=True)
        .filter(
            pl.col("registration").is_between(settings.EARLIEST_MS, settings.LATEST_MS - 1),
            pl.col("ts").is_between(settings.EARLIEST_MS, settings.LATEST_MS - 1),
            pl.col("userId") != "",
            *(pl.col(key).is_not_null() for key in essential),
        )
        .select(
            (
                pl.col(key).cast(pl.Int64).cast(pl.Datetime("ms"))
                if key in ("ts", "registration")
                else pl.col(key)
            ).alias(name)
            for key, (name, _) in settings.COLUMNS.items()
        )
    )
    accepted.sink_parquet(folder / "events.parquet", compression="snappy")
    events = pl.scan_parquet(folder / "events.parquet")
    # Equal lines are equal events. Removing them compares all columns, so first check for any.
    identity = ["user_id", "session_id", "item_in_session", "ts"]
    hashes = events.select(pl.struct(identity).hash().alias("h")).collect(engine="streaming")
    if hashes["h"].n_unique() < hashes.height:
        events.unique().collect(engine="streaming").write_parquet(folder / "events.parquet")


def tables(folder: Path) -> None:
    """Write user_days, snapshots and features."""
    days = _user_days(pl.scan_parquet(folder / "events.parquet")).collect(engine="streaming")
    tolerance = timedelta(hours=settings.FEATURES["log_end_tolerance_hours"])
    first_day, last_ts = days["day"].min(), days["last_ts"].max()
    assert isinstance(first_day, date)
    assert isinstance(last_ts, datetime)
    moments = pl.DataFrame(
        {"cutoff": settings.list_cutoffs(first_day, (last_ts + tolerance).date())}
    )
    customers = days.group_by("user_id").agg(
        pl.col("day").min().alias("first_day"),
        pl.col("day").filter(pl.col("cancellations") > 0).min().alias("cancelled_on"),
    )
    cancelled_on, cutoff = pl.col("cancelled_on"), pl.col("cutoff")
    snapshots = (
        customers.join(moments, how="cross")
        .filter(pl.col("first_day") < cutoff, cancelled_on.is_null() | (cancelled_on >= cutoff))
        .select(
            "user_id",
            "cutoff",
            (cancelled_on < cutoff + timedelta(days=settings.HORIZON))
            .fill_null(False)
            .alias("churned"),
        )
    )
    snapshots.write_parquet(folder / "snapshots.parquet")
    _features(days, snapshots).write_parquet(folder / "features.parquet")


def _user_days(events: pl.LazyFrame) -> pl.LazyFrame:
    page, is_free = pl.col("page"), pl.col("level") == "free"
    e = events.with_columns(pl.col("ts").dt.date().alias("day"))
    sessions = (
        e.group_by("user_id", "session_id")
        .agg(pl.col("day").min())
        .group_by("user_id", "day")
        .agg(pl.len().cast(pl.Int64).alias("sessions"))
    )
    days = e.group_by("user_id", "day").agg(
        *((page == name).sum().alias(column) for column, name in settings.PAGES.items()),
        (~page.is_in([*settings.PAGES.values(), settings.CANCELLATION])).sum().alias("other_pages"),
        (page == settings.CANCELLATION).sum().alias("cancellations"),
        pl.when(page == settings.SONG)
        .then((pl.col("length") * 1000).round(mode="half_away_from_zero"))
        .sum()
        .alias("listening_ms"),
        *(
            ((page == settings.PAGES[column]) & is_free).sum().alias(f"free_{column}")
            for column in settings.BY_LEVEL
        ),
        pl.col("level").sort_by("ts", "item_in_session", "session_id").last(),
        pl.col("ts").max().alias("last_ts"),
        pl.col("registration").min(),
    )
    return days.join(sessions, on=["user_id", "day"], how="left").with_columns(
        pl.col("sessions").fill_null(0),
        pl.lit(1).alias("active_days"),
        *(
            (pl.col(column) - pl.col(f"free_{column}")).alias(f"paid_{column}")
            for column in settings.BY_LEVEL
        ),
    )


def _features(days: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    def recent(name: str, n: int) -> pl.Expr:
        return pl.col(name).filter(pl.col("day") >= pl.col("cutoff") - timedelta(days=n))

    history = (
        days.with_columns(pl.col("day").min().alias("log_opened"))
        .join(snapshots.select("user_id", "cutoff"), on="user_id")
        .filter(pl.col("day") < pl.col("cutoff"))
        .group_by("user_id", "cutoff")
        .agg(
            pl.col(settings.SUMMED).sum().cast(pl.Float64),
            *(
                recent(name, n).sum().cast(pl.Float64).alias(column)
                for column, (name, n) in settings.RECENT.items()
            ),
            pl.col("day").min().alias("first_day"),
            pl.col("level").sort_by("last_ts").last(),
            pl.col("last_ts").max(),
            pl.col("log_opened", "registration").min(),
        )
    )
    first_day, log_opened, midnight = (
        pl.col(name).cast(pl.Datetime("ms")) for name in ("first_day", "log_opened", "cutoff")
    )

    def days_since(moment: pl.Expr) -> pl.Expr:
        return (midnight - moment).dt.total_milliseconds() / (DAY_SECONDS * 1000)

    observed_from = pl.min_horizontal(first_day, pl.max_horizontal(log_opened, "registration"))
    return history.select(
        *("user_id", "cutoff", *settings.SUMMED, *settings.RECENT),
        (pl.col("level") == "paid").cast(pl.Float64).alias("is_paid"),
        days_since(pl.col("registration")).clip(lower_bound=0).alias("account_age_days"),
        days_since(observed_from).alias("observed_days"),
        days_since(pl.col("last_ts")).alias("days_since_last_seen"),
    )


def run(log: Path, folder: Path, phases: Phases) -> None:
    """Make features and a model from the log."""
    with phases.phase("events"):
        accepted_events(log, folder)
    with phases.phase("features"):
        tables(folder)
    with phases.phase("model"):
        print(evaluate_tables(folder))


if __name__ == "__main__":
    main(run)
