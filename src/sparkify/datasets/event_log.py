"""The raw event log."""

import bz2
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import fsspec
from fsspec import AbstractFileSystem
from kedro.io.core import DatasetError
from kedro_datasets.spark import SparkDatasetV2
from pyspark.sql import DataFrame, SparkSession

from sparkify.datasets.aside import (
    LITERAL_PATH,
    UNCONFIRMED,
    beside,
    spark_path,
    written_aside,
)

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
BEGINNING = 2_048  # bytes: enough to unpack the header of a tar archive
BZIP2_BEGINNING = 1_000_000  # bzip2 is unpacked by blocks of up to this size
# Hadoop keeps a checksum beside every local file, by a name that it cannot make of one with a
# colon: such files are read without.
WITHOUT_CHECKSUMS: dict[str, bool | str] = {
    "fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "fs.file.impl.disable.cache": True,
}


class EventLogDataset(SparkDatasetV2):
    """A log of newline-delimited JSON, loaded and saved line by line in the column `value`.

    The log is a file, a directory of part files, or either of them compressed: with or without
    .gz or .bz2 behind the path. Part files may lie in directories below, or in linked ones. As
    everywhere in Spark, names that begin with `_` or `.` are no part files. A log that stands is
    never written over.

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
        if self._filesystem.isfile(found[0]) and _is_hidden(PurePosixPath(found[0]).name):
            raise DatasetError(
                f"Spark passes over the event log {found[0]} because of its name: rename it to one "
                f"that does not begin with _ or . and set raw_log in conf/<env>/globals.yml."
            )
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
        files = self._files(log)
        found = self._filesystem.cat_ranges(files, 0, BEGINNING)
        for file, beginning in zip(files, found, strict=True):
            if file.endswith(".bz2") and isinstance(beginning, bytes) and beginning:
                yield file, self._filesystem.cat_file(file, 0, BZIP2_BEGINNING)
            elif beginning:
                yield file, beginning

    def _files(self, log: str) -> list[str]:
        """List the log's files: those that Spark does not pass over."""
        files = _find_through_links(self._filesystem, log)
        return [file for file in files if not _is_hidden(file.removeprefix(log))]

    def _load(self) -> DataFrame:
        log = self.require_present()
        options: dict[str, bool | str] = {"recursiveFileLookup": True, **LITERAL_PATH}
        if self._protocol == "file" and any(":" in PurePosixPath(f).name for f in self._files(log)):
            options |= WITHOUT_CHECKSUMS
        reader = SparkSession.builder.getOrCreate().read
        return reader.options(**options).text(spark_path(self._protocol, log))

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


def _find_through_links(filesystem: AbstractFileSystem, folder: str) -> Iterator[str]:
    """Give the files below a folder, or the one file at a path, as Spark finds them.

    fsspec follows no link to a directory. Spark follows one that leads back to itself 40 times,
    and finds each file as often.
    """
    for file, about in filesystem.find(folder, detail=True).items():
        if not about.get("islink") or not filesystem.isdir(file):
            yield file
        elif Path(file).parent.resolve().is_relative_to(Path(file).resolve()):
            raise DatasetError(f"the event log's link {file} leads back to itself: remove it.")
        else:
            yield from _find_through_links(filesystem, file)


def _is_hidden(path: str) -> bool:
    """Return whether Spark passes over a file, by its name or that of a directory above it."""
    return any(
        part.startswith(".") or (part.startswith("_") and "=" not in part)
        for part in PurePosixPath(path).parts
    )


def _unpack(suffix: str, beginning: bytes) -> bytes:
    """Return as much of a file's content as its first bytes hold, at most a tar header of it."""
    try:
        if suffix == ".gz":
            return zlib.decompressobj(wbits=31).decompress(beginning, tarfile.BLOCKSIZE)
        if suffix == ".bz2":
            return bz2.BZ2Decompressor().decompress(beginning, tarfile.BLOCKSIZE)
    except (zlib.error, OSError):  # damaged: Spark says where
        return b""
    return beginning[: tarfile.BLOCKSIZE]


def _is_tar(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _wrong_with(file: str, beginning: bytes | Exception) -> str | None:
    """Say why a file cannot be part of a log, by its name and its first bytes; None if it can."""
    if isinstance(beginning, Exception):
        return f"not to be read ({beginning})"
    suffix = PurePosixPath(file).suffix
    if suffix in OTHERWISE_PACKED:
        return f"compressed as {suffix}"
    if suffix in COMPRESSED and not beginning.startswith(COMPRESSED[suffix]):
        return f"not compressed as {suffix}, whatever its name says"
    if _is_tar(_unpack(suffix, beginning)):
        return "a tar archive"
    if suffix in COMPRESSED:
        return None
    return next((what for magic, what in NO_TEXT.items() if beginning.startswith(magic)), None)
