"""The files of an event log, as nodes get them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:  # `sparkify inspect` starts without Spark
    import pandas as pd
    from pyspark.sql import DataFrame


class FileState(TypedDict):
    """What shows that a file has changed: its size, and its times or its store's tag."""

    bytes: int
    version: str


@dataclass(frozen=True)
class EventLogFiles:
    """The files of an event log, of which any can be read, and what belongs to the log.

    Attributes:
        states: size and version of each file, by its path relative to the log.
        format: the format of all files, or `auto`.
        read: returns the records of the files with some paths.
        customers_to_forget: a table with the ids of customers whose records are left out, or None.
        simulation_record: the parameters and the checksum of a simulated log; empty for others.
    """

    states: Mapping[str, FileState]
    format: str
    read: Callable[[Iterable[str]], "DataFrame"]
    customers_to_forget: "pd.DataFrame | None" = None
    simulation_record: Mapping[str, Any] = field(default_factory=dict)

    def read_all(self) -> "DataFrame":
        """Return the records of all files."""
        return self.read(self.states)
