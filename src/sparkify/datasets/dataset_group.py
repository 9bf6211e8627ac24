"""Several datasets that load as one."""

from typing import Any, NoReturn

from kedro.io.core import AbstractDataset, DatasetError


class DatasetGroup(AbstractDataset[NoReturn, dict[str, Any]]):
    """Datasets of other catalog entries, loaded together by name; it is never saved.

    Kedro-Viz draws the group as one box. Each dataset is saved under its own catalog entry.

    Example:
        ```yaml
        optional_results:
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

    def save(self, data: NoReturn) -> None:  # noqa: ARG002 -- as in Kedro
        """Refuse: each dataset is saved under its own name.

        Raises:
            DatasetError: always.
        """
        raise DatasetError(f"A group of datasets is not saved; save one of {list(self._datasets)}.")

    def _exists(self) -> bool:
        return all(dataset.exists() for dataset in self._datasets.values())

    def _describe(self) -> dict[str, Any]:
        return {name: dataset._describe() for name, dataset in self._datasets.items()}
