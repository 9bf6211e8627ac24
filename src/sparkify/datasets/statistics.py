"""Find the size of saved data: bytes, rows and columns, without a JVM."""

from typing import Any

from fsspec import AbstractFileSystem
from kedro.io import AbstractDataset
from kedro.io.core import DatasetError

from sparkify.datasets.csv_table import CSVTableDataset
from sparkify.datasets.files import CSVDataset
from sparkify.datasets.parquet_table import ParquetTableDataset


def find_saved(dataset: AbstractDataset[Any, Any] | None) -> tuple[AbstractFileSystem, str] | None:
    """Return the file system and the path of a dataset's saved data.

    None for data in memory, for datasets of other packages, and without saved data.
    """
    if dataset is None or not hasattr(dataset, "saved_at"):
        return None
    try:
        filesystem, path = dataset.saved_at()
    except DatasetError:
        return None
    return (filesystem, path) if filesystem.exists(path) else None


def count_bytes(dataset: AbstractDataset[Any, Any] | None) -> int:
    """Return the size of a dataset's saved data in bytes, or 0."""
    saved = find_saved(dataset)
    if saved is None:
        return 0
    filesystem, path = saved
    return int(filesystem.du(path))


def describe_size(dataset: AbstractDataset[Any, Any] | None) -> dict[str, int]:
    """Return a table's `rows`, `columns` and `file_size` in bytes.

    Empty unless it is a table that exists and can be read. A CSV table in part files is too large
    to be read.
    """
    size = count_bytes(dataset)
    saved = find_saved(dataset)
    is_folder = saved is not None and saved[0].isdir(saved[1])
    try:
        if size and isinstance(dataset, ParquetTableDataset):
            rows, columns = dataset.count_rows(), dataset.count_columns()
        elif size and isinstance(dataset, CSVDataset) and not is_folder:
            is_table = isinstance(dataset, CSVTableDataset)
            rows, columns = (dataset.load_rows() if is_table else dataset.load()).shape
        else:
            return {}
    except (DatasetError, OSError, ValueError):  # pyarrow's errors are ValueErrors
        return {}
    return {"rows": rows, "columns": columns, "file_size": size}
