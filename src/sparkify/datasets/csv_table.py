"""Spark tables in CSV, for spreadsheets."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from kedro.io.core import DatasetError
from kedro_datasets._typing import TablePreview
from pyspark.sql import DataFrame

from sparkify.datasets.atomic_write import atomic_write, to_spark_path
from sparkify.datasets.files import CSVDataset
from sparkify.datasets.formulas import escape_formulas


class CSVTableDataset(CSVDataset):
    """A Spark table in one CSV file, as CSVDataset writes it.

    A table of more than `max_rows` rows becomes a folder of part files instead, each with a header
    and at most that many rows. Spark writes them in the order of the table: the driver never holds
    more than `max_rows` rows. So the table loads as a function for each of its files, which loads
    that file, as a PartitionedDataset does.

    ```yaml
    churn_scores_csv:
      type: sparkify.datasets.CSVTableDataset
      filepath: data/07_model_output/churn_scores.csv
      max_rows: 200000
    ```
    """

    def __init__(self, *, max_rows: int, **options: Any) -> None:
        """Define the table; `options` are those of CSVDataset."""
        super().__init__(**options)
        self._max_rows = max_rows

    def save(self, data: DataFrame) -> None:  # type: ignore[override]
        """Save the table, with text that looks like a formula escaped."""
        if data.count() <= self._max_rows:
            super().save(data.toPandas())
            return

        def escape(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
            return map(escape_formulas, batches)

        escaped = data.mapInPandas(escape, data.schema)
        writer = escaped.write.option("maxRecordsPerFile", self._max_rows)
        with atomic_write(*self.saved_at()) as temporary:
            # Quotes are doubled, as in other CSV files.
            path = to_spark_path(self._protocol, temporary)
            writer.csv(path, header=True, escape='"', encoding="utf-8")

    def load(self) -> dict[str, Callable[..., pd.DataFrame]]:  # type: ignore[override]
        """Return a function that loads each file, by its path relative to the table's folder.

        Raises:
            DatasetError: if there is no table.
        """
        filesystem, path = self.saved_at()
        if not filesystem.exists(path):
            raise DatasetError(f"there is no table at {path}: run the pipeline that creates it.")
        files = filesystem.ls(path, detail=False) if filesystem.isdir(path) else []
        parts = sorted(
            name for name in (PurePosixPath(one).name for one in files) if name.startswith("part-")
        )
        folder, name = self.folder, PurePosixPath(path).name
        names = [f"{name}/{part}" for part in parts] or [name]
        return {one: partial(self._load_file, str(folder / one)) for one in names}

    def load_rows(self) -> pd.DataFrame:
        """Load the whole table, with the text that was saved."""
        return pd.concat([load() for load in self.load().values()], ignore_index=True)

    def replace_file(self, file: str, rows: pd.DataFrame) -> None:
        """Replace the rows of a file that `load` has named."""
        path = self.folder / file
        checksum = str(path.with_name(f".{path.name}.crc"))  # Spark's, of a part file
        if self._fs.exists(checksum):
            self._fs.rm(checksum)
        CSVDataset.save(self._copy(_filepath=path), rows)

    def preview(self, nrows: int = 5) -> TablePreview:
        """Read the first rows for Kedro-Viz."""
        load = next(iter(self.load().values()))
        return TablePreview(load(nrows=nrows).to_dict(orient="split"))

    def _load_file(self, path: str, **load_args: Any) -> pd.DataFrame:
        load_args = {**self._load_args, **load_args}
        return CSVDataset.load(self._copy(_filepath=PurePosixPath(path), _load_args=load_args))
