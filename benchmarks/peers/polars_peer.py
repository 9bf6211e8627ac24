"""The project's way from the log to features and a model, in Polars and scikit-learn."""

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from benchmarks.peers.model import judged
from benchmarks.peers.settings import (
    BY_LEVEL,
    CANCELLATION,
    COLUMNS,
    EARLIEST_MS,
    FEATURES,
    HORIZON,
    LATEST_MS,
    PAGES,
    RECENT,
    SONG,
    SUMMED,
    Phases,
    cutoffs,
    main,
    part_files,
)

TYPES = {"double": pl.Float64, "text": pl.String, "whole": pl.Int64}
DAY_SECONDS = 86_400


def accepted_events(log: Path, folder: Path) -> None:
    """Write the accepted events: those of a user, well formed, once."""
    schema = {key: TYPES[kind] for key, (_, kind) in COLUMNS.items()}
    essential = ["page", "sessionId", "itemInSession", "level"]
    accepted = (
        pl.scan_ndjson(part_files(log), schema=schema, ignore_errors=True)
        .filter(
            pl.col("registration").is_between(EARLIEST_MS, LATEST_MS - 1),
            pl.col("ts").is_between(EARLIEST_MS, LATEST_MS - 1),
            pl.col("userId") != "",
            *(pl.col(key).is_not_null() for key in essential),
        )
        .select(
            (
                pl.col(key).cast(pl.Int64).cast(pl.Datetime("ms"))
                if key in ("ts", "registration")
                else pl.col(key)
            ).alias(name)
            for key, (name, _) in COLUMNS.items()
        )
    )
    accepted.sink_parquet(folder / "events.parquet", compression="snappy")
    events = pl.scan_parquet(folder / "events.parquet")
    # Lines that are equal are equal events; a distinct over all columns only if there are any.
    identity = ["user_id", "session_id", "item_in_session", "ts"]
    hashes = events.select(pl.struct(identity).hash().alias("h")).collect(engine="streaming")
    if hashes["h"].n_unique() < hashes.height:
        events.unique().collect(engine="streaming").write_parquet(folder / "events.parquet")


def tables(folder: Path) -> None:
    """Write user_days, snapshots and features."""
    days = _user_days(pl.scan_parquet(folder / "events.parquet")).collect(engine="streaming")
    tolerance = timedelta(hours=FEATURES["log_end_tolerance_hours"])
    first_day, last_ts = days["day"].min(), days["last_ts"].max()
    assert isinstance(first_day, date)
    assert isinstance(last_ts, datetime)
    moments = pl.DataFrame({"cutoff": cutoffs(first_day, (last_ts + tolerance).date())})
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
            (cancelled_on < cutoff + timedelta(days=HORIZON)).fill_null(False).alias("churned"),
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
        *((page == name).sum().alias(column) for column, name in PAGES.items()),
        (~page.is_in([*PAGES.values(), CANCELLATION])).sum().alias("other_pages"),
        (page == CANCELLATION).sum().alias("cancellations"),
        pl.when(page == SONG)
        .then((pl.col("length") * 1000).round(mode="half_away_from_zero"))
        .sum()
        .alias("listening_ms"),
        *(((page == PAGES[column]) & is_free).sum().alias(f"free_{column}") for column in BY_LEVEL),
        pl.col("level").sort_by("ts", "item_in_session", "session_id").last(),
        pl.col("ts").max().alias("last_ts"),
        pl.col("registration").min(),
    )
    return days.join(sessions, on=["user_id", "day"], how="left").with_columns(
        pl.col("sessions").fill_null(0),
        pl.lit(1).alias("active_days"),
        *(
            (pl.col(column) - pl.col(f"free_{column}")).alias(f"paid_{column}")
            for column in BY_LEVEL
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
            pl.col(SUMMED).sum().cast(pl.Float64),
            *(
                recent(name, n).sum().cast(pl.Float64).alias(column)
                for column, (name, n) in RECENT.items()
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
        *("user_id", "cutoff", *SUMMED, *RECENT),
        (pl.col("level") == "paid").cast(pl.Float64).alias("is_paid"),
        days_since(pl.col("registration")).clip(lower_bound=0).alias("account_age_days"),
        days_since(observed_from).alias("observed_days"),
        days_since(pl.col("last_ts")).alias("days_since_last_seen"),
    )


def peer(log: Path, folder: Path, phases: Phases) -> None:
    """Go from the log to features and a model."""
    with phases.phase("events"):
        accepted_events(log, folder)
    with phases.phase("features"):
        tables(folder)
    with phases.phase("model"):
        print(judged(folder))


if __name__ == "__main__":
    main(peer)
