"""How much a dataset holds, told by its files."""

from typing import Any

import fsspec
from fsspec import AbstractFileSystem
from kedro.io import AbstractDataset, MemoryDataset
from kedro.io.core import AbstractVersionedDataset, DatasetError
from kedro_datasets.pandas import CSVDataset

from sparkify.datasets.event_log import EventLogDataset
from sparkify.datasets.parquet_table import ParquetTableDataset


def saved_at(dataset: AbstractDataset[Any, Any] | None) -> tuple[AbstractFileSystem, str] | None:
    """Return the file system and the path of what a dataset has saved.

    None in memory, and where no version or no log is.
    """
    if dataset is None or isinstance(dataset, MemoryDataset):
        return None
    path = getattr(dataset, "_filepath", None)
    if isinstance(dataset, AbstractVersionedDataset | EventLogDataset):
        try:
            path = dataset._get_load_path()
        except DatasetError:
            return None
    if path is None:
        return None
    return fsspec.filesystem(getattr(dataset, "_protocol", "file")), str(path)


def bytes_on_disk(dataset: AbstractDataset[Any, Any] | None) -> int:
    """Return the size of what a dataset has saved, in bytes; 0 where there is nothing."""
    place = saved_at(dataset)
    if place is None or not place[0].exists(place[1]):
        return 0
    filesystem, path = place
    return int(filesystem.du(path))


def extent(dataset: AbstractDataset[Any, Any] | None) -> dict[str, int]:
    """Return a table's `rows`, `columns` and `file_size` in bytes; empty for anything else.

    Tables of Spark's are counted by the footers of their files, without a JVM. What is not there
    or cannot be read is no table.
    """
    size = bytes_on_disk(dataset)
    if not size:
        return {}
    try:
        if isinstance(dataset, ParquetTableDataset):
            rows, columns = dataset.count_rows(), dataset.count_columns()
        elif isinstance(dataset, CSVDataset):
            rows, columns = dataset.load().shape
        else:
            return {}
    except (DatasetError, OSError, ValueError):  # pyarrow's errors are ValueErrors
        return {}
    return {"rows": rows, "columns": columns, "file_size": size}
