"""The lines of a log, and the events among them."""

from pyspark.sql import types as T

from sparkify.schemas.kinds import COUNT, NUMBER, TEXT, TIME
from sparkify.table import Column, Table

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
