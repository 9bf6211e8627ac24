"""What may be missing: results of pipelines that need not have run."""

from typing import Any

from sparkify.datasets.files import FigureDataset, JSONDataset


class OptionalJSONDataset(JSONDataset):
    """A JSON dataset that loads as an empty dictionary where there is no file."""

    def load(self) -> Any:
        """Load the file, or nothing."""
        return super().load() if self._exists() else {}


class OptionalFigureDataset(FigureDataset):
    """A figure that loads as None where there is no file."""

    def load(self) -> Any:
        """Load the picture's bytes, or nothing."""
        return super().load() if self._exists() else None
