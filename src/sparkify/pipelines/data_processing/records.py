"""Decode the fields of records as Python's `json` does, and quote rejected records."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from sparkify.pipelines.data_processing.fields import FIELDS, Kind, Path, RecordShape

# msgspec decodes these without `float_hook`. In values of type Any, that hook gets each number with
# a fraction or an exponent: as a Decimal, an id keeps its digits.
NOT_AN_OBJECT = int | float | str | bool | list[Any] | None
DECODE_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
HIDDEN = "…"
OBJECT, LIST = b"{["
ENCODER = msgspec.json.Encoder(decimal_format="number")
MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
# A value after its key in malformed JSON. Possessive: text is matched only once.
VALUE = r"""\s*+:\s*+(?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|\[[^\]]*+\]?|[^,}]*+)"""
READ_PER_QUOTED = 20  # characters of a malformed record to read per quoted character


class DecodedRecords(NamedTuple):
    """The values of a batch of records.

    Attributes:
        values: for each field of the shape, a value or None per record.
        malformed: the indices of records that are not JSON objects; all their values are None.
    """

    values: dict[str, list[Any]]
    malformed: list[int]


def _reject_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


EXACT_DECODER = json.JSONDecoder(
    parse_float=Decimal, parse_int=Decimal, parse_constant=_reject_constant
)


def decode_exactly(record: bytes) -> dict[str, Any] | None:
    """Decode one record as Python's `json` does, numbers as Decimals with all digits.

    Bytes that are not UTF-8 become U+FFFD. Returns None for anything but one JSON object, for NaN
    and infinities, and for objects nested deeper than Python's stack allows.
    """
    try:
        decoded = EXACT_DECODER.decode(record.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


class RecordDecoder:
    """Decodes the fields of records of one shape.

    msgspec is fast and skips values that no field needs. `decode_exactly` decodes the records that
    msgspec cannot.
    """

    def __init__(self, shape: RecordShape) -> None:
        self._paths = shape.paths
        self._member_paths: dict[Path, Path] = {}
        kinds = {path: FIELDS[field][1] for field, path in shape.paths.items()}
        self._decoder, self._empty = None, None
        # msgspec accepts no key with a quote, a backslash or a control character.
        with suppress(ValueError):
            record = self._define_record((), (), kinds)
            self._decoder, self._empty = msgspec.json.Decoder(record, float_hook=Decimal), record()

    def _define_record(self, parent: Path, parent_members: Path, kinds: Mapping[Path, Kind]) -> Any:
        """Define the struct of the object at a path of keys, with a member for each key in use.

        Args:
            parent: the path of keys to the object.
            parent_members: the names of the members on that path.
            kinds: the kind of field at each path.
        """
        depth = len(parent)
        keys = dict.fromkeys(path[depth] for path in kinds if path[:depth] == parent != path)
        members = {key: f"member_{number}" for number, key in enumerate(keys)}
        types = {}
        for key, member in members.items():
            path = (*parent, key)
            self._member_paths[path] = (*parent_members, member)
            if any(path == longer[: depth + 1] != longer for longer in kinds):
                types[key] = (
                    self._define_record(path, (*parent_members, member), kinds) | NOT_AN_OBJECT
                )
            elif kinds[path] in ("time", "number"):
                types[key] = NOT_AN_OBJECT | dict[str, Any]
            else:
                types[key] = Any
        return msgspec.defstruct(
            "Record",
            [(member, types[key], None) for key, member in members.items()],
            rename={member: key for key, member in members.items()},
            gc=False,
        )

    def decode(self, records: list[bytes]) -> DecodedRecords:
        """Decode the fields of records, one JSON object each."""
        if self._decoder is not None:
            with suppress(*DECODE_ERRORS):
                return DecodedRecords(self._read_fields(map(self._decoder.decode, records)), [])
        return self._decode_one_by_one(records)

    def _decode_one_by_one(self, records: list[bytes]) -> DecodedRecords:
        decoded = [self._empty] * len(records)
        exact: dict[int, dict[str, Any]] = {}
        malformed = []
        for index, record in enumerate(records):
            if self._decoder is not None:
                with suppress(*DECODE_ERRORS):
                    decoded[index] = self._decoder.decode(record)
                    continue
            members = decode_exactly(record)
            if members is None:
                malformed.append(index)
            else:
                exact[index] = members
        values = self._read_fields(decoded)
        for field, path in self._paths.items():
            for index, members in exact.items():
                values[field][index] = look_up(members, path)
        return DecodedRecords(values, malformed)

    def _read_fields(self, records: Iterable[Any]) -> dict[str, list[Any]]:
        decoded = list(records)
        if self._decoder is None:
            return {field: [None] * len(decoded) for field in self._paths}
        return {
            field: _read_members(decoded, self._member_paths[path])
            for field, path in self._paths.items()
        }


def _read_members(records: list[Any], member_path: Path) -> list[Any]:
    """Return a nested member of each record, or None."""
    first, *nested = member_path
    values = list(map(attrgetter(first), records))  # every record has it: three times as fast
    for member in nested:
        values = [getattr(value, member, None) for value in values]
    return values


def look_up(record: Mapping[str, Any], path: Path) -> Any:
    """Return the value at a path of nested keys, or None."""
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


class RecordQuoter:
    """Quotes records of one shape, and hides values that are not fields.

    So names, locations and browsers stay in the raw log.
    """

    def __init__(self, shape: RecordShape, characters: int) -> None:
        """Prepare the keys to keep.

        Args:
            shape: the shape of the records.
            characters: the length of a quote.
        """
        self._characters = characters
        self._kept: dict[str, Any] = {}  # a tree of keys; fields are at its leaves
        for path in shape.paths.values():
            branch = self._kept
            for key in path:
                branch = branch.setdefault(key, {})
        keys = "|".join(sorted({re.escape(key) for path in shape.paths.values() for key in path}))
        self._other_value = re.compile(rf"""(["'])((?!(?:{keys})\1)[^"'\\]*+)\1{VALUE}""")

    def quote(self, record: bytes) -> str:
        """Return the beginning of a record, with values hidden that are not fields."""
        members = decode_members(record)
        if members is None:
            text = record.decode("utf-8", "replace")[: READ_PER_QUOTED * self._characters]
            quoted = self._other_value.sub(rf'\1\2\1:"{HIDDEN}"', text)
        else:
            quoted = ENCODER.encode(_hide_values(members, self._kept)).decode("utf-8", "replace")
        return quoted[: self._characters]


def find_unknown_keys(record: bytes, known_keys: frozenset[str]) -> list[str] | None:
    """Return a record's unknown keys, sorted, or None."""
    return sorted((decode_members(record) or {}).keys() - known_keys) or None


def decode_members(record: bytes) -> dict[str, Any] | None:
    """Return a record's values by key, still encoded if msgspec can read the record.

    None for anything but one JSON object.
    """
    with suppress(*DECODE_ERRORS):
        members: dict[str, Any] = MEMBERS.decode(record)
        return members
    return decode_exactly(record)


def _hide_values(members: dict[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _hide_nested_values(value, kept[key]) if key in kept else HIDDEN
        for key, value in members.items()
    }


def _hide_nested_values(value: Any, kept: Mapping[str, Any]) -> Any:
    if type(value) is msgspec.Raw:  # not decoded, as nearly all are
        first = memoryview(value)[0]
        if first == OBJECT:
            return _hide_values(decode_members(bytes(value)) or {}, kept)
        return [HIDDEN] if first == LIST else value
    if isinstance(value, dict):
        return _hide_values(value, kept)
    return [HIDDEN] if isinstance(value, list) else value
