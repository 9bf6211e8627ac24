"""Spark tables in Parquet."""

from typing import Any

import fsspec
import pyarrow.dataset
from fsspec import AbstractFileSystem
from kedro.io.core import DatasetError
from kedro_datasets._typing import TablePreview
from kedro_datasets.spark import SparkDatasetV2
from pyspark.sql import DataFrame

from sparkify.datasets.atomic_write import LITERAL_PATH, atomic_write, to_spark_path


class ParquetTableDataset(SparkDatasetV2):
    """A Spark table in Parquet, written atomically.

    In contrast to SparkDatasetV2, a killed run leaves the earlier table or none, and Kedro-Viz
    previews the first rows without a JVM.

    ```yaml
    user_days:
      type: sparkify.datasets.ParquetTableDataset
      filepath: data/03_primary/user_days
    ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        save_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            filepath=filepath, load_args=LITERAL_PATH, save_args=save_args, metadata=metadata
        )
        self._filesystem = fsspec.filesystem(self._protocol)

    def saved_at(self) -> tuple[AbstractFileSystem, str]:
        """Return the file system and the path of the table."""
        return self._filesystem, str(self._filepath)

    def _load(self) -> DataFrame:
        if not self._exists():
            raise DatasetError(
                f"there is no complete table at {self._filepath}: run the pipeline that creates it."
            )
        table: DataFrame = super()._load()
        return table

    def _save(self, data: DataFrame) -> None:
        with atomic_write(*self.saved_at()) as temporary:
            data.write.parquet(to_spark_path(self._protocol, temporary), **self._save_args)

    def replace_rows(self, rows: DataFrame) -> None:
        """Save rows that were made from the table itself."""
        self.save(rows)

    def _exists(self) -> bool:
        is_file = self._filesystem.isfile(str(self._filepath))  # written by pandas
        return bool(is_file or self._filesystem.exists(str(self._filepath / "_SUCCESS")))

    def count_rows(self) -> int:
        """Count the rows from the footers of the files, without reading rows."""
        return int(self._open_files().count_rows())

    def count_columns(self) -> int:
        """Count the columns."""
        return len(self._open_files().schema)

    def preview(self, nrows: int = 8) -> TablePreview:
        """Read the first rows for Kedro-Viz."""
        rows = self._open_files().head(nrows).to_pandas().astype(str)
        return TablePreview(rows.to_dict(orient="split"))

    def _open_files(self) -> pyarrow.dataset.Dataset:
        return pyarrow.dataset.dataset(str(self._filepath), filesystem=self._filesystem)
