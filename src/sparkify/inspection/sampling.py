"""Read the first records of a log's files, in any format."""

import csv
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

import fsspec

from sparkify.errors import UserError
from sparkify.log_formats.files import (
    CODECS,
    COMPRESSED,
    PARQUET,
    find_problem,
    is_hidden,
    parse_header,
    split_values,
)

MAX_BYTES = 4_000_000  # of text, from all files; about a second to parse
MIN_BYTES_PER_FILE = 100_000
MAX_FILES = 40
MAX_RECORDS = 20_000  # from all files
MIN_RECORDS_PER_FILE = 100
MAX_HEADER_LENGTH = 100_000
BY_ENDING = {".csv": "csv", ".tsv": "tsv"}
DELIMITERS = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv"}
Record = dict[str, Any]


class InspectionError(UserError):
    """The log is missing, empty or in a format that the project does not read."""


@dataclass(frozen=True)
class SampledFile:
    """The first records of a file."""

    name: str
    format: str  # as in raw_format
    records: list[Record]
    skipped: int = 0  # lines that are not records
    is_whole: bool = True
    delimiter: str | None = None  # of a table


class LogFiles:
    """The files of a log: a single file, or all files below a folder."""

    def __init__(self, path: str) -> None:
        """Find the files; raise an InspectionError if there are none."""
        try:
            self.filesystem, self.root = fsspec.core.url_to_fs(path)
        except (ImportError, ValueError) as error:
            raise InspectionError(f"{path} cannot be opened: {error}.") from error
        if not self.filesystem.exists(self.root):
            raise InspectionError(f"there is no file or folder at {path}.")
        self.is_local = "file" in self.filesystem.protocol
        self.is_folder = self.filesystem.isdir(self.root)
        self.names = [PurePosixPath(self.root).name]
        if self.is_folder:
            below = (file.removeprefix(self.root) for file in self.filesystem.find(self.root))
            self.names = sorted(
                name for name in (file.lstrip("/") for file in below) if not is_hidden(name)
            )
        if not self.names:
            raise InspectionError(f"the folder {path} has no files.")
        count = min(MAX_FILES, len(self.names))
        self.sampled = [self.names[index * len(self.names) // count] for index in range(count)]

    def get_path(self, name: str) -> str:
        """Return the path of a file from its name relative to the folder."""
        return f"{self.root.rstrip('/')}/{name}" if self.is_folder else self.root

    def open_bytes(self, name: str, compression: str | None = None) -> Any:
        """Open a file for reading bytes."""
        return self.filesystem.open(self.get_path(name), "rb", compression=compression)

    def read_beginning(self, name: str) -> tuple[bytes, bool]:
        """Return the first unpacked bytes of a file, and whether they are the whole file.

        Raises an InspectionError if they are neither text nor Parquet.
        """
        suffix, path = PurePosixPath(name).suffix, self.get_path(name)
        max_bytes = max(MAX_BYTES // len(self.sampled), MIN_BYTES_PER_FILE)
        try:
            with self.open_bytes(name) as file:
                stored = file.read(4)
            is_packed = suffix in COMPRESSED and stored.startswith(COMPRESSED[suffix])
            with self.open_bytes(name, CODECS[suffix] if is_packed else None) as file:
                content = file.read(max_bytes)
                is_whole = not file.read(1)
        except (OSError, EOFError, zlib.error) as error:
            raise InspectionError(f"{path} cannot be read: {error}.") from error
        problem = find_problem(name, stored, content) if stored else None
        if problem:
            raise InspectionError("{} is {}. {}".format(path, *problem))
        if b"\0" in content[:4096] and not content.startswith(PARQUET):
            raise InspectionError(
                f"{path} is binary. The project reads JSON, CSV, TSV and Parquet."
            )
        return content, is_whole


def sample_files(files: LogFiles) -> list[SampledFile]:
    """Return the first records of each sampled file that is not empty.

    Raises an InspectionError if a file is in another format, or none has records.
    """
    limit = max(MAX_RECORDS // len(files.sampled), MIN_RECORDS_PER_FILE)
    sampled = [_sample_file(files, name, limit) for name in files.sampled]
    if not any(file.records for file in sampled):
        if all(file.skipped == 0 for file in sampled):
            raise InspectionError(f"{files.root} is empty.")
        raise InspectionError(
            f"{files.root} has no records. The project reads JSON objects, CSV and TSV with a "
            f"header, and Parquet."
        )
    return [file for file in sampled if file.records or file.skipped]


def _sample_file(files: LogFiles, name: str, limit: int) -> SampledFile:
    content, is_whole = files.read_beginning(name)
    if content.startswith(PARQUET):
        return _sample_parquet(files, name, limit)
    text = content.decode("utf-8-sig", errors="replace")
    if not is_whole:
        text = text.rstrip("\ufffd")  # an incomplete character
    if text.strip()[:1] in ("{", "["):
        raw_format, records, skipped = _read_json(text, is_whole)
        if records:
            is_whole = is_whole and len(records) <= limit
            return SampledFile(name, raw_format, records[:limit], skipped, is_whole)
    suffixes = [suffix for suffix in PurePosixPath(name).suffixes if suffix not in COMPRESSED]
    return _sample_table(name, text, is_whole, limit, BY_ENDING.get("".join(suffixes[-1:])))


def _read_json(text: str, is_whole: bool) -> tuple[str, list[Record], int]:
    """Return the format, the objects and the number of lines that are not objects."""
    if text.lstrip().startswith("["):
        return "json_array", _parse_objects(split_values(text)), 0
    lines = text.splitlines() if "\n" not in text else text.split("\n")
    lines = lines if is_whole or len(lines) == 1 else lines[:-1]
    lines = [line for line in lines if line.strip()]
    records = _parse_objects(lines)
    if 2 * len(records) < len(lines):
        objects = _parse_objects(split_values(text))
        if len(objects) > len(records):
            return "json_array", objects, 0
    return "json_lines", records, len(lines) - len(records)


def _parse_objects(texts: list[str]) -> list[Record]:
    """Return the objects among JSON texts."""
    records = []
    for text in texts:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            records.append(value)
    return records


def _sample_table(
    name: str, text: str, is_whole: bool, limit: int, raw_format: str | None
) -> SampledFile:
    """Return the first rows of a table with a header; no records if the text has none."""
    first_line = text.lstrip()[:MAX_HEADER_LENGTH].partition("\n")[0]
    header = parse_header(first_line.rstrip("\r"), "".join(DELIMITERS))
    if len(header.names) < 2:
        skipped = sum(1 for line in text.splitlines() if line.strip())
        return SampledFile(name, raw_format or "json_lines", [], skipped, is_whole)
    rows = _read_rows(text.lstrip(), header.delimiter)
    table = list(islice(rows, limit + 2))  # the header, and a row that may be incomplete
    names = [column.strip() for column in table[0]]
    is_whole = is_whole and len(table) < limit + 2
    body = table[1:] if is_whole else table[1:-1]  # the last may be incomplete
    records = [
        {key: value for key, value in zip(names, row, strict=True) if key}
        for row in body
        if len(row) == len(names)
    ]
    is_prose = not records and raw_format is None  # such as a README beside the log
    skipped = len(table) if is_prose else len(body) - len(records)
    delimiter = None if is_prose else header.delimiter
    raw_format = raw_format or DELIMITERS[header.delimiter]
    return SampledFile(name, raw_format, records, skipped, is_whole, delimiter)


def _read_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the rows that are not blank; an empty row if csv cannot continue."""
    try:
        yield from filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:  # a field of more than 131,072 characters: a quote without its end
        yield []


def _sample_parquet(files: LogFiles, name: str, limit: int) -> SampledFile:
    """Return the first rows of a Parquet file's first row group."""
    from pyarrow import ArrowException  # noqa: PLC0415 - slow, and only for Parquet
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415

    try:
        with files.open_bytes(name) as file:
            table = ParquetFile(file)
            groups = table.iter_batches(batch_size=limit, row_groups=[0])
            rows = next(groups).to_pylist() if table.num_row_groups else []
            is_whole = table.metadata.num_rows == len(rows)
    except (ArrowException, OSError, StopIteration) as error:
        raise InspectionError(
            f"{files.get_path(name)} is not readable Parquet: {error}."
        ) from error
    return SampledFile(name, "parquet", rows, is_whole=is_whole)
