"""User messages for wrong parameters: one sentence with name, value and what is allowed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sparkify.errors import UserError

MAX_CHARACTERS = 100  # of a value in a message
# Bounds: in errors of Pydantic, in JSON schemas, and in words.
BOUNDS = (
    ("pattern", "pattern", "that matches"),
    ("ge", "minimum", "of at least"),
    ("gt", "exclusiveMinimum", "above"),
    ("le", "maximum", "of at most"),
    ("lt", "exclusiveMaximum", "below"),
    ("multiple_of", "multipleOf", "a multiple of"),
)
TYPE_NAMES = {
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "string": "text",
}
Schema = Mapping[str, Any]


class ParameterError(UserError):
    """Parameters that are misspelt, missing or have a wrong value."""


def format_value(value: object) -> str:
    """Return a value as YAML writes it, cut off after MAX_CHARACTERS."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}…"


def format_wrong_value(name: str, value: object, allowed: str) -> str:
    """Return the sentence for a wrong value."""
    return f"{name} is {format_value(value)}; allowed: {allowed}."


def format_choice(kind: str, value: str, names: Sequence[str]) -> str:
    """Return what is allowed instead of a name: the most similar one, or all of them."""
    similar = get_close_matches(value, names, n=1)
    return f"a {kind}, such as {similar[0]}" if similar else f"a {kind}: {', '.join(names)}"


def format_unknown_name(name: str, names: Iterable[str], elsewhere: Sequence[str] = ()) -> str:
    """Return the sentence for a parameter that does not exist.

    `names` exist in its section. `elsewhere` has the full names of parameters with the same last
    part in other sections.
    """
    section, dot, last = name.rpartition(".")
    valid = sorted(names)
    similar = [f"{section}{dot}{option}" for option in get_close_matches(last, valid, n=1)]
    suggestions = [*similar, *elsewhere]
    hint = f"did you mean {suggestions[0]}?" if suggestions else f"allowed: {', '.join(valid)}."
    return f"{name} is not a parameter; {hint}"


def format_reserved_name(name: str) -> str:
    """Return the sentence for a parameter that names a new column like an existing one."""
    return f"{name} is already the name of a column; allowed: another name."


def format_validation_errors(
    section: str, model: type[BaseModel], error: ValidationError
) -> Iterator[str]:
    """Yield one sentence for each wrong parameter of a section that its model refused."""
    schema = model.model_json_schema()
    reported = set()
    for detail in error.errors(include_url=False):
        place, field = _resolve(schema, detail["loc"])
        # A union has an error for each of its types.
        if detail["type"] == "extra_forbidden" or place not in reported:
            yield _format_error(section + place, detail, field, schema)
        reported.add(place)


def _format_error(name: str, detail: ErrorDetails, field: Schema, schema: Schema) -> str:
    context = detail.get("ctx", {})
    name = f"{name}.{context['name']}" if context.get("name") else name
    match detail["type"]:
        case "wrong_value":
            sentence = format_wrong_value(name, context["value"], context["allowed"])
        case "unknown_name":
            sentence = format_unknown_name(name, context["names"])
        case "reserved_name":
            sentence = format_reserved_name(name)
        case "extra_forbidden":
            sentence = format_unknown_name(f"{name}.{detail['loc'][-1]}", field["properties"])
        case "missing":
            sentence = f"{name} is missing; allowed: {_describe(field, schema)}."
        case "value_error":
            sentence = f"{name}: {context['error']}."
        case _:
            bounds = {key: context[name] for name, key, _ in BOUNDS if name in context}
            if detail["loc"][-1:] == ("[key]",):
                allowed = context.get("expected") or _describe({"type": "string", **bounds}, schema)
                sentence = f"{name} is not an allowed name; allowed: {allowed}."
            else:
                allowed = _describe({**bounds, **field}, schema)
                sentence = format_wrong_value(name, detail["input"], allowed)
    return sentence


def _resolve(schema: Schema, location: tuple[int | str, ...]) -> tuple[str, Schema]:
    """Return the dotted name of a value and its schema, as far as the schema goes."""
    place, current = "", schema
    for key in location:
        inner = next(_find_inner_schemas(current, key, schema), None)
        if inner is None:
            break
        place += f"[{key}]" if isinstance(key, int) else f".{key}"
        current = inner
    return place, _dereference(current, schema)


def _find_inner_schemas(current: Schema, key: int | str, schema: Schema) -> Iterator[Schema]:
    """Yield the schema of a key's value in an object, or of a list item, if there is one."""
    current = _dereference(current, schema)
    for option in current.get("anyOf", ()):
        yield from _find_inner_schemas(option, key, schema)
    if isinstance(key, int):
        yield from [current["items"]] if "items" in current else []
    elif key in current.get("properties", {}):
        yield current["properties"][key]
    elif key != "[key]":
        yield from _list_value_schemas(current)


def _list_value_schemas(current: Schema) -> list[Schema]:
    """Return the schemas of the values of an object with any keys."""
    additional = current.get("additionalProperties")
    patterns = current.get("patternProperties", {}).values()
    return [*patterns, *([additional] if additional else [])]


def _dereference(current: Schema, schema: Schema) -> Schema:
    reference = current.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else current


def _describe(field: Schema, schema: Schema) -> str:
    """Return what a schema allows, as text."""
    field = _dereference(field, schema)
    if "anyOf" in field:
        return ", or ".join(dict.fromkeys(_describe(option, schema) for option in field["anyOf"]))
    if "enum" in field or "const" in field:
        return ", ".join(str(option) for option in field.get("enum", [field.get("const")]))
    if field["type"] == "array":
        items = " with at least one item" if field.get("minItems") else ""
        return f"a list{items}, each {_describe(field['items'], schema)}"
    if field["type"] == "object":
        if "properties" in field:
            return f"a section with {', '.join(field['properties'])}"
        values = ", or ".join(_describe(option, schema) for option in _list_value_schemas(field))
        items = " with at least one name" if field.get("minProperties") else " of names"
        return f"a section{items}, each with {values}"
    kind = TYPE_NAMES[field["type"]]
    if field.get("format") == "date":
        kind = "a date such as 2018-11-15"
    limits = [
        f"{words} {field[key]:,}" if isinstance(field[key], int) else f"{words} {field[key]}"
        for _, key, words in BOUNDS
        if key in field
    ]
    return " ".join([kind, " and ".join(limits).replace("and of ", "and ")]).strip()
