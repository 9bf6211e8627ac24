"""kedro-datasets' files, written aside and renamed.

kedro-datasets writes a file in place: a killed run leaves half of one, and of a versioned file
half of the newest version. fsspec's transactions write to the machine's temporary folder and
copy from there, which is no better wherever that is another disk.
"""

from pathlib import PurePosixPath
from typing import Any

import kedro_datasets.json
import kedro_datasets.matplotlib
import kedro_datasets.pandas
import kedro_datasets.text
import pandas as pd
from kedro.io.core import get_filepath_str

from sparkify.datasets.atomic_write import list_versions, written_aside
from sparkify.datasets.formulas import escape_formulas, unescape_formulas

UTF_8 = {
    "open_args_load": {"mode": "r", "encoding": "utf-8"},
    "open_args_save": {"mode": "w", "encoding": "utf-8"},
}


class _WrittenAside:
    """What makes a file dataset of kedro-datasets replace its file whole or not at all."""

    def _get_versions(self: Any) -> list[str]:
        return list_versions(self._fs, self._filepath)

    def save(self: Any, data: Any) -> None:
        """Save to a path of its own, which then takes the file's name."""
        path = get_filepath_str(self._get_save_path(), self._protocol)
        with written_aside(self._fs, path) as aside:
            beside = self._copy(_filepath=PurePosixPath(aside), _version=None)
            # Unwrapped, so that an error names this dataset and not the path aside.
            super(_WrittenAside, beside).save.__wrapped__(beside, data)  # type: ignore[misc]


class CSVDataset(_WrittenAside, kedro_datasets.pandas.CSVDataset):
    """A small table in UTF-8 CSV whose text a spreadsheet does not run as a formula.

    It comes back as it was saved.
    """

    DEFAULT_FS_ARGS = UTF_8

    def save(self, data: pd.DataFrame) -> None:
        """Save the table, with text that looks like a formula escaped."""
        super().save(escape_formulas(data))

    def load(self) -> pd.DataFrame:
        """Load the table with the text that was saved."""
        return unescape_formulas(super().load())


class JSONDataset(_WrittenAside, kedro_datasets.json.JSONDataset):
    """A JSON file, in UTF-8 whatever the locale."""

    DEFAULT_FS_ARGS = UTF_8


class FigureDataset(_WrittenAside, kedro_datasets.matplotlib.MatplotlibDataset):
    """A Matplotlib figure that comes back as the bytes of the picture that was saved.

    kedro-datasets' MatplotlibDataset cannot be loaded; the report shows what the catalog holds.
    """

    def load(self) -> bytes:
        """Load the picture as it was saved."""
        with self._fs.open(str(self._get_load_path()), mode="rb") as picture:
            content: bytes = picture.read()
        return content


class ParquetDataset(_WrittenAside, kedro_datasets.pandas.ParquetDataset):
    """A small table in one Parquet file."""


class TextDataset(_WrittenAside, kedro_datasets.text.TextDataset):
    """A text file, in UTF-8 whatever the locale."""

    DEFAULT_FS_ARGS = UTF_8
