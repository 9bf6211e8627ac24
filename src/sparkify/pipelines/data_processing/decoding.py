"""From bytes of JSON to the values of the fields, exactly as Python's `json` reads them."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from sparkify.pipelines.data_processing.fields import FIELDS, Kind, Path, RecordShape

# What msgspec decodes without `float_hook`. Of a value of any type it gives that hook numbers with
# a fraction or an exponent: as a Decimal an id keeps its digits.
NO_OBJECT = int | float | str | bool | list[Any] | None
REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class DecodedRecords(NamedTuple):
    """The values of a batch of records.

    Attributes:
        values: a value per record, or None, for each field that the records hold.
        malformed: the places of records that are not JSON objects; all their values are None.
    """

    values: dict[str, list[Any]]
    malformed: list[int]


def decode_exactly(record: bytes) -> dict[str, Any] | None:
    """Decode one record as Python's `json` does, every number with all its digits as a Decimal.

    Bytes that are not UTF-8 become U+FFFD. Returns None for anything else than one JSON object.
    NaN and infinities are not JSON; what is nested more deeply than Python's stack allows is
    refused.
    """
    try:
        decoded = EXACT_DECODER.decode(record.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return decoded if isinstance(decoded, dict) else None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


EXACT_DECODER = json.JSONDecoder(
    parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse_constant
)


class RecordDecoder:
    """Decodes the fields of records of one shape.

    msgspec does it fast, and skips the values that no field takes. `decode_exactly` decides about
    a record that msgspec refuses.
    """

    def __init__(self, shape: RecordShape) -> None:
        self._paths = shape.paths
        self._places: dict[Path, Path] = {}
        kinds = {path: FIELDS[field][1] for field, path in shape.paths.items()}
        self._decoder, self._empty = None, None
        # msgspec takes no key with a quote, a backslash or a control character.
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
            found = decode_exactly(record)
            if found is None:
                malformed.append(place)
            else:
                exact[place] = found
        values = self._read_fields(decoded)
        for field, path in self._paths.items():
            for place, found in exact.items():
                values[field][place] = look_up(found, path)
        return DecodedRecords(values, malformed)

    def _read_fields(self, records: Iterable[Any]) -> dict[str, list[Any]]:
        decoded = list(records)
        if self._decoder is None:
            return {field: [None] * len(decoded) for field in self._paths}
        return {
            field: _read_values(decoded, self._places[path]) for field, path in self._paths.items()
        }


def look_up(record: Mapping[str, Any], path: Path) -> Any:
    """Return the value at a path of nested keys; None where there is none."""
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _read_values(records: list[Any], place: Path) -> list[Any]:
    """Return a member of each record, by the names on the way; None where there is none."""
    values = records
    for number, member in enumerate(place):
        if number == 0:  # every record has it: a third of the time
            values = list(map(attrgetter(member), values))
        else:
            values = [getattr(value, member, None) for value in values]
    return values
