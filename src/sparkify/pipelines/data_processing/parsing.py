"""From a line of JSON to typed columns, and what is wrong with it if anything."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

CORRUPT = "corrupt"

# Field: column of the table and the type it is read with. A field is called as in the published
# logs; `data_processing.fields` has the keys of the log at hand. Numbers that some services write
# as 1540919166796.0 are read as doubles; anything is text to a text column, so that integer
# userIds are.
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
# A value behind its key. Possessive throughout: Java's matcher would otherwise go a level deeper
# at every character, and a long line would end the JVM.
VALUE = r"""\s*+:\s*+(?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|\[[^\]]*+\]?|[^,}]*+)"""


def parsed(line: Column, keys: Mapping[str, str]) -> Column:
    """Return the struct of a line's fields under the fields' names, and `corrupt`.

    `corrupt` is null where the whole line could be read with the types of `FIELDS`.

    Args:
        line: the line.
        keys: the log's key of every field.
    """
    kinds = {field: kind for field, (_, kind) in FIELDS.items()}
    in_log = ", ".join(f"`{keys[field]}` {kind}" for field, kind in kinds.items())
    named = ", ".join(f"{field}: {kind}" for field, kind in kinds.items())
    options = {"columnNameOfCorruptRecord": CORRUPT, **STRICT}
    fields = F.from_json(line, f"{in_log}, {CORRUPT} string", options)
    # A cast of structs goes by place: it renames, and where no name differs Spark leaves it out.
    return fields.cast(f"struct<{named}, {CORRUPT}: string>")


def fields_alone(line: Column, keys: Mapping[str, str], characters: int) -> Column:
    """Return the beginning of a line with every value blotted out that no field takes.

    So that names, places, browsers and what nobody has heard of stay in the raw log, also where
    the line is malformed.

    Args:
        line: the line.
        keys: the log's key of every field.
        characters: how many of it are kept.
    """
    other_key = rf"""(["'])((?!(?:{"|".join(keys.values())})\1)[^"'\\]*+)\1"""
    blotted = F.regexp_replace(F.make_valid_utf8(line), other_key + VALUE, '$1$2$1:"…"')
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


def may_go_on(line: Column) -> Column:
    """Return whether a line may go on after its first object: cheap, and on the safe side.

    It is one whose first closing brace is not its last character.
    """
    all_but_last = F.substring(line.cast("binary"), F.lit(1), F.octet_length(line) - 1)
    has_brace_inside = F.contains(all_but_last, F.lit(b"}"))  # bytes: ten times as fast as text
    return ~line.endswith("}") | has_brace_inside


def may_hold_odd_text() -> Column:
    """Return whether a text field of a line reads like something else than text."""
    texts = [key for key, (_, kind) in FIELDS.items() if kind == "string"]
    signs = [F.coalesce(_reads_like_no_text(key), F.lit(False)) for key in texts]
    return reduce(Column.__or__, signs)


def _reads_like_no_text(key: str) -> Column:
    """Return whether a text field reads like a list, a truth value, or `page` like a number.

    An object has a closing brace, which is looked for by itself.
    """
    text = F.col(f"fields.{key}")
    reads_so = text.startswith("[") | text.isin("true", "false")
    is_number = F.substring(text, 1, 1).isin(*"-0123456789")
    return reads_so | is_number if key == "page" else reads_so


def wrong_type(line: Column, keys: Mapping[str, str]) -> Column:
    """Say of which field the value has another type; null where it is of none.

    A text field takes numbers as text, but no object, list or truth value, and `page` must be
    quoted.
    """
    checks = [
        _unread_number(line, field, keys) if kind != "string" else _unquoted(line, field, keys)
        for field, (_, kind) in FIELDS.items()
    ]
    named = zip(FIELDS, checks, strict=True)
    return F.coalesce(*[F.when(check, f"wrong type of {field}") for field, check in named])


def _unread_number(line: Column, field: str, keys: Mapping[str, str]) -> Column:
    is_there = F.get_json_object(line, f"$.{keys[field]}").isNotNull()
    return F.col(f"fields.{field}").isNull() & is_there


def _unquoted(line: Column, field: str, keys: Mapping[str, str]) -> Column:
    reads_so = _reads_like_no_text(field) | F.col(f"fields.{field}").startswith("{")
    begins_like_no_text = r"[\[{tf]" if field != "page" else r"[^\"n\s]"
    return reads_so & line.rlike(rf'"{keys[field]}"\s*+:\s*+{begins_like_no_text}')


def unknown_columns(line: Column, keys: Mapping[str, str]) -> Column:
    """Return the keys of a line that no field takes, or null where there are none."""
    known = F.array(*[F.lit(key) for key in [*keys.values(), *UNREAD]])
    unknown = F.array_except(F.json_object_keys(line), known)
    return F.when(F.size(unknown) > 0, F.array_sort(unknown))
