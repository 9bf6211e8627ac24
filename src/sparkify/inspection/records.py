"""Records from the beginning of a log's files, whatever their format."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from sparkify.inspection.errors import InspectionError
from sparkify.inspection.files import COMPRESSED, PARQUET, LogFiles

MAX_RECORDS = 20_000  # of all files together
BY_ENDING = {".csv": "csv", ".tsv": "tsv"}
DELIMITERS = {",": "csv", "\t": "tsv", ";": "csv", "|": "csv"}
WHITE = " \t\r\n"
Record = dict[str, Any]


@dataclass(frozen=True)
class SampledFile:
    """The first records of a file."""

    name: str
    format: str  # as in raw_format
    records: list[Record]
    unread: int = 0  # lines that are no records
    is_whole: bool = True
    delimiter: str | None = None  # of a table


def sample_files(files: LogFiles) -> list[SampledFile]:
    """Return the first records of each sampled file that has any.

    Raises:
        InspectionError: if a file is in a format that the project does not read, or none has
            records.
    """
    limit = max(MAX_RECORDS // len(files.sampled), 100)
    sampled = [_sample(files, name, limit) for name in files.sampled]
    if not any(file.records for file in sampled):
        if all(file.unread == 0 for file in sampled):
            raise InspectionError(f"{files.root} is empty.")
        raise InspectionError(
            f"{files.root} has no records. The project reads JSON objects, CSV and TSV with a "
            f"header, and Parquet."
        )
    return [file for file in sampled if file.records or file.unread]


def _sample(files: LogFiles, name: str, limit: int) -> SampledFile:
    content, is_whole = files.read_beginning(name)
    if content.startswith(PARQUET):
        return _sample_parquet(files, name, limit)
    text = content.decode("utf-8-sig", errors="replace")
    if not is_whole:
        text = text.rstrip("\ufffd")  # a character that is cut off
    if text.strip()[:1] in ("{", "["):
        format_, records, unread = _read_json(text, is_whole)
        if records:
            cut = records[:limit]
            return SampledFile(name, format_, cut, unread, is_whole and cut == records)
    suffixes = [one for one in PurePosixPath(name).suffixes if one not in COMPRESSED]
    return _sample_table(name, text, is_whole, limit, BY_ENDING.get("".join(suffixes[-1:])))


def _read_json(text: str, is_whole: bool) -> tuple[str, list[Record], int]:
    """Return the format, the objects and the number of lines that are none."""
    if text.lstrip(WHITE).startswith("["):
        return "json_array", list(_decode_objects(text)), 0
    lines = text.splitlines() if "\n" not in text else text.split("\n")
    lines = lines if is_whole or len(lines) == 1 else lines[:-1]
    parsed = [_parse_line(line) for line in lines if line.strip()]
    records = [one for one in parsed if one is not None]
    if 2 * len(records) >= len(parsed):
        return "json_lines", records, len(parsed) - len(records)
    objects = list(_decode_objects(text))
    if len(objects) > len(records):
        return "json_array", objects, 0
    return "json_lines", records, len(parsed) - len(records)


def _parse_line(line: str) -> Record | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _decode_objects(text: str) -> Iterator[Record]:
    """Give the objects of an array or one after the other, up to where the text is cut off."""
    decoder = json.JSONDecoder()
    place = len(text) - len(text.lstrip(WHITE + "["))
    while place < len(text):
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield value
        while place < len(text) and text[place] in WHITE + ",":
            place += 1


def _sample_table(
    name: str, text: str, is_whole: bool, limit: int, format_: str | None
) -> SampledFile:
    """Return the first rows of a table with a header; no records if the text is none."""
    header = text.lstrip().partition("\n")[0]
    delimiter = max(DELIMITERS, key=header.count)
    if delimiter not in header:
        unread = sum(1 for line in text.splitlines() if line.strip())
        return SampledFile(name, format_ or "json_lines", [], unread, is_whole)
    table = list(islice(_read_rows(text.lstrip(), delimiter), limit + 2))  # a header, and one more
    names = [one.strip() for one in table[0]]
    is_whole = is_whole and len(table) < limit + 2
    rows = table[1:] if is_whole else table[1:-1]  # the last may be cut off
    records = [
        {key: value for key, value in zip(names, row, strict=True) if key}
        for row in rows
        if len(row) == len(names)
    ]
    form = format_ or DELIMITERS[delimiter]
    is_prose = not records and format_ is None  # such as a README beside the log
    unread = len(table) if is_prose else len(rows) - len(records)
    return SampledFile(name, form, records, unread, is_whole, None if is_prose else delimiter)


def _read_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Give the rows that are not blank; an empty one where csv cannot go on."""
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row:
                yield row
    except csv.Error:  # a field of more than 131,072 characters: a quote without its end
        yield []


def _sample_parquet(files: LogFiles, name: str, limit: int) -> SampledFile:
    """Return the first rows of the first row group."""
    from pyarrow import ArrowException  # noqa: PLC0415 - slow, and other formats do without
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415

    try:
        with files.open_bytes(name) as file:
            table = ParquetFile(file)
            groups = table.iter_batches(batch_size=limit, row_groups=[0])
            rows = next(groups).to_pylist() if table.num_row_groups else []
            is_whole = table.metadata.num_rows == len(rows)
    except (ArrowException, OSError, StopIteration) as error:
        raise InspectionError(f"{files.path(name)} is no readable Parquet: {error}.") from error
    return SampledFile(name, "parquet", rows, is_whole=is_whole)
