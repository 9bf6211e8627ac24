"""Customers: by day, and at a cutoff."""

from collections.abc import Iterable, Mapping

from sparkify.schemas.table import COUNT, DAY, FLAG, NUMBER, TEXT, TIME, Column, Table

KEYS = ["user_id", "cutoff"]
CUSTOMER_AT_CUTOFF = (
    Column("user_id", TEXT, "The customer."),
    Column("cutoff", DAY, "00:00 UTC of this day; features use only events before it."),
)

SNAPSHOTS = Table(
    "One row per user and cutoff: a user seen before the cutoff who has not cancelled by then. "
    "With the outcome downgrade the user is on the paid level then; with inactivity the user was "
    "seen in the last active_within_days before it.",
    (
        *CUSTOMER_AT_CUTOFF,
        Column("churned", FLAG, "Whether the outcome happens within the horizon."),
    ),
)

USER_DAYS = Table(
    "One row per user and UTC day with events.",
    (
        Column("user_id", TEXT, "The customer."),
        Column("day", DAY, "The UTC day."),
        Column("*", COUNT, "Events on one page of feature_engineering.pages."),
        Column("other_pages", COUNT, "Events on any other page."),
        Column("cancellations", COUNT, "Confirmed cancellations."),
        Column("sessions", COUNT, "Sessions whose first event is on this day."),
        Column("listening_ms", COUNT, "Summed length of the songs started, milliseconds."),
        Column("free_*", COUNT, "Events on one page of feature_engineering.by_level, free level."),
        Column("level", TEXT, "Level at the day's last event."),
        Column("last_ts", TIME, "The day's last event, UTC."),
        Column("ends_cancelled", FLAG, "Whether the day's last event is a cancellation."),
        Column("registration", TIME, "When the customer registered, UTC."),
        Column("gender", TEXT, "The day's last known value; no forecast uses it."),
    ),
)

HISTORY_SUMS = (
    Column("other_pages", NUMBER, "Events on any other page, whole history."),
    Column("sessions", NUMBER, "Sessions, whole history."),
    Column("listening_ms", NUMBER, "Summed length of songs, milliseconds, whole history."),
    Column("active_days", NUMBER, "Days with events, whole history."),
)
STATES = (
    Column("is_paid", NUMBER, "1 where the level at the last event is paid, else 0."),
    Column("account_age_days", NUMBER, "Days since registration; 0 if that is after the cutoff."),
    Column(
        "observed_days",
        NUMBER,
        "Days in which events could be seen: since the later of registration and the log's first "
        "day, or since the first day with events if that is earlier.",
    ),
    Column("days_since_last_seen", NUMBER, "Days since the last event."),
)
FEATURES = Table(
    "One row per user and cutoff: only what happened before the cutoff.",
    (
        *CUSTOMER_AT_CUTOFF,
        Column("*", NUMBER, "Events on one page: whole history, one level, or the last days."),
        *HISTORY_SUMS,
        *STATES,
    ),
)


def user_day_columns(pages: Iterable[str], by_level: Iterable[str]) -> list[str]:
    """Name the columns of `user_days` for the pages that are counted, in any order."""
    return [*USER_DAYS.columns, *pages, *(f"free_{name}" for name in by_level)]


def feature_columns(
    pages: Mapping[str, str],
    by_level: Iterable[str],
    windowed: Iterable[str],
    windows_days: Iterable[int],
) -> tuple[Column, ...]:
    """Return the columns of `features` without its keys, in order, each with its meaning.

    Args:
        pages: the pages counted one by one, by column name.
        by_level: those of these columns that are also counted per level.
        windowed: the columns that are also summed over windows.
        windows_days: the windows before the cutoff, in days.
    """
    pages_by_column = {name: f"Events on page {page}" for name, page in pages.items()}
    pages_by_column |= {
        f"{level}_{name}": f"Events on page {pages[name]} on the {level} level"
        for name in by_level
        for level in ("free", "paid")
    }
    sums = {c.name: c.meaning.removesuffix(", whole history.") for c in HISTORY_SUMS}
    meanings = pages_by_column | sums
    return (
        *(
            Column(name, NUMBER, f"{meanings[name]}, whole history.")
            for name in summed_columns(pages, by_level)
        ),
        *(
            Column(name, NUMBER, f"{meanings[column]}, last {days} days.")
            for name, (column, days) in window_columns(windowed, windows_days).items()
        ),
        *STATES,
    )


def summed_columns(pages: Iterable[str], by_level: Iterable[str]) -> list[str]:
    """Name the columns that features sum over the whole history before the cutoff."""
    levels = [f"{level}_{name}" for name in by_level for level in ("free", "paid")]
    return [*pages, *(column.name for column in HISTORY_SUMS), *levels]


def window_columns(
    windowed: Iterable[str], windows_days: Iterable[int]
) -> dict[str, tuple[str, int]]:
    """Return each column of a window before the cutoff: the column that it sums, and its days."""
    return {f"{name}_{days}d": (name, days) for name in windowed for days in windows_days}
