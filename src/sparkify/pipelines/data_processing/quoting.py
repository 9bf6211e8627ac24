"""What `checked_events` keeps of a rejected record: no value that no field takes."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from sparkify.pipelines.data_processing.decoding import (
    REFUSALS,
    decode_exactly,
)
from sparkify.pipelines.data_processing.fields import RecordShape

BLOTTED = "…"
OBJECT, LIST = b"{["
ENCODER = msgspec.json.Encoder(decimal_format="number")
MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
# A value behind its key, in what is no JSON. Possessive, so that no text takes more than one look.
VALUE = r"""\s*+:\s*+(?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|\[[^\]]*+\]?|[^,}]*+)"""
MAX_READ = 20  # characters of a malformed record that are read for each that is kept


class RecordQuoter:
    """Quotes records of one shape, with every value blotted out that no field takes.

    Names, places, browsers and whatever else a service writes stay in the raw log.
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
        known = "|".join(sorted({re.escape(key) for path in shape.paths.values() for key in path}))
        self._other_value = re.compile(rf"""(["'])((?!(?:{known})\1)[^"'\\]*+)\1{VALUE}""")

    def quote(self, record: bytes) -> str:
        """Return the beginning of a record, with other values blotted out."""
        members = decode_members(record)
        if members is None:
            text = record.decode("utf-8", "replace")[: MAX_READ * self._characters]
            quoted = self._other_value.sub(rf'\1\2\1:"{BLOTTED}"', text)
        else:
            quoted = ENCODER.encode(_blot(members, self._kept)).decode("utf-8", "replace")
        return quoted[: self._characters]


def find_unknown_keys(record: bytes, known: frozenset[str]) -> list[str] | None:
    """Return a record's keys that are not known, sorted; None where there are none."""
    unknown = (decode_members(record) or {}).keys() - known
    return sorted(unknown) or None


def decode_members(record: bytes) -> dict[str, Any] | None:
    """Return what stands behind each key of a record, not decoded where msgspec can read it.

    None for what is not one JSON object.
    """
    with suppress(*REFUSALS):
        members: dict[str, Any] = MEMBERS.decode(record)
        return members
    return decode_exactly(record)


def _blot(members: dict[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _blot_value(value, kept[key]) if key in kept else BLOTTED
        for key, value in members.items()
    }


def _blot_value(value: Any, kept: Mapping[str, Any]) -> Any:
    if type(value) is msgspec.Raw:  # not decoded, as nearly all are
        begins = memoryview(value)[0]
        if begins == OBJECT:
            return _blot(decode_members(bytes(value)) or {}, kept)
        return [BLOTTED] if begins == LIST else value
    if isinstance(value, dict):
        return _blot(value, kept)
    return [BLOTTED] if isinstance(value, list) else value
