"""The files of a log: which there are, what is in them, and which are no part of one."""

import bz2
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from fsspec import AbstractFileSystem
from kedro.io.core import DatasetError

Format = Literal["json_lines", "json_array", "csv", "tsv", "parquet"]
FORMATS: tuple[Format, ...] = ("json_lines", "json_array", "csv", "tsv", "parquet")
COMPRESSED = {".gz": b"\x1f\x8b", ".bz2": b"BZh"}  # and how their files begin
# How files begin that Spark would take for lines of text.
NO_TEXT = {
    b"\x1f\x8b": "compressed by gzip, without .gz in its name",
    b"BZh": "compressed by bzip2, without .bz2 in its name",
    b"\x28\xb5\x2f\xfd": "compressed by Zstandard",
    b"PK\x03\x04": "a zip archive",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
# Spark would unpack these as Hadoop's own formats, which differ from those of the same name.
OTHERWISE_PACKED = (".deflate", ".lz4", ".snappy", ".zst")
BEGINNING = 2_048  # bytes: enough to unpack the header of a tar archive
BZIP2_BEGINNING = 1_000_000  # bzip2 is unpacked by blocks of up to this size
PARQUET = b"PAR1"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
PRINTED_OBJECT = b"{"  # alone on its line


class LogFile(NamedTuple):
    """A file of a log: its path and its format."""

    path: str
    format: Format


def list_files(filesystem: AbstractFileSystem, log: str, log_format: str) -> list[LogFile]:
    """Return a log's files that hold anything, with their formats.

    Args:
        filesystem: where they are.
        log: the path of a file or a folder. As everywhere in Spark, what lies below a name that
            begins with `_` or `.` is no part of it.
        log_format: the format of all files, or `auto`: by each file's ending and first bytes.

    Raises:
        DatasetError: if one of them cannot be read, or is something else by its first bytes.
    """
    paths = [
        path
        for path in _find_through_links(filesystem, log)
        if not is_hidden(path.removeprefix(log))
    ]
    found = filesystem.cat_ranges(paths, 0, BEGINNING)
    files = []
    for path, beginning in zip(paths, found, strict=True):
        if not beginning:
            continue
        is_bzip2 = path.endswith(".bz2") and isinstance(beginning, bytes)
        known = filesystem.cat_file(path, 0, BZIP2_BEGINNING) if is_bzip2 else beginning
        files.append(LogFile(path, _require_format(path, known, log_format)))
    return files


def _require_format(path: str, beginning: bytes | Exception, log_format: str) -> Format:
    wrong: str | None
    if isinstance(beginning, Exception):
        wrong = f"not to be read ({beginning})"
    else:
        wrong = _wrong_with(path, beginning)
    if wrong is None and isinstance(beginning, bytes):
        found = _detect_format(path, beginning)
        if log_format != "auto":
            found = log_format  # type: ignore[assignment]
        if (found == "parquet") == beginning.startswith(PARQUET):
            return found
        wrong = "no Parquet" if found == "parquet" else "Parquet, without .parquet in its name"
    raise DatasetError(
        f"the event log's file {path} is {wrong}. Put text in UTF-8 in its place, as it is or "
        f"compressed as .gz or .bz2, or Parquet; or set raw_format in conf/<env>/globals.yml."
    )


def _detect_format(path: str, beginning: bytes) -> Format:
    """Return a file's format by its ending, or by how its text begins."""
    suffixes = [suffix for suffix in PurePosixPath(path).suffixes if suffix not in COMPRESSED]
    ending = suffixes[-1].removeprefix(".").lower() if suffixes else ""
    if ending in ("csv", "tsv", "parquet"):
        return ending  # type: ignore[return-value]
    text = _unpack(PurePosixPath(path).suffix, beginning).removeprefix(BYTE_ORDER_MARK).lstrip()
    is_printed = text.startswith(b"[") or text.split(b"\n")[0].rstrip() == PRINTED_OBJECT
    return "json_array" if is_printed else "json_lines"


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


def is_hidden(path: str) -> bool:
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


def _wrong_with(file: str, beginning: bytes) -> str | None:
    """Say why a file cannot be part of a log, by its name and its first bytes; None if it can."""
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
