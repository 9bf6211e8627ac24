"""Writing aside, then renaming: what has its final name is complete."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from fsspec import AbstractFileSystem

SPARK_SCHEMES = {"s3": "s3a", "s3n": "s3a", "gcs": "gs"}  # where fsspec's differ from Hadoop's


@contextmanager
def written_aside(filesystem: AbstractFileSystem, path: str) -> Iterator[str]:
    """Give a path to write to, and rename it to `path` once all is written.

    What stood at `path` goes only then; after an error it is still there, and what was
    written aside is removed.
    """
    final = PurePosixPath(path)
    aside = str(final.with_name(f".{final.name}.writing"))
    filesystem.makedirs(str(final.parent), exist_ok=True)
    _remove(filesystem, aside)
    try:
        yield aside
        _remove(filesystem, path)
        filesystem.mv(aside, path, recursive=True)
    except BaseException:
        _remove(filesystem, aside)
        raise


def spark_path(protocol: str, path: str) -> str:
    """Return a path with its scheme, as Spark takes it."""
    return f"{SPARK_SCHEMES.get(protocol, protocol)}://{path}"


def _remove(filesystem: AbstractFileSystem, path: str) -> None:
    filesystem.invalidate_cache()
    if filesystem.exists(path):
        filesystem.rm(path, recursive=True)
