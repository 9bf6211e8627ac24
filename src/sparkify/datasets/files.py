"""File datasets of kedro-datasets with atomic writes, always in UTF-8."""

import json
from typing import Any

import kedro_datasets.json
import kedro_datasets.matplotlib
import kedro_datasets.pandas
import kedro_datasets.text
import pandas as pd
from kedro_datasets._typing import JSONPreview

from sparkify.datasets.atomic_write import AtomicWriteMixin
from sparkify.datasets.formulas import escape_formulas, unescape_formulas

UTF_8 = {
    "open_args_load": {"mode": "r", "encoding": "utf-8"},
    "open_args_save": {"mode": "w", "encoding": "utf-8"},
}


class CSVDataset(AtomicWriteMixin, kedro_datasets.pandas.CSVDataset):
    """A small table in CSV; text that a spreadsheet would run as a formula is escaped.

    Loading returns the text that was saved.
    """

    DEFAULT_FS_ARGS = UTF_8

    def save(self, data: pd.DataFrame) -> None:
        """Save the table, with text that looks like a formula escaped."""
        super().save(escape_formulas(data))

    def load(self) -> pd.DataFrame:
        """Load the table with the text that was saved."""
        return unescape_formulas(super().load())


class JSONDataset(AtomicWriteMixin, kedro_datasets.json.JSONDataset):
    """A JSON file; NaN is an error, since JSON does not have it."""

    DEFAULT_FS_ARGS = UTF_8
    DEFAULT_SAVE_ARGS = {"indent": 2, "allow_nan": False}  # noqa: RUF012 -- as in kedro-datasets


class FigureDataset(AtomicWriteMixin, kedro_datasets.matplotlib.MatplotlibDataset):
    """A Matplotlib figure in a PNG file; loads as the bytes of that file.

    MatplotlibDataset cannot be loaded; the report embeds the saved picture.
    """

    DEFAULT_SAVE_ARGS = {"format": "png"}  # noqa: RUF012 -- as in kedro-datasets

    def load(self) -> bytes:
        """Load the picture as it was saved."""
        filesystem, path = self.saved_at()
        content: bytes = filesystem.cat_file(path)
        return content


class ParquetDataset(AtomicWriteMixin, kedro_datasets.pandas.ParquetDataset):
    """A small table in one Parquet file."""


class TextDataset(AtomicWriteMixin, kedro_datasets.text.TextDataset):
    """A text file; Kedro-Viz previews its lines."""

    DEFAULT_FS_ARGS = UTF_8

    def preview(self) -> JSONPreview:
        """Read the lines that are not blank for Kedro-Viz."""
        return JSONPreview(json.dumps([line for line in self.load().splitlines() if line.strip()]))


class OptionalMixin:
    """Makes a dataset load as None if nothing was saved."""

    def load(self: Any) -> Any:
        """Load what was saved, or None."""
        return super().load() if self.exists() else None  # type: ignore[misc]


class OptionalJSONDataset(OptionalMixin, JSONDataset):
    """A JSON file that loads as an empty dictionary if missing."""

    def load(self) -> Any:
        """Load what was saved, or an empty dictionary."""
        return super().load() or {}


class OptionalFigureDataset(OptionalMixin, FigureDataset):
    """A figure that loads as None if missing."""
