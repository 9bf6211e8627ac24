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
PERSONAL = ["firstName", "lastName", "location", "userAgent"]
# They stay in the raw log: nothing forecasts with them, and typing and keeping them would take
# half as long again as all the rest.
UNREAD = [*PERSONAL, "auth", "method", "status", "artist", "song"]
MOST_ITEMS = 2**21  # of a session; with milliseconds up to the year 2109 it fits 63 bits

# JSON as it is defined: no quotes but double ones, no NaN.
STRICT = {"allowSingleQuotes": "false", "allowNonNumericNumbers": "false"}
# Every value under a key that no field takes. Possessive throughout: Java's matcher would
# otherwise go a level deeper at every character, and a long line would end the JVM.
OTHER_VALUES = (
    rf"""(["'])((?!(?:{"|".join(FIELDS)})\1)[^"'\\]*+)\1\s*+:\s*+"""
    r"""(?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|\[[^\]]*+\]?|[^,}]*+)"""
)


def parsed(line: Column) -> Column:
    """Return the struct of a line's fields under their keys, and `corrupt`.

    `corrupt` is null where the whole line could be read with the types of `FIELDS`.
    """
    ddl = ", ".join(f"{key} {kind}" for key, (_, kind) in FIELDS.items())
    options = {"columnNameOfCorruptRecord": CORRUPT, **STRICT}
    return F.from_json(line, f"{ddl}, {CORRUPT} string", options)


def fields_alone(line: Column, characters: int) -> Column:
    """Return the beginning of a line with every value blotted out that no field takes.

    So that names, places, browsers and what nobody has heard of stay in the raw log, also where
    the line is malformed.

    Args:
        line: the line.
        characters: how many of it are kept.
    """
    blotted = F.regexp_replace(F.make_valid_utf8(line), OTHER_VALUES, '$1$2$1:"…"')
    return F.substring(blotted, 1, characters)


def is_malformed(line: Column) -> Column:
    """Return whether a line is not one JSON object and nothing more.

    Spark's parser stops after the first object. It reads on inside of a list or of an object,
    and what comes after cannot close both.
    """
    is_object = F.ltrim(line, F.lit(" \t")).startswith("{")
    in_list = F.concat(F.lit("["), line, F.lit("]"))
    in_object = F.concat(F.lit('{"line":'), line, F.lit("}"))
    lines = F.from_json(in_list, "array<map<string,string>>", STRICT)
    line_alone = F.from_json(in_object, "map<string,map<string,string>>", STRICT)
    is_one = (F.size(lines) == 1) & (F.size(line_alone) == 1)
    return ~is_object | ~F.coalesce(is_one, F.lit(False))


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
        *(_reads_like_no_text(key) for key in texts),
    ]
    return reduce(Column.__or__, [F.coalesce(sign, F.lit(False)) for sign in signs])


def _reads_like_no_text(key: str) -> Column:
    """Return whether a text field reads like a list, a truth value, or `page` like a number.

    An object has a closing brace, which is looked for by itself.
    """
    text = F.col(f"fields.{key}")
    reads_so = text.startswith("[") | text.isin("true", "false")
    is_number = F.substring(text, 1, 1).isin(*"-0123456789")
    return reads_so | is_number if key == "page" else reads_so


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
    reads_so = _reads_like_no_text(key) | F.col(f"fields.{key}").startswith("{")
    begins_like_no_text = r"[\[{tf]" if key != "page" else r"[^\"n\s]"
    return reads_so & line.rlike(rf'"{key}"\s*+:\s*+{begins_like_no_text}')


def unknown_columns(line: Column) -> Column:
    """Return the keys of a line that no field takes, or null where there are none."""
    known = F.array(*[F.lit(key) for key in [*FIELDS, *UNREAD]])
    unknown = F.array_except(F.json_object_keys(line), known)
    return F.when(F.size(unknown) > 0, F.array_sort(unknown))
