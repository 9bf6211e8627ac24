"""Atomic writes: a file or folder gets its final name when complete. Also paths for Spark.

Data are written to `.NAME.writing` beside their path and renamed at the end. kedro-datasets writes
in place, so a killed run leaves half a file. fsspec's transactions do too if the temporary folder
is on another disk.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from fsspec import AbstractFileSystem
from kedro.io.core import DatasetError, get_filepath_str

from sparkify.errors.os_errors import describe_os_error

SPARK_SCHEMES = {"s3": "s3a", "s3n": "s3a", "gcs": "gs"}  # fsspec's: Hadoop's
WRITING, REPLACED, UNCONFIRMED = SUFFIXES = "writing", "replaced", "unconfirmed"
# Spark option: the path names one file or folder and is not a pattern.
LITERAL_PATH = {"__globPaths__": False}


class AtomicWriteMixin:
    """Makes a file dataset of kedro-datasets replace its file as a whole or not at all."""

    def _get_versions(self: Any) -> list[str]:
        return list_versions(self._fs, self._filepath)

    def save(self: Any, data: Any) -> None:
        """Save to a temporary path and rename it to the file's path."""
        path = get_filepath_str(self._get_save_path(), self._protocol)
        with atomic_write(self._fs, path) as temporary:
            copy = self._copy(_filepath=PurePosixPath(temporary), _version=None)
            # Unwrapped, so that an error names this dataset and not the temporary path.
            super(AtomicWriteMixin, copy).save.__wrapped__(copy, data)  # type: ignore[misc]

    def saved_at(self: Any) -> tuple[AbstractFileSystem, str]:
        """Return the file system and the path of the last saved file."""
        return self._fs, str(self._get_load_path())

    @property
    def folder(self: Any) -> PurePosixPath:
        """The folder of the file, or of its versions."""
        return PurePosixPath(self._filepath).parent


@contextmanager
def atomic_write(filesystem: AbstractFileSystem, path: str) -> Iterator[str]:
    """Yield a temporary path to write to, then rename it to `path`.

    This replaces earlier data at `path`. After an error, earlier data are unchanged and the
    temporary path is removed.

    Raises:
        DatasetError: if the disk is full or the folder cannot be written to.
    """
    temporary = to_hidden_path(path, WRITING)
    with explain_failed_write(path):
        try:
            filesystem.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
            recover(filesystem, path)
            yield temporary
            _replace(filesystem, temporary, path)
        except BaseException:
            with suppress(OSError):  # also fails on a disk that cannot be written to
                recover(filesystem, path)
            raise


@contextmanager
def explain_failed_write(path: str) -> Iterator[None]:
    """Explain why data at `path` could not be written.

    Raises:
        DatasetError: if the disk is full or the folder cannot be written to.
    """
    try:
        yield
    except BaseException as error:
        problem = describe_os_error(error)
        if problem is None:
            raise
        raise DatasetError(
            f"{path} was not written: {problem.cause}. Earlier data there are unchanged; "
            f"{problem.remedy}."
        ) from error


def recover(filesystem: AbstractFileSystem, path: str) -> None:
    """Remove the remains of an interrupted write beside `path`.

    Earlier data get their name back if the interruption was between the two renames.
    """
    replaced = to_hidden_path(path, REPLACED)
    for suffix in (WRITING, UNCONFIRMED):
        _remove(filesystem, to_hidden_path(path, suffix))
    if filesystem.exists(replaced) and not filesystem.exists(path):
        filesystem.mv(replaced, path, recursive=True)
    _remove(filesystem, replaced)


def recover_folder(filesystem: AbstractFileSystem, folder: Path) -> list[str]:
    """Recover everything below a local folder; return the paths whose write was interrupted.

    The folder of a version that was never completed is removed.
    """
    leftovers = [path for suffix in SUFFIXES for path in folder.rglob(f".*.{suffix}")]
    interrupted = {str(path.with_name(path.stem[1:])) for path in leftovers}
    for path in sorted(interrupted):
        with suppress(OSError):  # a read-only folder needs no recovery
            recover(filesystem, path)
            Path(path).parent.rmdir()  # fails if not empty
    return sorted(interrupted)


def to_hidden_path(path: str, suffix: str) -> str:
    """Return a hidden path beside `path`, for incomplete or replaced data."""
    final = PurePosixPath(path)
    return str(final.with_name(f".{final.name}.{suffix}"))


def to_spark_path(protocol: str, path: str) -> str:
    """Return a path with Spark's scheme."""
    return f"{SPARK_SCHEMES.get(protocol, protocol)}://{path}"


def escape_pattern(path: str) -> str:
    """Return the pattern that matches only this path, for Spark functions that take patterns."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)


def list_versions(filesystem: AbstractFileSystem, path: PurePosixPath) -> list[str]:
    """List the saved versions of a dataset, the newest first.

    Kedro uses a glob, which fails if the path contains `[` or `*`.
    """
    if not filesystem.isdir(str(path)):
        return []
    folders = sorted(filesystem.ls(str(path), detail=False), reverse=True)
    versions = [f"{folder}/{path.name}" for folder in folders]
    return [version for version in versions if filesystem.exists(version)]


def _replace(filesystem: AbstractFileSystem, temporary: str, path: str) -> None:
    filesystem.invalidate_cache()
    if not filesystem.isdir(temporary) and not filesystem.isdir(path):
        filesystem.mv(temporary, path)  # a file replaces another in one step
        return
    replaced = to_hidden_path(path, REPLACED)
    if filesystem.exists(path):
        filesystem.mv(path, replaced, recursive=True)
    filesystem.mv(temporary, path, recursive=True)
    _remove(filesystem, replaced)


def _remove(filesystem: AbstractFileSystem, path: str) -> None:
    filesystem.invalidate_cache()
    if filesystem.exists(path):
        filesystem.rm(path, recursive=True)
