"""Find the files of a log, their formats, and files that cannot be part of a log."""

import bz2
import re
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

from fsspec import AbstractFileSystem
from kedro.io.core import DatasetError

from sparkify.log_formats.event_log import FileState
from sparkify.log_formats.files import COMPRESSED, PARQUET, find_problem, is_hidden

Format = Literal["json_lines", "json_array", "csv", "tsv", "parquet"]
FORMATS: tuple[Format, ...] = ("json_lines", "json_array", "csv", "tsv", "parquet")
ENDINGS: dict[str, Format] = {".csv": "csv", ".tsv": "tsv", ".parquet": "parquet"}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BEGINNING = 2_048  # bytes: the header of a tar archive, the first line of most files
BZIP2_BEGINNING = 1_000_000  # bzip2 is unpacked by blocks of up to this size
FILES_AT_ONCE = 100  # the number of beginnings in memory
JSON_OBJECTS = re.compile(rb"\s*(\[\s*)?\{")
# An array of objects, an empty array, or an object whose brace is alone on its line.
PRINTED_JSON = re.compile(rb"\s*(\[\s*([{\]]|$)|\{[ \t\r]*\n)")


class LogFile(NamedTuple):
    """A file of a log."""

    path: str
    format: Format
    size: int  # bytes, as stored
    beginning: bytes  # first bytes of the content, unpacked

    def list_first_lines(self, count: int) -> list[str]:
        """Return the first whole lines of the file's beginning, or what it has of the first."""
        whole = self.beginning.rpartition(b"\n")[0] or self.beginning
        return [line.decode("utf-8", errors="replace") for line in whole.splitlines()[:count]]


def list_states(filesystem: AbstractFileSystem, log: str) -> dict[str, FileState]:
    """Return the state of each file of a log that is not empty, by its path.

    As in Spark, files and folders whose names begin with `_` or `.` are ignored.
    """
    return {
        path: FileState(bytes=int(info["size"]), version=_describe_version(filesystem, path, info))
        for path, info in sorted(_find_files(filesystem, log))
        if info["size"] and not is_hidden(path.removeprefix(log))
    }


def _describe_version(filesystem: AbstractFileSystem, path: str, info: dict[str, Any]) -> str:
    """Return a text that changes when a file does: of an object store, its tag or time.

    Of a local file, both its times: programs can set the first one, but not the second.
    """
    if info.get("islink"):
        info = filesystem.info(path)  # of the file that it leads to
    for key in ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated"):
        if info.get(key):
            return str(info[key])
    return f"{info.get('mtime')} {info.get('created')}"


def list_files(
    filesystem: AbstractFileSystem, log: str, log_format: str, states: dict[str, FileState]
) -> list[LogFile]:
    """Return files of a log with their formats.

    Args:
        filesystem: the file system of the log.
        log: the path of a file or a folder.
        log_format: the format of all files, or `auto`: detected by each file's ending, else the
            log's, and its first bytes.
        states: the state of each file, by its path.

    Raises:
        DatasetError: if a file cannot be read, or its first bytes show another format.
    """
    files = []
    for path, stored in _read_beginnings(filesystem, list(states)):
        if isinstance(stored, Exception):
            raise DatasetError(
                f"the event log's file {path} cannot be read ({stored}). Make it readable or move "
                f"it away."
            )
        content = _unpack(PurePosixPath(path).suffix, stored).removeprefix(BYTE_ORDER_MARK)
        file_format = _detect_format(path, log, content) if log_format == "auto" else log_format
        problem = find_problem(path, stored, content) or _find_mismatch(
            file_format, content, is_by_name=log_format == "auto"
        )
        if problem:
            description, remedy = problem
            raise DatasetError(f"the event log's file {path} is {description}. {remedy}")
        files.append(LogFile(path, file_format, states[path]["bytes"], content))  # type: ignore[arg-type]
    return files


def _find_files(
    filesystem: AbstractFileSystem, folder: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the files below a folder, or the one file at a path, as Spark finds them.

    fsspec does not follow links to folders. Spark follows a link to its own folder 40 times, and
    reads each file 40 times.
    """
    for file, info in filesystem.find(folder, detail=True).items():
        if not info.get("islink") or not filesystem.isdir(file):
            yield file, info
        elif Path(file).parent.resolve().is_relative_to(Path(file).resolve()):
            raise DatasetError(f"the event log's link {file} leads back to itself: remove it.")
        else:
            yield from _find_files(filesystem, file)


def _read_beginnings(
    filesystem: AbstractFileSystem, paths: list[str]
) -> Iterator[tuple[str, bytes | Exception]]:
    """Yield each file's first stored bytes, or the error from reading them."""
    for start in range(0, len(paths), FILES_AT_ONCE):
        batch = paths[start : start + FILES_AT_ONCE]
        ends = [BZIP2_BEGINNING if path.endswith(".bz2") else BEGINNING for path in batch]
        yield from zip(batch, filesystem.cat_ranges(batch, [0] * len(batch), ends), strict=True)


def _unpack(suffix: str, stored: bytes) -> bytes:
    """Return the first bytes of a file's content, unpacked, at most BEGINNING."""
    if suffix not in COMPRESSED:
        return stored[:BEGINNING]
    content = b""
    try:
        while stored and len(content) < BEGINNING:  # a file may consist of several members
            member = zlib.decompressobj(wbits=31) if suffix == ".gz" else bz2.BZ2Decompressor()
            content += member.decompress(stored, BEGINNING - len(content))
            stored = member.unused_data
    except (zlib.error, OSError):  # damaged: Spark's error says where
        pass
    return content


def _detect_format(path: str, log: str, content: bytes) -> Format:
    """Return a file's format by its ending, else by its first characters.

    A part file without an ending has the log's ending, unless it contains JSON.
    """
    ending = _get_ending(path)
    if ending not in ENDINGS and not JSON_OBJECTS.match(content):
        ending = _get_ending(log)
    if ending in ENDINGS:
        return ENDINGS[ending]
    return "json_array" if PRINTED_JSON.match(content) else "json_lines"


def _get_ending(path: str) -> str:
    """Return the last ending of a name, except one of a compression."""
    suffixes = [suffix for suffix in PurePosixPath(path).suffixes if suffix not in COMPRESSED]
    return suffixes[-1].lower() if suffixes else ""


def _find_mismatch(expected: str, content: bytes, *, is_by_name: bool) -> tuple[str, str] | None:
    """Return the actual format, if it is not the expected one, and the remedy."""
    is_parquet = content.startswith(PARQUET)
    if is_parquet != (expected == "parquet"):
        actual = "Parquet" if is_parquet else "not Parquet"
    elif expected in ("csv", "tsv") and JSON_OBJECTS.match(content):
        actual = "JSON"
    else:
        return None
    if is_by_name:
        description = f"{actual}, but would be read as {expected} because of its name"
        return description, "Correct its name, or set raw_format in conf/<env>/globals.yml."
    description = f"{actual}, but raw_format is {expected}"
    return description, "Set raw_format: auto in conf/<env>/globals.yml."
