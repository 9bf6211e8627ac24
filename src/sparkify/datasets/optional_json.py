"""A JSON file that may be missing."""

from typing import Any

from sparkify.datasets.files import JSONDataset


class OptionalJSONDataset(JSONDataset):
    """A JSON dataset that loads as an empty dictionary where there is no file."""

    def load(self) -> Any:
        """Load the file, or nothing."""
        return super().load() if self._exists() else {}
