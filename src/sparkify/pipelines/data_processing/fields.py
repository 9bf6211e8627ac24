"""The fields of an event: their columns, and where records of a log hold them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal["time", "id", "name", "text", "whole number", "number"]
PageSource = Literal["key", "folder", "file"]

# Field: its column in `checked_events` and its kind of values. The names are those of the published
# logs; `data_processing.fields` has the keys of the log.
FIELDS: dict[str, tuple[str, Kind]] = {
    "ts": ("ts", "time"),
    "userId": ("user_id", "id"),
    "sessionId": ("session_id", "id"),
    "page": ("page", "name"),
    "level": ("level", "text"),
    "itemInSession": ("item_in_session", "whole number"),
    "registration": ("registration", "time"),
    "gender": ("gender", "text"),
    "length": ("length", "number"),
}
ESSENTIAL = ["ts", "userId", "sessionId", "page", "level", "itemInSession", "registration"]
REQUIRED = ["page", "sessionId", "itemInSession", "level"]  # in this order of reasons
INDISPENSABLE = ["ts", "userId", "page"]  # a log without the others can be read
PERSONAL = ["firstName", "lastName", "location", "userAgent"]
# They stay in the raw log: no feature uses them.
UNREAD = [*PERSONAL, "auth", "method", "status", "artist", "song"]
MAX_ITEMS = 2**21  # of a session; with milliseconds up to the year 2109 it fits 63 bits

NUMBERS_AND_ENDINGS = re.compile(r"([-_.]?\d+)*(\.[A-Za-z0-9]+)*$")
Path = tuple[str, ...]


def split_key(key: str) -> Path:
    r"""Split a key into the keys on the way to a nested value.

    A dot goes one level down, `\.` is a dot of the key itself, and `\\` a backslash.

    >>> split_key(r"properties.utm\.source")
    ('properties', 'utm.source')
    """
    parts = [""]
    for text in re.findall(r"\\.|.", key, re.DOTALL):
        if text == ".":
            parts.append("")
        else:
            parts[-1] += text[1:] if len(text) == 2 else text
    return tuple(parts)


@dataclass(frozen=True)
class RecordShape:
    """Where the records of some files hold the fields.

    Attributes:
        files: the pattern of the files, relative to the log; None for all.
        paths: the keys on the way to each field's value; without the fields that the records lack.
        constants: the fields with the same value in every record.
        page_from: what names the page: a key, the record's folder or its file.
    """

    files: str | None
    paths: Mapping[str, Path]
    constants: Mapping[str, str]
    page_from: PageSource

    def has(self, field: str) -> bool:
        """Return whether records have a field: by a key, a constant or their file."""
        is_page_of_file = field == "page" and self.page_from != "key"
        return field in self.paths or field in self.constants or is_page_of_file

    def matches(self, file: str) -> bool:
        """Return whether a file, relative to the log, has this shape."""
        return self.files is None or fnmatchcase(file, self.files)

    def page_of(self, file: str) -> str:
        """Return the page that a file or its folder is named after.

        >>> RecordShape(None, {}, {}, "file").page_of("2018/listen_events-0001.json.gz")
        'listen_events'
        """
        path = PurePosixPath(file)
        if self.page_from == "folder":
            return path.parent.name.split("=", 1)[-1]  # event=Play, as Hive names partitions
        return NUMBERS_AND_ENDINGS.sub("", path.name) or path.name

    @property
    def known_keys(self) -> frozenset[str]:
        """The top-level keys of a record that are read, or are known and not needed."""
        return frozenset({path[0] for path in self.paths.values()} | {*UNREAD})
