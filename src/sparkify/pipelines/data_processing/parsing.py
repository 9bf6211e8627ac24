"""From a line of JSON to typed columns, and what is wrong with it if anything."""

from functools import reduce

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
    "level": ("level", "string"),
    "itemInSession": ("item_in_session", "bigint"),
    "registration": ("registration", "double"),
    "gender": ("gender", "string"),
    "length": ("length", "double"),
}
ESSENTIAL = ["ts", "userId", "sessionId", "page", "level", "itemInSession", "registration"]
NAMES = ["firstName", "lastName"]
# They stay in the raw log: nothing forecasts with them, and typing and keeping them would take
# half as long again as all the rest.
UNREAD = [*NAMES, "auth", "method", "status", "location", "userAgent", "artist", "song"]

NAME_VALUES = rf'"({"|".join(NAMES)})"\s*:\s*("(?:[^"\\]|\\.)*"?|[^,}}]*)'


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


def may_hold_odd_text(line: Column) -> Column:
    """Return whether a line may hold more than one object, or no text in a text field.

    Cheap, and on the safe side: a line whose first closing brace is not its last character, or
    with a text field that begins like a list, reads true or false, or is a numeric page.
    """
    texts = [key for key, (_, kind) in FIELDS.items() if kind == "string"]
    all_but_last = F.substring(line.cast("binary"), F.lit(1), F.octet_length(line) - 1)
    signs = [
        ~line.endswith("}"),
        F.contains(all_but_last, F.lit(b"}")),  # bytes: ten times as fast as characters
        *(F.col(f"fields.{key}").startswith("[") for key in texts),
        *(F.col(f"fields.{key}").isin("true", "false") for key in texts),
        F.substring("fields.page", 1, 1).isin(*"-0123456789"),
    ]
    return reduce(Column.__or__, [F.coalesce(sign, F.lit(False)) for sign in signs])


def wrong_type(line: Column) -> Column:
    """Say of which key the value has another type than its field; null where it is of none.

    A text field takes numbers as text, but no object, list or truth value, and `page` must be
    quoted.
    """
    checks = [
        _unread_number(line, key) if kind != "string" else _unquoted(line, key)
        for key, (_, kind) in FIELDS.items()
    ]
    return F.coalesce(
        *[F.when(check, f"wrong type of {key}") for key, check in zip(FIELDS, checks, strict=True)]
    )


def _unread_number(line: Column, key: str) -> Column:
    return F.col(f"fields.{key}").isNull() & F.get_json_object(line, f"$.{key}").isNotNull()


def _unquoted(line: Column, key: str) -> Column:
    begins_like_no_text = r"[\[{tf]" if key != "page" else r"[^\"n\s]"
    return line.rlike(rf'"{key}"\s*:\s*{begins_like_no_text}')


def unknown_columns(line: Column) -> Column:
    """Return the keys of a line that no field takes, or null where there are none."""
    known = F.array(*[F.lit(key) for key in [*FIELDS, *UNREAD]])
    unknown = F.array_except(F.json_object_keys(line), known)
    return F.when(F.size(unknown) > 0, F.array_sort(unknown))
