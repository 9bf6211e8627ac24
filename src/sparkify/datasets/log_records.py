"""Read the files of a log, in any format, as records in JSON."""

from collections.abc import Iterator, Mapping

import pyarrow as pa
from kedro.io.core import DatasetError
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from sparkify.datasets.log_headers import describe_conflict, list_nanosecond_columns
from sparkify.log_formats.files import Header, split_values
from sparkify.schemas import MALFORMED_ROW, RAW_EVENTS

CORRUPT = "malformed"
# By default Spark omits microseconds when it writes the times of Parquet to JSON.
TIMES = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "timeZone": "UTC",
}
# pandas writes nanoseconds by default, for which Spark has no type: it fails or, with this setting,
# reads integers.
NANOSECONDS_AS_INTEGERS = "spark.sql.legacy.parquet.nanosAsLong"
RECORDS_PER_BATCH = 10_000


class LogReader:
    """Reads the files of one log with Spark."""

    def __init__(self, root: str | None, options: Mapping[str, bool | str]) -> None:
        """Create a reader.

        Args:
            root: the folder of the log without its scheme; file names are relative to it. None
                for a log of one file.
            options: Spark options for all formats.
        """
        self._root, self._options = root, options
        self._spark = SparkSession.builder.getOrCreate()

    def read_lines(self, paths: list[str]) -> DataFrame:
        """Read text: each line is a record."""
        lines = self._spark.read.format("text").options(**self._options).load(paths)
        return lines.select("value", self._make_file_column(lines))

    def read_values(self, paths: list[str]) -> DataFrame:
        """Read JSON arrays and pretty-printed objects: each object or element is a record."""
        options = {**self._options, "wholetext": True}
        files = self._spark.read.format("text").options(**options).load(paths)
        content = F.col("value").cast("binary").alias("value")  # may not be UTF-8
        return files.select(content, self._make_file_column(files)).mapInArrow(
            _split_files, RAW_EVENTS.struct
        )

    def read_rows(self, paths: list[str], header: Header) -> DataFrame:
        """Read separated values: each row is a record, with the header's names as keys."""
        options = {**self._options, "header": True, "sep": header.delimiter, "escape": '"'}
        # With column pruning, Spark does not detect rows of the wrong length.
        options |= {"columnNameOfCorruptRecord": CORRUPT, "columnPruning": False}
        # Column names are numbers: Spark does not distinguish names that differ only in case.
        numbers = [str(number) for number in range(len(header.names))]
        schema = T.StructType([T.StructField(name, T.StringType()) for name in [*numbers, CORRUPT]])
        rows = self._spark.read.format("csv").schema(schema).options(**options).load(paths)
        columns = [F.col(number) for number in numbers]
        # Spark refuses to read only the column of malformed rows: read the first column too.
        is_malformed = F.col(CORRUPT).isNotNull() & (
            F.length(F.coalesce(columns[0], F.lit(""))) >= 0
        )
        keyed = [c.alias(name) for c, name in zip(columns, header.names, strict=True)]
        return rows.select(
            F.when(is_malformed, F.col(CORRUPT))
            .otherwise(F.to_json(F.struct(*keyed)))
            .alias("value"),
            self._make_file_column(rows),
            F.when(is_malformed, MALFORMED_ROW).alias("problem"),
        )

    def read_table(self, paths: list[str], schemas: dict[pa.Schema, str]) -> DataFrame:
        """Read Parquet: each row is a record; NaN becomes null.

        Raises:
            DatasetError: if a column has several types, or one that Spark does not have.
        """
        self._spark.conf.set(NANOSECONDS_AS_INTEGERS, True)
        options = {**self._options, "mergeSchema": True}
        try:
            rows = self._spark.read.format("parquet").options(**options).load(paths)
        except (PySparkException, Py4JJavaError) as error:
            conflict = describe_conflict(schemas)
            if conflict:
                raise DatasetError(
                    f"the event log's {conflict}. Write all files with the same types."
                ) from error
            reason = str(getattr(error, "java_exception", error)).partition("\n")[0]
            raise DatasetError(
                f"the event log's Parquet cannot be read ({reason}), for example "
                f"{next(iter(schemas.values()))}. Write its columns as numbers, texts and "
                f"timestamps under different names."
            ) from error
        nanoseconds = list_nanosecond_columns(schemas)
        columns = []
        for field in rows.schema:
            column = F.col("`{}`".format(field.name.replace("`", "``")))
            if field.name in nanoseconds and isinstance(field.dataType, T.LongType):
                column = _convert_nanoseconds(column, is_utc=nanoseconds[field.name])
            columns.append(_replace_nan(column, field.dataType).alias(field.name))
        return rows.select(
            F.to_json(F.struct(*columns), TIMES).alias("value"),
            self._make_file_column(rows),
            F.lit(None).cast("string").alias("problem"),
        )

    def _make_file_column(self, rows: DataFrame) -> Column:
        """Return the column of a row's file, relative to the root."""
        encoded = rows.metadataColumn("_metadata")["file_path"]
        decoded = F.url_decode(F.replace(encoded, F.lit("+"), F.lit("%2B")))
        if self._root is None:
            return F.substring_index(decoded, "/", -1).alias("file")
        path = F.substring_index(decoded, "://", -1)
        first_position = F.locate(self._root, path) + len(self._root) + 1
        return F.substring(path, first_position, F.length(path)).alias("file")


def _convert_nanoseconds(column: Column, *, is_utc: bool) -> Column:
    # Whole numbers, since doubles would lose microseconds.
    microseconds = (column - F.pmod(column, F.lit(1_000))) / F.lit(1_000).cast("decimal(4, 0)")
    moment = F.timestamp_micros(microseconds.cast("long"))
    return moment if is_utc else moment.cast("timestamp_ntz")


def _replace_nan(column: Column, data_type: T.DataType) -> Column:
    """Replace NaN by null: JSON has no NaN, and Spark would write it as text."""
    if isinstance(data_type, T.DoubleType | T.FloatType):
        return F.when(~F.isnan(column), column)
    if isinstance(data_type, T.StructType):
        fields = [
            _replace_nan(column.getField(field.name), field.dataType).alias(field.name)
            for field in data_type
        ]
        return F.when(column.isNotNull(), F.struct(*fields)) if fields else column
    if isinstance(data_type, T.ArrayType):
        return F.transform(column, lambda element: _replace_nan(element, data_type.elementType))
    return column


def _split_files(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for content, file in zip(batch.column("value"), batch.column("file"), strict=True):
            records = split_values(content.as_py().decode(errors="replace"))
            for start in range(0, len(records), RECORDS_PER_BATCH):
                values = records[start : start + RECORDS_PER_BATCH]
                columns = [values, [file.as_py()] * len(values), [None] * len(values)]
                arrays = [pa.array(column, pa.string()) for column in columns]
                yield pa.RecordBatch.from_arrays(arrays, names=RAW_EVENTS.columns)
