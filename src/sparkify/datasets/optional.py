"""What may be missing: results of pipelines that need not have run."""

from typing import Any

from sparkify.datasets.files import FigureDataset, JSONDataset
from sparkify.datasets.spark_ml_model import SparkMLModelDataset


class _Optional:
    """What makes a dataset load as nothing where there is none."""

    def load(self: Any) -> Any:
        """Load what was saved, or nothing."""
        return super().load() if self._exists() else self._nothing()  # type: ignore[misc]

    def _nothing(self) -> Any:
        return None


class OptionalJSONDataset(_Optional, JSONDataset):
    """A JSON dataset that loads as an empty dictionary where there is no file."""

    def _nothing(self) -> Any:
        return {}


class OptionalFigureDataset(_Optional, FigureDataset):
    """A figure that loads as None where there is no file."""


class OptionalSparkMLModelDataset(_Optional, SparkMLModelDataset):
    """A fitted Spark ML pipeline that loads as None where there is none."""
