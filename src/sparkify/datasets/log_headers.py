"""Columns of a log's files: headers of separated values, schemas of Parquet."""

import zlib
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import pyarrow as pa
from fsspec import AbstractFileSystem
from kedro.io.core import DatasetError
from pyarrow import parquet

from sparkify.datasets.log_files import LogFile
from sparkify.log_formats.files import CODECS, Header, parse_header

DELIMITERS = {"csv": ",;|\t", "tsv": "\t"}
DAMAGED = "It is cut off or damaged: replace it with a complete file."
FOOTERS_AT_ONCE = 16  # each of these small reads takes tens of milliseconds on an object store


def group_by_header(
    filesystem: AbstractFileSystem, files: Iterable[LogFile]
) -> dict[Header, list[str]]:
    """Return the paths of files with separated values by their header.

    Raises:
        DatasetError: if a header cannot be read, or has a column twice or without a name.
    """
    paths = defaultdict(list)
    for file in files:
        header = parse_header(_read_first_line(filesystem, file), DELIMITERS[file.format])
        if not header.names:  # only blank lines, which Spark skips
            continue
        for number, name in enumerate(header.names):
            if not name or name in header.names[:number]:
                fault = (
                    f"names column {name} twice" if name else f"has no name for column {number + 1}"
                )
                raise DatasetError(
                    f"the header of the event log's file {file.path} {fault}. Give each column a "
                    f"different name."
                )
        paths[header].append(file.path)
    return dict(paths)


def _read_first_line(filesystem: AbstractFileSystem, file: LogFile) -> str:
    """Return a file's first line that is not blank."""
    *complete_lines, _ = file.beginning.splitlines(keepends=True) or [b""]
    for line in complete_lines:
        if line.strip():
            return line.decode(errors="replace").rstrip("\r\n")
    codec = CODECS.get(PurePosixPath(file.path).suffix)
    try:
        with filesystem.open(
            file.path, "rt", encoding="utf-8-sig", errors="replace", compression=codec
        ) as lines:
            return next((line.rstrip("\r\n") for line in lines if line.strip()), "")
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(
            f"the event log's file {file.path} cannot be read ({error}). {DAMAGED}"
        ) from error


def read_schemas(filesystem: AbstractFileSystem, paths: list[str]) -> dict[pa.Schema, str]:
    """Return the distinct schemas of Parquet files, each with the first file that has it.

    Raises:
        DatasetError: if one of them cannot be read.
    """

    def read(path: str) -> pa.Schema:
        try:
            with filesystem.open(path, "rb") as file:
                return parquet.read_schema(file).remove_metadata()
        except (pa.ArrowException, OSError) as error:
            raise DatasetError(
                f"the event log's file {path} has no readable schema. {DAMAGED}"
            ) from error

    first_files: dict[pa.Schema, str] = {}
    with ThreadPoolExecutor(FOOTERS_AT_ONCE) as pool:
        for path, schema in zip(paths, pool.map(read, paths), strict=True):
            first_files.setdefault(schema, path)
    return first_files


def describe_conflict(schemas: dict[pa.Schema, str]) -> str | None:
    """Return which column has two types, and in which files; None without a conflict."""
    types: dict[str, tuple[str, str]] = {}
    for schema, path in schemas.items():
        for field in schema:
            name, type_name = field.name, _get_type_name(field.type)
            first_type, first_path = types.setdefault(name, (type_name, path))
            if type_name != first_type:
                return f"column {name} is {first_type} in {first_path} and {type_name} in {path}"
    return None


def _get_type_name(data_type: pa.DataType) -> str:
    """Return a type's name; pyarrow has several types for text, Parquet only one."""
    if pa.types.is_dictionary(data_type):
        data_type = data_type.value_type
    return str(data_type).removeprefix("large_")


def list_nanosecond_columns(schemas: Iterable[pa.Schema]) -> dict[str, bool]:
    """Return the columns of timestamps in nanoseconds, and whether they are UTC."""
    return {
        field.name: field.type.tz is not None
        for schema in schemas
        for field in schema
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns"
    }
