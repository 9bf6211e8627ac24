"""The records of a log, and the events among them."""

from sparkify.schemas.table import COUNT, DAY, NUMBER, SMALL, TEXT, TEXTS, TIME, Column, Table

MALFORMED_ROW = "malformed row"  # of CSV or TSV: more or fewer values than the header has names

RAW_EVENTS = Table(
    "One row per record of the log, before anything is checked.",
    (
        Column("value", TEXT, "The record as JSON; unchanged text if it is not a record."),
        Column("file", TEXT, "The file of the record, relative to the log."),
        Column("problem", TEXT, "Why the reader could not read a record; null if it could."),
    ),
)

EVENT_COLUMNS = (
    Column("user_id", TEXT, "The customer; a number in the log becomes its digits."),
    Column("ts", TIME, "When it happened, UTC."),
    Column("session_id", TEXT, "Identifies a session only together with user_id."),
    Column(
        "item_in_session",
        COUNT,
        "Order of events in the same millisecond: the position within the session, from 0; "
        "without one in the log, the microsecond and the record's hash.",
    ),
    Column("page", TEXT, "Page shown or requested; any name is kept."),
    Column("level", TEXT, "free or paid, at this event."),
    Column(
        "registration",
        TIME,
        "When the customer registered, UTC; may be later than the first event.",
    ),
    Column("gender", TEXT, "As logged."),
    Column("length", NUMBER, "Length of the song, seconds; up to a day."),
)

TIME_FORMAT = Column(
    "time_format",
    TEXT,
    "Format of ts: s, ms, us, ns, iso8601, or iso8601 without zone; with that of registration if "
    "it differs, such as `ms and iso8601`.",
)
RECORD_HASH = Column("record_hash", COUNT, "64-bit hash of the record's text.")

EVENTS = Table("One row per accepted event.", EVENT_COLUMNS)

BATCH = Column("batch", SMALL, "Number of the files that were read together: reading_plan.")
UTC_DAY = Column("day", DAY, "The UTC day.")

CHECKED_RECORDS = Table(
    "One row per record that was read.",
    (
        *EVENT_COLUMNS,
        TIME_FORMAT,
        RECORD_HASH,
        Column(
            "line",
            TEXT,
            "If rejected: the record's beginning; values that are not fields are hidden.",
        ),
        Column("unknown_columns", TEXTS, "Keys of the record that no column uses."),
        Column("problems", TEXTS, "All reasons why the record is not an event; null if it is one."),
        Column("rejection", TEXT, "The most serious reason; null if accepted."),
    ),
)

CHECKED_EVENTS = Table("One row per record of the raw log.", (*CHECKED_RECORDS.definition, BATCH))

REPEATED_EVENTS = Table(
    "One row per accepted event whose record_hash occurs more than once at the same time.",
    (
        *EVENT_COLUMNS,
        TIME_FORMAT,
        RECORD_HASH,
        Column("copies", COUNT, "How many equal records the log holds; one of them is an event."),
        UTC_DAY,
    ),
)

PAGE_KEYS = ("user_id", "session_id", "page", "level", "gender")
PAGE_COUNTS = Table(
    "One row per UTC day, user, session, page, level, gender and time format with events.",
    (
        *(
            c
            for c in EVENT_COLUMNS
            if c.name in ("user_id", "session_id", "page", "level", "gender")
        ),
        TIME_FORMAT,
        Column("events", COUNT, "Events; equal records count once."),
        Column("length_ms", COUNT, "Sum of the events' length, milliseconds."),
        Column("first_ts", TIME, "The first of them, UTC."),
        Column("last_ts", TIME, "The last of them, UTC."),
        Column(
            "last_position", COUNT, "Time and item_in_session of the last of them, in one number."
        ),
        Column("registration", TIME, "The earliest registration among them, UTC."),
        UTC_DAY,
    ),
)

EVENT_COUNTS = Table(
    "One row per UTC day, page, level and time format with events.",
    (
        UTC_DAY,
        *(column for column in EVENT_COLUMNS if column.name in ("page", "level")),
        TIME_FORMAT,
        Column("events", COUNT, "Events; equal records count once."),
        Column("first_ts", TIME, "The first of them, UTC."),
        Column("last_ts", TIME, "The last of them, UTC."),
    ),
)
