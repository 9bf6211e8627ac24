"""Records of a log: fields decoded as Python's `json` does, and quotes of rejected ones."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from sparkify.pipelines.data_processing.fields import FIELDS, Kind, Path, RecordShape

# What msgspec decodes without `float_hook`. In values of type Any, that hook gets each number with
# a fraction or an exponent: as a Decimal, an id keeps its digits.
NO_OBJECT = int | float | str | bool | list[Any] | None
REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
HIDDEN = "…"
OBJECT, LIST = b"{["
ENCODER = msgspec.json.Encoder(decimal_format="number")
MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
# A value behind its key in malformed JSON. Possessive: no text is matched more than once.
VALUE = r"""\s*+:\s*+(?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|\[[^\]]*+\]?|[^,}]*+)"""
READ_PER_KEPT = 20  # characters of a malformed record that are read for each that is kept


class DecodedRecords(NamedTuple):
    """The values of a batch of records.

    Attributes:
        values: a value per record, or None, for each field that the records hold.
        malformed: the places of records that are not JSON objects; all their values are None.
    """

    values: dict[str, list[Any]]
    malformed: list[int]


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


EXACT_DECODER = json.JSONDecoder(
    parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant
)


def decode_exactly(record: bytes) -> dict[str, Any] | None:
    """Decode one record as Python's `json` does, every number with all its digits as a Decimal.

    Bytes that are not UTF-8 become U+FFFD. Returns None for anything else than one JSON object,
    for NaN and infinities, and for objects nested more deeply than Python's stack allows.
    """
    try:
        decoded = EXACT_DECODER.decode(record.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


class RecordDecoder:
    """Decodes the fields of records of one shape.

    msgspec does it fast, and skips the values that no field needs. `decode_exactly` decodes the
    records that msgspec refuses.
    """

    def __init__(self, shape: RecordShape) -> None:
        self._paths = shape.paths
        self._places: dict[Path, Path] = {}
        kinds = {path: FIELDS[field][1] for field, path in shape.paths.items()}
        self._decoder, self._empty = None, None
        # msgspec accepts no key with a quote, a backslash or a control character.
        with suppress(ValueError):
            record = self._define_record((), (), kinds)
            self._decoder, self._empty = msgspec.json.Decoder(record, float_hook=Decimal), record()

    def _define_record(self, above: Path, place: Path, kinds: Mapping[Path, Kind]) -> Any:
        """Define the struct of the object at a path of keys, with a member for each key in use.

        Args:
            above: the keys on the way to the object.
            place: the names of the members on the way to it.
            kinds: what is read at each path.
        """
        depth = len(above)
        keys = dict.fromkeys(path[depth] for path in kinds if path[:depth] == above != path)
        members = {key: f"member_{number}" for number, key in enumerate(keys)}
        types = {}
        for key, member in members.items():
            path = (*above, key)
            self._places[path] = (*place, member)
            if any(path == longer[: depth + 1] != longer for longer in kinds):
                types[key] = self._define_record(path, (*place, member), kinds) | NO_OBJECT
            elif kinds[path] in ("time", "number"):
                types[key] = NO_OBJECT | dict[str, Any]
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
            with suppress(*REFUSALS):
                return DecodedRecords(self._read_fields(map(self._decoder.decode, records)), [])
        return self._decode_one_by_one(records)

    def _decode_one_by_one(self, records: list[bytes]) -> DecodedRecords:
        decoded = [self._empty] * len(records)
        exact: dict[int, dict[str, Any]] = {}
        malformed = []
        for place, record in enumerate(records):
            if self._decoder is not None:
                with suppress(*REFUSALS):
                    decoded[place] = self._decoder.decode(record)
                    continue
            members = decode_exactly(record)
            if members is None:
                malformed.append(place)
            else:
                exact[place] = members
        values = self._read_fields(decoded)
        for field, path in self._paths.items():
            for place, members in exact.items():
                values[field][place] = look_up(members, path)
        return DecodedRecords(values, malformed)

    def _read_fields(self, records: Iterable[Any]) -> dict[str, list[Any]]:
        decoded = list(records)
        if self._decoder is None:
            return {field: [None] * len(decoded) for field in self._paths}
        return {
            field: _read_members(decoded, self._places[path]) for field, path in self._paths.items()
        }


def _read_members(records: list[Any], place: Path) -> list[Any]:
    """Return a member of each record, by the names on the way; None where there is none."""
    first, *others = place
    values = list(map(attrgetter(first), records))  # every record has it: a third of the time
    for member in others:
        values = [getattr(value, member, None) for value in values]
    return values


def look_up(record: Mapping[str, Any], path: Path) -> Any:
    """Return the value at a path of nested keys; None where there is none."""
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


class RecordQuoter:
    """Quotes records of one shape; values that no field needs are hidden.

    Names, places, browsers and the like stay in the raw log.
    """

    def __init__(self, shape: RecordShape, characters: int) -> None:
        """Prepare to quote.

        Args:
            shape: where the records hold the fields.
            characters: how many of a record are kept.
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
        """Return the beginning of a record, with other values hidden."""
        members = decode_members(record)
        if members is None:
            text = record.decode("utf-8", "replace")[: READ_PER_KEPT * self._characters]
            quoted = self._other_value.sub(rf'\1\2\1:"{HIDDEN}"', text)
        else:
            quoted = ENCODER.encode(_hide(members, self._kept)).decode("utf-8", "replace")
        return quoted[: self._characters]


def find_unknown_keys(record: bytes, known_keys: frozenset[str]) -> list[str] | None:
    """Return a record's other keys, sorted; None where there are none."""
    return sorted((decode_members(record) or {}).keys() - known_keys) or None


def decode_members(record: bytes) -> dict[str, Any] | None:
    """Return the value behind each key of a record, not decoded where msgspec can read it.

    None for anything else than one JSON object.
    """
    with suppress(*REFUSALS):
        members: dict[str, Any] = MEMBERS.decode(record)
        return members
    return decode_exactly(record)


def _hide(members: dict[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _hide_inner(value, kept[key]) if key in kept else HIDDEN
        for key, value in members.items()
    }


def _hide_inner(value: Any, kept: Mapping[str, Any]) -> Any:
    if type(value) is msgspec.Raw:  # not decoded, as nearly all are
        first = memoryview(value)[0]
        if first == OBJECT:
            return _hide(decode_members(bytes(value)) or {}, kept)
        return [HIDDEN] if first == LIST else value
    if isinstance(value, dict):
        return _hide(value, kept)
    return [HIDDEN] if isinstance(value, list) else value
