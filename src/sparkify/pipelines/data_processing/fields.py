"""The fields of an event: their columns, and their keys in the records of a log."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal["time", "id", "name", "text", "whole number", "number"]
PageSource = Literal["key", "folder", "file"]

# By field: its column in `checked_events` and its kind of values. Fields have the key names of the
# published logs; `data_processing.fields` maps them to a log's keys.
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
    "revenue": ("revenue", "number"),
}
# Without gender, length and revenue, which may be null in every record.
REQUIRED = ["ts", "userId", "sessionId", "page", "level", "itemInSession", "registration"]
NOT_NULL = ["page", "sessionId", "itemInSession", "level"]  # rejected if null, by priority
MANDATORY = ["ts", "userId", "page"]  # every log has them
PERSONAL = ["firstName", "lastName", "location", "userAgent"]
# Keys that stay in the raw log: no feature uses them.
UNUSED_KEYS = [*PERSONAL, "auth", "method", "status", "artist", "song"]
MAX_ITEMS = 2**21  # per session; together with milliseconds up to 2109, 63 bits

NUMBERS_AND_ENDINGS = re.compile(r"([-_.]?\d+)*(\.[A-Za-z0-9]+)*$")
Path = tuple[str, ...]


def split_key(key: str) -> Path:
    r"""Split a key by dots into the keys of a nested value.

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
    """Keys, constants and page source of the records in some files.

    Attributes:
        files: a pattern for files, relative to the log; None for all.
        paths: the nested keys of each field that the records have.
        constants: the values of fields that are the same in every record.
        page_from: what names the page: a key, the record's folder or its file.
    """

    files: str | None
    paths: Mapping[str, Path]
    constants: Mapping[str, str]
    page_from: PageSource

    def has(self, field: str) -> bool:
        """Return whether records have a field: by a key, a constant or their file."""
        is_page_from_file = field == "page" and self.page_from != "key"
        return field in self.paths or field in self.constants or is_page_from_file

    def matches(self, file: str) -> bool:
        """Return whether a file, relative to the log, has this shape."""
        return self.files is None or fnmatchcase(file, self.files)

    def get_page(self, file: str) -> str:
        """Return the page that is the name of a file or its folder.

        >>> RecordShape(None, {}, {}, "file").get_page("2018/listen_events-0001.json.gz")
        'listen_events'
        """
        path = PurePosixPath(file)
        if self.page_from == "folder":
            return path.parent.name.split("=", 1)[-1]  # event=Play, as Hive names partitions
        return NUMBERS_AND_ENDINGS.sub("", path.name) or path.name

    @property
    def known_keys(self) -> frozenset[str]:
        """The top-level keys that are fields or known to be unused."""
        return frozenset({path[0] for path in self.paths.values()} | {*UNUSED_KEYS})
