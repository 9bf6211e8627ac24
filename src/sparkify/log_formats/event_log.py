"""The files of an event log, as nodes get them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:  # `sparkify inspect` starts without Spark
    from pyspark.sql import DataFrame


class FileState(TypedDict):
    """What shows that a file has changed: its size, and its times or its store's tag."""

    bytes: int
    version: str


@dataclass(frozen=True)
class EventLogFiles:
    """The files of an event log, of which any can be read.

    Attributes:
        states: size and version of each file, by its path relative to the log.
        format: the format of all files, or `auto`.
        read: returns the records of the files with some paths.
    """

    states: Mapping[str, FileState]
    format: str
    read: Callable[[Iterable[str]], "DataFrame"]

    def read_all(self) -> "DataFrame":
        """Return the records of all files."""
        return self.read(self.states)
