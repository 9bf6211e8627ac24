"""The records of a log, and the events among them."""

from sparkify.schemas.table import COUNT, DAY, NUMBER, TEXT, TEXTS, TIME, Column, Table

MALFORMED_ROW = "malformed row"  # of separated values: more or fewer than the header has names

RAW_EVENTS = Table(
    "One row per record of the log, before anything is checked.",
    (
        Column("value", TEXT, "The record in JSON; what is no record, as it is."),
        Column("file", TEXT, "The file that it comes from, relative to the log."),
        Column("problem", TEXT, "Why the reader of its format found no record; else null."),
    ),
)

EVENT_COLUMNS = (
    Column("user_id", TEXT, "The customer; a number in the log becomes its digits."),
    Column("ts", TIME, "When it happened, UTC."),
    Column("session_id", TEXT, "Names a session together with user_id only."),
    Column(
        "item_in_session",
        COUNT,
        "Orders the events of a millisecond: the position within the session, from 0; where the "
        "log has none, by the microsecond and the record's hash.",
    ),
    Column("page", TEXT, "What was shown or asked for; any name is kept."),
    Column("level", TEXT, "free or paid, at this event."),
    Column("registration", TIME, "When the customer registered, UTC; may follow the first event."),
    Column("gender", TEXT, "As logged."),
    Column("length", NUMBER, "Length of the song, seconds; up to a day."),
)

TIME_FORMAT = Column(
    "time_format",
    TEXT,
    "How ts is written: s, ms, us, ns, iso8601, or iso8601 without zone; registration too if it "
    "differs: ms and iso8601.",
)
RECORD_HASH = Column("record_hash", COUNT, "64-bit hash of the record's text.")

EVENTS = Table("One row per accepted event.", EVENT_COLUMNS)

CHECKED_EVENTS = Table(
    "One row per record of the raw log.",
    (
        *EVENT_COLUMNS,
        TIME_FORMAT,
        RECORD_HASH,
        Column("line", TEXT, "Where it was rejected: its beginning, other values blotted out."),
        Column("unknown_columns", TEXTS, "Keys of the record that no column takes."),
        Column("problems", TEXTS, "All reasons why the record is no event; null if it is one."),
        Column("rejection", TEXT, "The weightiest reason; null where the record was accepted."),
    ),
)

REPEATED_EVENTS = Table(
    "One row per accepted event whose record_hash occurs more than once in the log.",
    (
        *EVENT_COLUMNS,
        TIME_FORMAT,
        RECORD_HASH,
        Column("copies", COUNT, "How many equal records the log holds; one of them is an event."),
    ),
)

EVENT_COUNTS = Table(
    "One row per UTC day, page, level and time format with events.",
    (
        Column("day", DAY, "The UTC day."),
        *(column for column in EVENT_COLUMNS if column.name in ("page", "level")),
        TIME_FORMAT,
        Column("events", COUNT, "Events; of equal records one."),
        Column("first_ts", TIME, "The first of them, UTC."),
        Column("last_ts", TIME, "The last of them, UTC."),
    ),
)
