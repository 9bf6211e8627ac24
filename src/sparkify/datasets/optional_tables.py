"""Tables that need not exist: a user's CSV or Parquet file, and partitions of earlier runs."""

from pathlib import PurePosixPath
from typing import Any, NoReturn

import fsspec
import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError, get_protocol_and_path
from kedro_datasets.partitions import PartitionedDataset


class OptionalTableDataset(AbstractDataset[NoReturn, pd.DataFrame | None]):
    """A user's table: `<filepath>.csv` or `<filepath>.parquet`; loads as None without either.

    Every column of a CSV file is text, so that an ID such as 007 keeps its zeros. It is never
    saved.
    """

    def __init__(self, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Define the table; `filepath` is without the ending."""
        self.metadata = metadata
        protocol, path = get_protocol_and_path(filepath)
        self._filesystem, self._filepath = fsspec.filesystem(protocol), PurePosixPath(path)

    def load(self) -> pd.DataFrame | None:
        """Load the table, or None.

        Raises:
            DatasetError: if there are both a CSV and a Parquet file.
        """
        files = self._list_files()
        if len(files) > 1:
            raise DatasetError(f"{' and '.join(files)} both exist. Remove one of them.")
        if not files:
            return None
        with self._filesystem.open(files[0], "rb") as file:
            is_csv = files[0].endswith(".csv")
            return pd.read_csv(file, dtype=str) if is_csv else pd.read_parquet(file)

    def save(self, data: NoReturn) -> None:  # noqa: ARG002
        """Refuse to save.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"{self._filepath} is written by the user, never by a run.")

    def _list_files(self) -> list[str]:
        files = [f"{self._filepath}{ending}" for ending in (".csv", ".parquet")]
        return [file for file in files if self._filesystem.exists(file)]

    def _exists(self) -> bool:
        return bool(self._list_files())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}


class OptionalPartitionedDataset(PartitionedDataset):
    """Partitions that load as an empty dictionary where there are none."""

    def load(self) -> dict[str, Any]:
        """Load the partitions' loaders by name; none where nothing was saved."""
        self.release()  # a run that saved a partition has to see it
        partitions: dict[str, Any] = super().load() if self.exists() else {}
        return partitions
