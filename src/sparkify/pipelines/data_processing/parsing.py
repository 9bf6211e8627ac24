"""From a line of JSON to typed columns, and what is wrong with it if anything."""

from pyspark.sql import Column
from pyspark.sql import functions as F

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
    """Return whether a line is not one JSON object and nothing more.

    Spark's parser stops after the first object, but not inside of a list.
    """
    is_object = F.ltrim(line).startswith("{")
    objects = F.json_array_length(F.concat(F.lit("["), line, F.lit("]")))
    return ~is_object | F.coalesce(objects != 1, F.lit(True))


def wrong_type(line: Column) -> Column:
    """Say of which key the value has another type than its field; null where it is of none.

    A text field takes numbers as text, but no object, list or truth value, and `page` must be
    quoted.
    """
    checks = [
        _unread_number(line, key) if kind != "string" else is_odd_text(key) & ~_is_quoted(line, key)
        for key, (_, kind) in FIELDS.items()
    ]
    return F.coalesce(
        *[F.when(check, f"wrong type of {key}") for key, check in zip(FIELDS, checks, strict=True)]
    )


def _unread_number(line: Column, key: str) -> Column:
    return F.col(f"fields.{key}").isNull() & F.get_json_object(line, f"$.{key}").isNotNull()


def is_odd_text(key: str) -> Column:
    """Return whether what a text field holds looks like no text; it may still be quoted."""
    field = F.col(f"fields.{key}")
    is_odd = F.substring(field, 1, 1).isin("{", "[") | field.isin("true", "false")
    if key == "page":
        is_odd |= F.expr("try_cast(fields.page as double)").isNotNull()
    return F.coalesce(is_odd, F.lit(False))


def _is_quoted(line: Column, key: str) -> Column:
    return line.rlike(rf'"{key}"\s*:\s*"')


def unknown_columns(line: Column) -> Column:
    """Return the keys of a line that no field takes, or null where there are none."""
    known = F.array(*[F.lit(key) for key in [*FIELDS, *UNREAD]])
    unknown = F.array_except(F.json_object_keys(line), known)
    return F.when(F.size(unknown) > 0, F.array_sort(unknown))
