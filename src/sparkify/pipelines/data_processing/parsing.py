"""From a line of JSON to typed columns, and what is wrong with it if anything."""

from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

CORRUPT = "corrupt"

# Key in the log: column of the table and the type it is read with. Numbers that some services
# write as 1540919166796.0 are read as doubles; anything is text to a text column, so that
# integer userIds are.
FIELDS = {
    "ts": ("ts", "double"),
    "userId": ("user_id", "string"),
    "sessionId": ("session_id", "bigint"),
    "page": ("page", "string"),
    "auth": ("auth", "string"),
    "method": ("method", "string"),
    "status": ("status", "bigint"),
    "level": ("level", "string"),
    "itemInSession": ("item_in_session", "bigint"),
    "location": ("location", "string"),
    "userAgent": ("user_agent", "string"),
    "registration": ("registration", "double"),
    "gender": ("gender", "string"),
    "artist": ("artist", "string"),
    "song": ("song", "string"),
    "length": ("length", "double"),
}
ESSENTIAL = ["ts", "userId", "sessionId", "page", "level", "itemInSession", "registration"]
# They stay in the raw log: nothing reads them and no later layer holds them.
UNREAD = ["firstName", "lastName"]

NAME_VALUES = rf'"({"|".join(UNREAD)})"\s*:\s*("(?:[^"\\]|\\.)*"?|[^,}}]*)'


def parsed(line: Column) -> Column:
    """Return the struct of a line's fields under their keys, and `corrupt`.

    `corrupt` is null where the whole line could be read with the types of `FIELDS`.
    """
    ddl = ", ".join(f"{key} {kind}" for key, (_, kind) in FIELDS.items())
    options = {"columnNameOfCorruptRecord": CORRUPT}
    return F.from_json(line, f"{ddl}, {CORRUPT} string", options)


def without_names(line: Column) -> Column:
    """Return a line with the values of first and last names blotted out, even if malformed."""
    return F.regexp_replace(line, NAME_VALUES, '"$1":"…"')


def is_malformed(line: Column) -> Column:
    """Return whether a line is not one JSON object."""
    is_object = F.ltrim(line).startswith("{")
    return ~is_object | F.try_parse_json(line).isNull()


def wrong_type(line: Column, is_corrupt: Column) -> Column:
    """Return the first key whose value has another type than its field, or null.

    A text field takes numbers as text, but no object, list or truth value, and `page` must be
    quoted. What no number could be read from made the line corrupt, so only then it is sought.
    """
    numbers = [key for key, (_, kind) in FIELDS.items() if kind != "string"]
    texts = [key for key, (_, kind) in FIELDS.items() if kind == "string"]
    return F.coalesce(
        F.when(is_corrupt, F.coalesce(*[_unread_number(line, key) for key in numbers])),
        *[_not_text(line, key) for key in texts],
    )


def _unread_number(line: Column, key: str) -> Column:
    is_unread = F.col(f"fields.{key}").isNull() & F.get_json_object(line, f"$.{key}").isNotNull()
    return F.when(is_unread, key)


def _not_text(line: Column, key: str) -> Column:
    field = F.col(f"fields.{key}")
    is_other = field.startswith("{") | field.startswith("[") | field.isin("true", "false")
    if key == "page":
        is_other |= F.expr("try_cast(fields.page as double)").isNotNull()
    is_quoted = line.rlike(rf'"{key}"\s*:\s*"')
    return F.when(is_other & ~is_quoted, key)


def unknown_columns(line: Column) -> Column:
    """Return the keys of a line that no field takes, or null where there are none.

    Listing the keys parses the line again, so it is done only where the line has more keys
    than were read: `":` ends a key, and stands nowhere inside a JSON string.
    """
    without_key_ends = F.length(F.replace(line, F.lit('":'), F.lit("")))
    keys = (F.length(line) - without_key_ends) / 2
    read = [F.col(f"fields.{key}").isNotNull() for key in FIELDS]
    unread = [line.contains(f'"{key}":') for key in UNREAD]
    accounted = reduce(Column.__add__, [has.cast(T.IntegerType()) for has in read + unread])
    known = F.array(*[F.lit(key) for key in [*FIELDS, *UNREAD]])
    listed = F.array_sort(F.array_except(F.json_object_keys(line), known))
    return F.when(keys > accounted, F.when(F.size(listed) > 0, listed))
