"""From a log's files of any format to its records: one row of JSON each."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec
import pyarrow as pa
from fsspec import AbstractFileSystem
from kedro.io.core import DatasetError
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from sparkify.schemas import MALFORMED_ROW, RAW_EVENTS

CORRUPT = "the text of a row that has another number of values than the header"
DELIMITERS = {"csv": ",;|\t", "tsv": "\t"}
# Spark writes times of Parquet in JSON with milliseconds alone, if it is not told.
TIMES = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "timeZone": "UTC",
}
ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
BYTE_ORDER_MARK = "\ufeff"


class LogReader:
    """Reads the files of one log with Spark."""

    def __init__(self, root: str, options: Mapping[str, bool | str]) -> None:
        """Prepare to read.

        Args:
            root: the folder, without its scheme, that the names of files are relative to.
            options: of every reader.
        """
        self._root, self._options = root, options
        self._spark = SparkSession.builder.getOrCreate()

    def read_lines(self, paths: list[str]) -> DataFrame:
        """Read text: a record is a line."""
        lines = self._spark.read.format("text").options(**self._options).load(paths)
        return lines.select("value", self._file())

    def read_values(self, paths: list[str]) -> DataFrame:
        """Read JSON arrays and printed objects: a record is an object, or an array's element."""
        options = {**self._options, "wholetext": True}
        files = self._spark.read.format("text").options(**options).load(paths)
        return files.select("value", self._file()).mapInArrow(_split_files, RAW_EVENTS.struct)

    def read_rows(self, paths: list[str], header: list[str], delimiter: str) -> DataFrame:
        """Read separated values: a record is a row, with the header's names as keys."""
        options: dict[str, bool | str] = {"header": True, "sep": delimiter, "escape": '"'}
        options["columnNameOfCorruptRecord"] = CORRUPT
        schema = T.StructType([T.StructField(name, T.StringType()) for name in [*header, CORRUPT]])
        rows = (
            self._spark.read.format("csv")
            .schema(schema)
            .options(**self._options, **options)
            .load(paths)
        )
        is_malformed = _column(CORRUPT).isNotNull()
        record = F.to_json(F.struct(*map(_column, header)))
        return rows.select(
            F.when(is_malformed, _column(CORRUPT)).otherwise(record).alias("value"),
            self._file(),
            F.when(is_malformed, MALFORMED_ROW).alias("problem"),
        )

    def read_table(self, paths: list[str]) -> DataFrame:
        """Read Parquet: a record is a row; NaN is no value."""
        options = {**self._options, "mergeSchema": True}
        rows = self._spark.read.format("parquet").options(**options).load(paths)
        columns = [_without_nan(field).alias(field.name) for field in rows.schema]
        return rows.select(F.to_json(F.struct(*columns), TIMES).alias("value"), self._file())

    def _file(self) -> Column:
        """Return the file that a row comes from, relative to the root."""
        path = F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
        begins = F.locate(self._root, path) + len(self._root) + 1
        return F.substring(path, begins, F.length(path)).alias("file")


def group_by_header(
    filesystem: AbstractFileSystem, files: Iterable[str], file_format: str
) -> dict[tuple[tuple[str, ...], str], list[str]]:
    """Return files of separated values by their header's names and what separates them.

    Raises:
        DatasetError: if a header names a column twice, or not at all.
    """
    found = defaultdict(list)
    for file in files:
        with filesystem.open(file, "rt", encoding="utf-8-sig", compression="infer") as lines:
            line = lines.readline().rstrip("\r\n")
        delimiter = max(DELIMITERS[file_format], key=line.count)
        header = next(csv.reader([line], delimiter=delimiter), [])
        for number, name in enumerate(header):
            if not name or name in header[:number]:
                what = f"names the column {name} twice" if name else "has a column without a name"
                raise DatasetError(f"the header of the event log's file {file} {what}.")
        found[tuple(header), delimiter].append(file)
    return dict(found)


def _column(name: str) -> Column:
    return F.col("`{}`".format(name.replace("`", "``")))


def _without_nan(field: T.StructField) -> Column:
    column = _column(field.name)
    if not isinstance(field.dataType, T.DoubleType | T.FloatType):
        return column
    return F.when(~F.isnan(column), column)


def _split_files(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for text, file in zip(*batch.to_pydict().values(), strict=True):
            records = split_values(text)
            columns = [records, [file] * len(records), [None] * len(records)]
            arrays = [pa.array(column, pa.string()) for column in columns]
            yield pa.RecordBatch.from_arrays(arrays, names=RAW_EVENTS.columns)


def split_values(text: str) -> list[str]:
    """Return the text of each object, or element of an array, that a text of JSON holds.

    What comes after the first place that is no JSON is one record, which is then rejected.

    >>> split_values('[{"a": 1}, {"a": 2}] {"a": 3} oops')
    ['{"a": 1}', '{"a": 2}', '{"a": 3}', 'oops']
    """
    try:
        return [bytes(element).decode() for element in ELEMENTS.decode(text)]
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return list(_split_one_by_one(text.removeprefix(BYTE_ORDER_MARK)))


def _split_one_by_one(text: str) -> Iterator[str]:
    decoder = json.JSONDecoder()
    place, is_in_array = _skip_blanks(text, 0), False
    while place < len(text):
        if text[place] == "[" and not is_in_array:
            is_in_array = True
        elif text[place] == "]" and is_in_array:
            is_in_array = False
        elif text[place] != "," or not is_in_array:
            try:
                _, end = decoder.raw_decode(text, place)
            except (ValueError, RecursionError):
                yield text[place:].rstrip()
                return
            yield text[place:end]
            place = _skip_blanks(text, end)
            continue
        place = _skip_blanks(text, place + 1)


def _skip_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n":
        place += 1
    return place
