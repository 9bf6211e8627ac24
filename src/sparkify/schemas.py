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
    Column("length", NUMBER, "Length of the song, seconds."),
)

EVENTS = Table("One row per accepted event.", EVENT_COLUMNS)

CHECKED_EVENTS = Table(
    "One row per line of the raw log.",
    (
        *EVENT_COLUMNS,
        Column("line", TEXT, "The raw line without names, where it was rejected."),
        Column("unknown_columns", T.ArrayType(TEXT), "Keys of the line that no column takes."),
        Column("rejection", TEXT, "Why the line is no event; null where it was accepted."),
    ),
)

SNAPSHOTS = Table(
    "One row per user and cutoff: a user seen before the cutoff who has not cancelled by then.",
    (
        Column("user_id", TEXT, "The customer."),
        Column("cutoff", DAY, "00:00 UTC of this day; only what came before is known."),
        Column("churned", FLAG, "Whether the user confirmed a cancellation within the horizon."),
    ),
)


class UserDays(Table):
    """One row per user and UTC day; everything after it is a sum over such days."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        """Define the table.

        Args:
            pages: the pages counted one by one, by the name of their column.
        """
        definition = (
            Column("user_id", TEXT, "The customer."),
            Column("day", DAY, "The UTC day."),
            *(Column(name, COUNT, f"Events on page {page}.") for name, page in pages.items()),
            Column("other_pages", COUNT, "Events on any other page."),
            Column("cancellations", COUNT, "Confirmed cancellations."),
            Column("sessions", COUNT, "Sessions whose first event is on this day."),
            Column("listening_ms", COUNT, "Summed length of the songs started, milliseconds."),
            Column("free_songs", COUNT, "Songs started on the free level."),
            Column("free_adverts", COUNT, "Adverts shown on the free level."),
            Column("level", TEXT, "Level at the day's last event."),
            Column("last_ts", TIME, "The day's last event, UTC."),
            Column("registration", TIME, "When the customer registered, UTC."),
        )
        super().__init__("One row per user and UTC day with events.", definition)


PER_SONG_RATES = {
    "thumbs_up": "thumbs up",
    "thumbs_down": "thumbs down",
    "add_to_playlist": "additions to a playlist",
    "add_friend": "friends added",
    "home": "visits of the home page",
    "help": "visits of the help page",
    "settings": "visits of the settings",
    "error": "errors",
}


def window_columns(pages: Iterable[str], windows_days: Iterable[int]) -> dict[str, tuple[str, str]]:
    """Name the columns that sum user_days over a window: to (summed column, window).

    The window is a number of days before the cutoff, as text, or `all`.
    """
    summed = [*pages, "other_pages", "sessions", "listening_ms", "active_days"]
    windows = {**{f"{days}d": str(days) for days in windows_days}, "all": "all"}
    return {
        f"{column}_{suffix}": (column, window)
        for column in summed
        for suffix, window in windows.items()
    }


class Features(Table):
    """One row per user and cutoff: only what the log said before the cutoff."""

    def __init__(self, pages: Mapping[str, str], windows_days: Iterable[int]) -> None:
        """Define the table.

        Args:
            pages: the pages counted one by one, by the name of their column.
            windows_days: the windows before the cutoff, in days, beside the whole history.
        """
        sums = window_columns(pages, windows_days)
        definition = (
            Column("user_id", TEXT, "The customer."),
            Column("cutoff", DAY, "00:00 UTC of this day; only what came before is known."),
            *(
                Column(name, NUMBER, f"{column}, summed over the window '{window}'.")
                for name, (column, window) in sums.items()
            ),
            *(
                Column(f"{name}_per_song", NUMBER, f"{what} per song, shrunk, all history.")
                for name, what in PER_SONG_RATES.items()
            ),
            Column("adverts_per_free_song", NUMBER, "Adverts per song on the free level, shrunk."),
            Column("downgrade_per_paid_song", NUMBER, "Downgrade pages per paid song, shrunk."),
            Column("is_paid", NUMBER, "1 where the level at the last event is paid, else 0."),
            Column("account_age_days", NUMBER, "Days since registration; 0 where it is to come."),
            Column("days_since_last_seen", NUMBER, "Days since the last event."),
        )
        super().__init__("One row per user and cutoff.", definition)


KEYS = ["user_id", "cutoff"]


class ModelInput(Table):
    """One row per user and cutoff: the label, the fold and the features."""

    def __init__(self, pages: Mapping[str, str], windows_days: Iterable[int]) -> None:
        """Define the table; arguments as for `Features`."""
        keys, described = SNAPSHOTS.definition, Features(pages, windows_days).definition[2:]
        fold = Column("fold", SMALL, "Fold of the user in cross-validation, by hash.")
        super().__init__("One row per user and cutoff.", (*keys, fold, *described))


PREDICTIONS = Table(
    "One row per user and cutoff.",
    (
        *SNAPSHOTS.definition,
        Column("probability", NUMBER, "Forecast probability of `churned`."),
        Column("predicted", FLAG, "Whether the probability is above the champion's threshold."),
        Column("days_since_last_seen", NUMBER, "Baseline: days since the last event."),
        Column("next_song_28d", NUMBER, "Baseline: songs in the last 28 days."),
    ),
)
