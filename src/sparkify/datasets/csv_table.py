"""Spark tables in CSV, for spreadsheets."""

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame

from sparkify.datasets.atomic_write import atomic_write, to_spark_path
from sparkify.datasets.files import CSVDataset
from sparkify.datasets.formulas import escape_formulas, unescape_formulas


class CSVTableDataset(CSVDataset):
    """A Spark table in one CSV file, as CSVDataset writes it; loads as a pandas DataFrame.

    A table of more than `max_rows` rows becomes a folder of part files instead, each with a header
    and at most that many rows. Spark writes them in the order of the table: the driver never holds
    more than `max_rows` rows.

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

    def load(self) -> pd.DataFrame:
        """Load the table with the text that was saved, from all part files."""
        parts = self._list_parts()
        if not parts:
            return super().load()
        return unescape_formulas(pd.concat(map(self._read_part, parts), ignore_index=True))

    def _list_parts(self) -> list[str]:
        filesystem, path = self.saved_at()
        files = filesystem.ls(path, detail=False) if filesystem.isdir(path) else []
        return sorted(file for file in files if PurePosixPath(file).name.startswith("part-"))

    def _read_part(self, path: str) -> pd.DataFrame:
        read: Callable[..., pd.DataFrame] = pd.read_csv
        with self._fs.open(path, "r", encoding="utf-8") as file:
            return read(file, **self._load_args)
