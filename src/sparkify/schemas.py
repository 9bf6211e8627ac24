"""Every table of the project: its grain, its columns, their types, units and meanings.

The catalog names these tables as validators, so that what is saved has the columns promised
here. Checking a schema starts no Spark job.
"""

from collections.abc import Iterable, Mapping

from pyspark.sql import types as T

from sparkify.table import Column, Table

TEXT, FLAG, DAY, TIME = T.StringType(), T.BooleanType(), T.DateType(), T.TimestampType()
COUNT, NUMBER, SMALL = T.LongType(), T.DoubleType(), T.IntegerType()


SIMULATED_USERS = Table(
    "One row per simulated user.",
    (
        Column("user_number", COUNT, "Number from 0; seeds everything about the user."),
        Column("user_id", TEXT, "The userId in the log."),
        Column("cohort", TEXT, "Hidden behaviour: accordion, tuba, zither or xylophone."),
        Column("page_gap_seconds", NUMBER, "Mean pause before a page (alpha), seconds."),
        Column("session_gap_seconds", NUMBER, "Mean pause before a session (beta), seconds."),
        Column("auth", TEXT, "Logged In, Logged Out or Guest at arrival."),
        Column("level", TEXT, "free or paid at arrival."),
        Column(
            "arrival_second", COUNT, "Start of the log, or a newcomer's arrival; epoch seconds."
        ),
        Column("registration_second", COUNT, "Registration; epoch seconds."),
        Column("first_name", TEXT, "First name; carries no information."),
        Column("last_name", TEXT, "Last name; carries no information."),
        Column("gender", TEXT, "F or M; carries no information."),
        Column("location", TEXT, "Metropolitan area; carries no information."),
        Column("user_agent", TEXT, "Browser; carries no information."),
    ),
)

SIMULATED_SESSIONS = Table(
    "One row per session of a simulated user that has events in the log.",
    (
        Column("user_number", COUNT, "The user, as in simulated_users."),
        Column("session_order", SMALL, "The user's sessions counted from 0."),
        Column("cohort", TEXT, "The user's hidden behaviour."),
        Column("started_second", COUNT, "First event in the log; epoch seconds."),
        Column("first_item", SMALL, "itemInSession of that event."),
        Column(
            "events",
            T.ArrayType(
                T.StructType(
                    [
                        T.StructField("second", COUNT),
                        T.StructField("state", SMALL),
                        T.StructField("song_number", SMALL),
                    ]
                )
            ),
            "Epoch second, state of the chain and song (-1: none) of every event.",
        ),
    ),
)

EVENT_COLUMNS = (
    Column("user_id", TEXT, "The customer; an integer in the log becomes its digits."),
    Column("ts", TIME, "When it happened, UTC."),
    Column("session_id", COUNT, "Names a session together with user_id only."),
    Column("item_in_session", COUNT, "Position within the session, from 0."),
    Column("page", TEXT, "What was shown or asked for; any name is kept."),
    Column("level", TEXT, "free or paid, at this event."),
    Column("registration", TIME, "When the customer registered, UTC; may follow the first event."),
    Column("gender", TEXT, "As logged."),
    Column("length", NUMBER, "Length of the song, seconds; up to a day."),
)

EVENTS = Table("One row per accepted event.", EVENT_COLUMNS)

CHECKED_EVENTS = Table(
    "One row per line of the raw log.",
    (
        *EVENT_COLUMNS,
        Column("line", TEXT, "Where it was rejected: the line's beginning, other values blotted."),
        Column("unknown_columns", T.ArrayType(TEXT), "Keys of the line that no column takes."),
        Column("rejection", TEXT, "Why the line is no event; null where it was accepted."),
    ),
)

SNAPSHOTS = Table(
    "One row per user and cutoff: a user seen before the cutoff who has not cancelled by then, and "
    "who is on the paid level then if the outcome is a downgrade.",
    (
        Column("user_id", TEXT, "The customer."),
        Column("cutoff", DAY, "00:00 UTC of this day; only what came before is known."),
        Column(
            "churned", FLAG, "Whether the user cancelled, or had the outcome asked for, in time."
        ),
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
            Column("registration", TIME, "When the customer registered, UTC."),
            Column("gender", TEXT, "As logged; no forecast looks at it, only how each is served."),
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
            Column("user_id", TEXT, "The customer."),
            Column("cutoff", DAY, "00:00 UTC of this day; only what came before is known."),
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


KEYS = ["user_id", "cutoff"]


class ModelInput(Table):
    """One row per user and cutoff: the label, whether the user may be trained on, the features."""

    def __init__(
        self,
        pages: Mapping[str, str],
        by_level: Iterable[str],
        windowed: Iterable[str],
        windows_days: Iterable[int],
    ) -> None:
        """Define the table; arguments as for `Features`."""
        described = Features(pages, by_level, windowed, windows_days).definition[2:]
        definition = (*SNAPSHOTS.definition, TRAINABLE, *described)
        super().__init__("One row per user and cutoff.", definition)


TRAINABLE = Column(
    "is_trainable", FLAG, "Whether the user is of those that models may learn from, by hash."
)


class Predictions(Table):
    """One row per user and cutoff: what was forecast, and what happened."""

    def __init__(self, baselines: Mapping[str, str]) -> None:
        """Define the table.

        Args:
            baselines: the features that rank without a model, by the baseline's name.
        """
        super().__init__(
            "One row per user and cutoff.",
            (
                *SNAPSHOTS.definition,
                TRAINABLE,
                Column("probability", NUMBER, "Forecast probability of `churned`, calibrated."),
                Column("predicted", FLAG, "Whether the probability reaches the threshold."),
                *(
                    Column(f"baseline_{name}", NUMBER, f"Baseline: {column}.")
                    for name, column in baselines.items()
                ),
            ),
        )


CANDIDATE_PREDICTIONS = Table(
    "One row per candidate, user and cutoff.",
    (
        *SNAPSHOTS.definition,
        Column("candidate", TEXT, "The candidate, with the best of its settings."),
        Column("probability", NUMBER, "Its forecast probability of `churned`, not calibrated."),
    ),
)
