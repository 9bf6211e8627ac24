"""Several datasets that load as one."""

from typing import Any

from fsspec import AbstractFileSystem
from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview


class DatasetGroup(AbstractDataset[dict[str, Any], dict[str, Any]]):
    """Datasets of other catalog entries, loaded together by name.

    Kedro-Viz draws the group as one box. Each dataset is saved under its own catalog entry; saving
    the group only says that they are complete, so that Kedro runs later nodes after them.

    Example:
        ```yaml
        monitoring_results:
          type: sparkify.datasets.DatasetGroup
          datasets:
            drift_figure: {type: sparkify.datasets.OptionalFigureDataset, filepath: drift.png}
        ```
    """

    def __init__(
        self, datasets: dict[str, dict[str, Any]], metadata: dict[str, Any] | None = None
    ) -> None:
        """Define the group; `datasets` has the settings of each dataset by its name."""
        self.metadata = metadata
        self._datasets = {
            name: AbstractDataset.from_config(name, settings) for name, settings in datasets.items()
        }

    def load(self) -> dict[str, Any]:
        """Load every dataset."""
        return {name: dataset.load() for name, dataset in self._datasets.items()}

    def save(self, data: dict[str, Any]) -> None:
        """Check that the datasets are those of the group; they have been saved before.

        Raises:
            DatasetError: if one is missing, or is not in the group.
        """
        if data.keys() != self._datasets.keys():
            raise DatasetError(f"the group has {[*self._datasets]}, not {[*data]}.")

    def _exists(self) -> bool:
        return all(dataset.exists() for dataset in self._datasets.values())

    def _describe(self) -> dict[str, Any]:
        return {name: dataset._describe() for name, dataset in self._datasets.items()}


class SavedDatasetGroup(DatasetGroup):
    """Datasets that a node saves as one: a dictionary with the data of each by its name.

    Kedro-Viz previews the first one.

    Example:
        ```yaml
        report:
          type: sparkify.datasets.SavedDatasetGroup
          datasets:
            text: {type: sparkify.datasets.TextDataset, filepath: report.md}
            page: {type: sparkify.datasets.TextDataset, filepath: report.html}
        ```
    """

    def save(self, data: dict[str, Any]) -> None:
        """Save every dataset, in the order of the settings.

        Raises:
            DatasetError: if a name is missing or unknown.
        """
        super().save(data)
        for name, dataset in self._datasets.items():
            dataset.save(data[name])

    @property
    def members(self) -> list[AbstractDataset[Any, Any]]:
        """The datasets, in the order of the settings."""
        return [*self._datasets.values()]

    def saved_at(self) -> tuple[AbstractFileSystem, str]:
        """Return the file system and the path of the last dataset."""
        return self.members[-1].saved_at()  # type: ignore[attr-defined,no-any-return]

    def preview(self) -> JSONPreview:
        """Preview the first dataset for Kedro-Viz."""
        return self.members[0].preview()  # type: ignore[attr-defined]
