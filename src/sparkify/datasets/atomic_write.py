"""Writing aside, then renaming: what has its final name is complete; and paths for Spark."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from fsspec import AbstractFileSystem
from kedro.io.core import DatasetError

from sparkify.errors.os_errors import refusal

SPARK_SCHEMES = {"s3": "s3a", "s3n": "s3a", "gcs": "gs"}  # where fsspec's differ from Hadoop's
WRITING, REPLACED, UNCONFIRMED = LEFT = "writing", "replaced", "unconfirmed"
# An option of Spark's readers: the path is that of a file or folder, and no pattern.
LITERAL_PATH = {"__globPaths__": False}


@contextmanager
def written_aside(filesystem: AbstractFileSystem, path: str) -> Iterator[str]:
    """Give a path to write to, and rename it to `path` once all is written.

    What stood at `path` goes only then; after an error it is still there, and what was
    written aside is removed. A full disk or a folder that is not to be written raises a
    DatasetError that says so.
    """
    aside = beside(path, WRITING)
    try:
        filesystem.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
        recover(filesystem, path)
        yield aside
        _rename(filesystem, aside, path)
    except BaseException as error:
        with suppress(OSError):  # a disk that refuses to be written refuses this as well
            recover(filesystem, path)
        refused = refusal(error)
        if refused is None:
            raise
        what, remedy = refused
        raise DatasetError(
            f"{path} was not written: {what}. What stood there is as it was; {remedy}."
        ) from error


def recover(filesystem: AbstractFileSystem, path: str) -> None:
    """Remove what an interrupted writing left beside `path`.

    If it was interrupted while the old gave way to the new, the old gets its name back.
    """
    replaced = beside(path, REPLACED)
    for suffix in (WRITING, UNCONFIRMED):
        _remove(filesystem, beside(path, suffix))
    if filesystem.exists(replaced) and not filesystem.exists(path):
        filesystem.mv(replaced, path, recursive=True)
    _remove(filesystem, replaced)


def recover_folder(filesystem: AbstractFileSystem, folder: Path) -> list[str]:
    """Recover everything below a local folder; return the paths that had been interrupted.

    A version that was never completed leaves nothing behind, not even its name.
    """
    left = [path for suffix in LEFT for path in folder.rglob(f".*.{suffix}")]
    interrupted = {str(one.with_name(one.stem[1:])) for one in left}
    for path in sorted(interrupted):
        with suppress(OSError):  # where nothing is to be written, nothing is to be mended
            recover(filesystem, path)
            Path(path).parent.rmdir()  # refused unless empty
    return sorted(interrupted)


def beside(path: str, suffix: str) -> str:
    """Return the path for what is on its way to `path`, or from it."""
    final = PurePosixPath(path)
    return str(final.with_name(f".{final.name}.{suffix}"))


def spark_path(protocol: str, path: str) -> str:
    """Return a path with its scheme, as Spark takes it."""
    return f"{SPARK_SCHEMES.get(protocol, protocol)}://{path}"


def as_pattern(path: str) -> str:
    """Return the pattern that matches this path alone, where Spark takes nothing but patterns."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)


def list_versions(filesystem: AbstractFileSystem, path: PurePosixPath) -> list[str]:
    """List the saved versions of a dataset, the newest first.

    Kedro finds them by a pattern, which is another one where the path has `[` or `*` in it.
    """
    if not filesystem.isdir(str(path)):
        return []
    folders = sorted(filesystem.ls(str(path), detail=False), reverse=True)
    versions = [f"{folder}/{path.name}" for folder in folders]
    return [version for version in versions if filesystem.exists(version)]


def _rename(filesystem: AbstractFileSystem, aside: str, path: str) -> None:
    filesystem.invalidate_cache()
    if not filesystem.isdir(aside) and not filesystem.isdir(path):
        filesystem.mv(aside, path)  # a file takes another's name in one step
        return
    replaced = beside(path, REPLACED)
    if filesystem.exists(path):
        filesystem.mv(path, replaced, recursive=True)
    filesystem.mv(aside, path, recursive=True)
    _remove(filesystem, replaced)


def _remove(filesystem: AbstractFileSystem, path: str) -> None:
    filesystem.invalidate_cache()
    if filesystem.exists(path):
        filesystem.rm(path, recursive=True)
