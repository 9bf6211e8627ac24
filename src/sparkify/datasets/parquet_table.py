"""A table of Spark's in Parquet."""

from typing import Any

import fsspec
import pyarrow.dataset
from kedro.io.core import DatasetError
from kedro_datasets._typing import TablePreview
from kedro_datasets.spark import SparkDatasetV2
from pyspark.sql import DataFrame

from sparkify.datasets.atomic_write import LITERAL_PATH, spark_path, written_aside


class ParquetTableDataset(SparkDatasetV2):
    """A Spark table in Parquet that is replaced whole or not at all.

    Beyond kedro-datasets' SparkDatasetV2 it writes aside and renames, so that a killed run
    leaves either the old table or none, and previews its first rows in Kedro-Viz without
    starting a JVM.

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

    def _load(self) -> DataFrame:
        if not self._exists():
            raise DatasetError(
                f"there is no complete table at {self._filepath}: run the pipeline that makes it."
            )
        table: DataFrame = super()._load()
        return table

    def _save(self, data: DataFrame) -> None:
        with written_aside(self._filesystem, str(self._filepath)) as aside:
            data.write.parquet(spark_path(self._protocol, aside), **self._save_args)

    def _exists(self) -> bool:
        return bool(self._filesystem.exists(str(self._filepath / "_SUCCESS")))

    def count_rows(self) -> int:
        """Count the table's rows by its files' footers, without reading a row."""
        return int(self._files().count_rows())

    def count_columns(self) -> int:
        """Count the table's columns."""
        return len(self._files().schema)

    def preview(self, nrows: int = 8) -> TablePreview:
        """Read the first rows for Kedro-Viz."""
        rows = self._files().head(nrows).to_pandas().astype(str)
        return TablePreview(rows.to_dict(orient="split"))

    def _files(self) -> pyarrow.dataset.Dataset:
        return pyarrow.dataset.dataset(str(self._filepath), filesystem=self._filesystem)
