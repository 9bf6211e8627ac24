"""Customers: by day, and at a cutoff."""

from collections.abc import Iterable, Mapping

from sparkify.schemas.kinds import COUNT, DAY, FLAG, NUMBER, TEXT, TIME
from sparkify.schemas.table import Column, Table

KEYS = ["user_id", "cutoff"]
CUSTOMER_AT_CUTOFF = (
    Column("user_id", TEXT, "The customer."),
    Column("cutoff", DAY, "00:00 UTC of this day; only what came before is known."),
)

SNAPSHOTS = Table(
    "One row per user and cutoff: a user seen before the cutoff who has not cancelled by then. "
    "With the outcome downgrade the user is on the paid level then; with inactivity the user was "
    "seen in the last active_within_days before it.",
    (
        *CUSTOMER_AT_CUTOFF,
        Column("churned", FLAG, "Whether the outcome asked for came within the horizon."),
    ),
)


class UserDays(Table):
    """One row per user and UTC day; everything after it is a sum over such days."""

    def __init__(self, pages: Mapping[str, str], by_level: Iterable[str]) -> None:
        """Define the table.

        Args:
            pages: the pages counted one by one, by the name of their column.
            by_level: those of their columns that are counted on the free level alone as well.
        """
        definition = (
            Column("user_id", TEXT, "The customer."),
            Column("day", DAY, "The UTC day."),
            *(Column(name, COUNT, f"Events on page {page}.") for name, page in pages.items()),
            Column("other_pages", COUNT, "Events on any other page."),
            Column("cancellations", COUNT, "Confirmed cancellations."),
            Column("sessions", COUNT, "Sessions whose first event is on this day."),
            Column("listening_ms", COUNT, "Summed length of the songs started, milliseconds."),
            *(
                Column(f"free_{name}", COUNT, f"Those of {name} on the free level.")
                for name in by_level
            ),
            Column("level", TEXT, "Level at the day's last event."),
            Column("last_ts", TIME, "The day's last event, UTC."),
            Column("ends_cancelled", FLAG, "Whether the day's last event is a cancellation."),
            Column("registration", TIME, "When the customer registered, UTC."),
            Column("gender", TEXT, "The day's last known one; no forecast uses it."),
        )
        super().__init__("One row per user and UTC day with events.", definition)


def summed_columns(pages: Iterable[str], by_level: Iterable[str]) -> list[str]:
    """Name the columns that features sum over the whole history before the cutoff."""
    levels = [f"{level}_{name}" for name in by_level for level in ("free", "paid")]
    return [*pages, "other_pages", "sessions", "listening_ms", "active_days", *levels]


def window_columns(
    windowed: Iterable[str], windows_days: Iterable[int]
) -> dict[str, tuple[str, int]]:
    """Name the columns that sum over the last days before the cutoff: (summed, days) of each."""
    return {f"{name}_{days}d": (name, days) for name in windowed for days in windows_days}


class Features(Table):
    """One row per user and cutoff: only what the log said before the cutoff."""

    def __init__(
        self,
        pages: Mapping[str, str],
        by_level: Iterable[str],
        windowed: Iterable[str],
        windows_days: Iterable[int],
    ) -> None:
        """Define the table.

        Args:
            pages: the pages counted one by one, by the name of their column.
            by_level: those of their columns that are counted per level as well.
            windowed: the columns that are summed over windows as well.
            windows_days: the windows before the cutoff, in days.
        """
        sums = summed_columns(pages, by_level)
        windows = window_columns(windowed, windows_days)
        definition = (
            *CUSTOMER_AT_CUTOFF,
            *(Column(name, NUMBER, f"{_meaning(name, pages)}, whole history.") for name in sums),
            *(
                Column(name, NUMBER, f"{_meaning(column, pages)}, last {days} days.")
                for name, (column, days) in windows.items()
            ),
            Column("is_paid", NUMBER, "1 where the level at the last event is paid, else 0."),
            Column("account_age_days", NUMBER, "Days since registration; 0 where it is to come."),
            Column(
                "observed_days",
                NUMBER,
                "Days in which events could be seen: since registration or the log's first day, "
                "whichever is later, or since the first day with events where that is earlier.",
            ),
            Column("days_since_last_seen", NUMBER, "Days since the last event."),
        )
        super().__init__("One row per user and cutoff.", definition)


def _meaning(column: str, pages: Mapping[str, str]) -> str:
    fixed = {
        "other_pages": "Events on any other page",
        "sessions": "Sessions",
        "listening_ms": "Summed length of songs, milliseconds",
        "active_days": "Days with events",
    }
    level, _, page = column.partition("_")
    if column not in pages and level in ("free", "paid"):
        return f"Events on page {pages[page]} on the {level} level"
    return fixed[column] if column in fixed else f"Events on page {pages[column]}"
