"""The raw event log."""

import fsspec
from kedro.io.core import DatasetError
from kedro_datasets.spark import SparkDatasetV2
from pyspark.sql import DataFrame

from sparkify.datasets.aside import UNCONFIRMED, beside, spark_path, written_aside

COMPRESSED = (".gz", ".bz2")


class EventLogDataset(SparkDatasetV2):
    """A log of newline-delimited JSON, loaded and saved line by line in the column `value`.

    The log is a file, a directory of part files, or either of them compressed: with or without
    .gz or .bz2 behind the path. A log that stands is never written over.

    A log that is saved stands once it is confirmed, by the node that records what was
    simulated: one without its record would pass for a genuine one. Until then only the dataset
    that saved it sees it, and the next run removes it.

    ```yaml
    raw_events:
      type: sparkify.datasets.EventLogDataset
      filepath: data/01_raw/mini_sparkify_event_data.json
    ```
    """

    def __init__(self, *, filepath: str, metadata: dict[str, object] | None = None) -> None:
        super().__init__(filepath=filepath, file_format="text", metadata=metadata)
        self._filesystem = fsspec.filesystem(self._protocol)
        self._unconfirmed = beside(str(self._filepath), UNCONFIRMED)
        self._is_unconfirmed = False

    def _found(self) -> list[str]:
        if self._is_unconfirmed:
            return [self._unconfirmed]
        path = str(self._filepath)
        candidates = [path, *(path + suffix for suffix in COMPRESSED)]
        return [candidate for candidate in candidates if self._filesystem.exists(candidate)]

    def require_present(self) -> str:
        """Return where the log is; raise a DatasetError if it is nowhere, or in two places."""
        found = self._found()
        if not found:
            raise DatasetError(
                f"there is no event log at {self._filepath}. Put yours there (one JSON object "
                f"per line; a file, a directory of part files, or compressed as .gz or .bz2), "
                f"or write a simulated one with `kedro run --pipelines simulation` and the same "
                f"--env."
            )
        if len(found) > 1:
            raise DatasetError(f"several event logs stand at {', '.join(found)}; leave one.")
        return found[0]

    def _get_load_path(self) -> str:
        return self.require_present()

    def _save(self, data: DataFrame) -> None:
        self.refuse_if_present()
        with written_aside(self._filesystem, self._unconfirmed) as aside:
            data.write.text(spark_path(self._protocol, aside))
        self._is_unconfirmed = True

    def confirm(self) -> None:
        """Give the log that was saved its name; Kedro calls it for a node that `confirms` it."""
        self._filesystem.mv(self._unconfirmed, str(self._filepath), recursive=True)
        self._is_unconfirmed = False

    def _exists(self) -> bool:
        return bool(self._found())

    def refuse_if_present(self) -> None:
        """Raise a DatasetError if a log stands where this one would be written."""
        found = self._found()
        if found:
            raise DatasetError(
                f"a log stands already at {found[0]} and is never written over: move it away "
                f"to simulate another."
            )
