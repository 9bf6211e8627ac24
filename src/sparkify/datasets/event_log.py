"""The raw event log."""

from collections.abc import Iterator
from pathlib import PurePosixPath

import fsspec
from kedro.io.core import DatasetError
from kedro_datasets.spark import SparkDatasetV2
from pyspark.sql import DataFrame

from sparkify.datasets.aside import UNCONFIRMED, beside, spark_path, written_aside

COMPRESSED = {".gz": b"\x1f\x8b", ".bz2": b"BZh"}  # and how their files begin
# How files begin that Spark would take for lines of text.
NO_TEXT = {
    b"\x1f\x8b": "compressed by gzip, without .gz in its name",
    b"BZh": "compressed by bzip2, without .bz2 in its name",
    b"\x28\xb5\x2f\xfd": "compressed by Zstandard",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "Parquet",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
# Spark would unpack these as Hadoop's own formats, which differ from those of the same name.
OTHERWISE_PACKED = (".deflate", ".lz4", ".snappy", ".zst")
LONGEST_BEGINNING = 4


class EventLogDataset(SparkDatasetV2):
    """A log of newline-delimited JSON, loaded and saved line by line in the column `value`.

    The log is a file, a directory of part files, or either of them compressed: with or without
    .gz or .bz2 behind the path. Part files may lie in directories below; as everywhere in
    Spark, names that begin with `_` or `.` are no part files. A log that stands is never written
    over.

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
        super().__init__(
            filepath=filepath,
            file_format="text",
            load_args={"recursiveFileLookup": True},
            metadata=metadata,
        )
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
        """Return where the log is.

        Raises:
            DatasetError: if it is nowhere, in two places, or no text by the looks of its files.
        """
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
        for file, beginning in self._beginnings(found[0]):
            wrong = _wrong_with(file, beginning)
            if wrong:
                raise DatasetError(
                    f"the event log's file {file} is {wrong}. Put text in UTF-8 in its place, "
                    f"one JSON object per line, as it is or compressed as .gz or .bz2."
                )
        return found[0]

    def _beginnings(self, log: str) -> Iterator[tuple[str, bytes | Exception]]:
        """Give the log's files that hold anything, with their first bytes."""
        files = [file for file in self._filesystem.find(log) if not _is_hidden(file, log)]
        found = self._filesystem.cat_ranges(files, 0, LONGEST_BEGINNING)
        return (pair for pair in zip(files, found, strict=True) if pair[1] != b"")

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


def _is_hidden(file: str, log: str) -> bool:
    """Return whether Spark passes over a file below the log, by its name or a directory's."""
    below = file.removeprefix(log.rstrip("/"))
    return any(part.startswith(("_", ".")) for part in PurePosixPath(below).parts)


def _wrong_with(file: str, beginning: bytes | Exception) -> str | None:
    """Say why a file cannot be part of a log, by its name and its first bytes; None if it can."""
    if isinstance(beginning, Exception):
        return f"not to be read ({beginning})"
    suffix = PurePosixPath(file).suffix
    if suffix in OTHERWISE_PACKED:
        return f"compressed as {suffix}"
    if suffix in COMPRESSED:
        is_what_it_says = beginning.startswith(COMPRESSED[suffix])
        return None if is_what_it_says else f"not compressed as {suffix}, whatever its name says"
    return next((what for magic, what in NO_TEXT.items() if beginning.startswith(magic)), None)
