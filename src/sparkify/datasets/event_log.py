"""The raw event log as a dataset."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import PurePosixPath
from typing import Any

import fsspec
import pyarrow.dataset
from fsspec import AbstractFileSystem
from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview
from kedro_datasets.spark import SparkDatasetV2
from pyspark.sql import DataFrame, SparkSession

from sparkify.datasets.atomic_write import (
    LITERAL_PATH,
    UNCONFIRMED,
    atomic_write,
    to_hidden_path,
    to_spark_path,
)
from sparkify.datasets.log_files import (
    FORMATS,
    Format,
    LogFile,
    list_files,
    list_states,
)
from sparkify.datasets.log_headers import group_by_header, read_schemas
from sparkify.datasets.log_records import LogReader
from sparkify.log_formats.event_log import EventLogFiles, FileState
from sparkify.log_formats.files import COMPRESSED, is_hidden
from sparkify.schemas import RAW_EVENTS

MEGABYTE = 1_000_000
PREVIEWED_RECORDS = 5
COMPANIONS = ("customers_to_forget", "simulation_record")  # attributes of EventLogFiles
COMPRESSION_RATIO = 10  # JSON logs are about this many times larger than their .gz or .bz2
# Hadoop looks for a checksum file beside every local file, which fails for names with a colon:
# such files are read without checksums.
WITHOUT_CHECKSUMS: dict[str, bool | str] = {
    "fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "fs.file.impl.disable.cache": True,
}


class EventLogDataset(SparkDatasetV2):
    """An event log: loaded as its files, of which a node reads some; saved as JSON lines.

    The log is a file or a folder of part files; .gz or .bz2 may follow the path. Part files may be
    in subfolders or linked folders. As in Spark, names that begin with `_` or `.` are ignored.
    Files contain JSON lines, JSON arrays, pretty-printed objects, CSV or TSV with a header, or
    Parquet. An existing log is never overwritten.

    It loads as `EventLogFiles`, with the datasets that belong to the log. The rows that these read
    have `value`, the record in JSON, and `file`, its file relative to the log. If any file is not
    JSON lines, they also have `problem`: why a text is not a record. Kedro-Viz previews the first
    lines without a JVM.

    A saved log has a hidden name until the node `record_simulation` confirms it: without that
    record it would look like a genuine log. The next run removes a log that is not confirmed.

    ```yaml
    raw_events:
      type: sparkify.datasets.EventLogDataset
      filepath: data/01_raw/mini_sparkify_event_data.json
      format: auto            # or json_lines, json_array, csv, tsv, parquet
      max_array_megabytes: 50
      companions:
        simulation_record:
          type: sparkify.datasets.OptionalJSONDataset
          filepath: data/01_raw/simulation_record.json
    ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        format: str = "auto",  # noqa: A002 -- as in the catalog
        max_array_megabytes: int = 50,
        companions: dict[str, dict[str, Any]] | None = None,
        metadata: dict[str, object] | None = None,
    ) -> None:
        """Create the dataset of a log.

        Args:
            filepath: path of the log.
            format: of all files; `auto` detects it for each file by ending and first bytes.
            max_array_megabytes: maximum size of a file with a JSON array or pretty-printed
                objects, which is read as a whole. Compressed files count ten times.
            companions: the settings of the datasets `customers_to_forget` and `simulation_record`,
                which are loaded with the log.
            metadata: for Kedro-Viz and other plugins.
        """
        super().__init__(filepath=filepath, file_format="text", metadata=metadata)
        if format not in ("auto", *FORMATS):
            raise DatasetError(f"format is {format}; allowed: auto, {', '.join(FORMATS)}.")
        self._format, self._max_array_megabytes = format, max_array_megabytes
        unknown = sorted((companions or {}).keys() - COMPANIONS)
        if unknown:
            raise DatasetError(f"companions has {unknown}; allowed: {', '.join(COMPANIONS)}.")
        self._companions = {
            name: AbstractDataset.from_config(name, settings)
            for name, settings in (companions or {}).items()
        }
        self._filesystem = fsspec.filesystem(self._protocol)
        self._unconfirmed = to_hidden_path(str(self._filepath), UNCONFIRMED)
        self._is_unconfirmed = False

    def _find_paths(self) -> list[str]:
        if self._is_unconfirmed:
            return [self._unconfirmed]
        path = self._filesystem._strip_protocol(str(self._filepath))  # absolute, as in listings
        candidates = [path, *(path + suffix for suffix in COMPRESSED)]
        return [candidate for candidate in candidates if self._filesystem.exists(candidate)]

    def require_present(self) -> str:
        """Check the first bytes of each file of the log, and return the log's path.

        Raises:
            DatasetError: if the log is missing, exists twice, or has a file that cannot be read.
        """
        log = self._locate()
        self._list_files(log, list_states(self._filesystem, log))
        return log

    def _locate(self) -> str:
        paths = self._find_paths()
        if not paths:
            raise DatasetError(
                f"there is no event log at {self._filepath}. Put yours there (JSON, CSV, TSV or "
                f"Parquet; a file or a directory of part files), or write a simulated one with "
                f"`kedro run --pipelines simulation` and the same --env."
            )
        if len(paths) > 1:
            raise DatasetError(f"there are several event logs: {', '.join(paths)}; keep one.")
        if self._filesystem.isfile(paths[0]) and is_hidden(PurePosixPath(paths[0]).name):
            raise DatasetError(
                f"Spark ignores the event log {paths[0]} because its name begins with _ or a dot: "
                f"rename it and set raw_log in conf/<env>/globals.yml."
            )
        return paths[0]

    def _list_files(self, log: str, states: dict[str, FileState]) -> list[LogFile]:
        files = list_files(self._filesystem, log, self._format, states)
        for file in files:
            is_compressed = PurePosixPath(file.path).suffix in COMPRESSED
            megabytes = file.size * (COMPRESSION_RATIO if is_compressed else 1) / MEGABYTE
            if file.format == "json_array" and megabytes > self._max_array_megabytes:
                raise DatasetError(
                    f"the event log's file {file.path} is a JSON array or printed JSON of "
                    f"{'about ' if is_compressed else ''}{megabytes:,.0f} MB, and such files are "
                    f"read as a whole, up to {self._max_array_megabytes} MB (max_array_megabytes "
                    f"of raw_events in conf/base/catalog/data_processing.yml). "
                    f"Write one object per line: "
                    f"jq -c 'if type == \"array\" then .[] else . end' FILE"
                )
        return files

    def _load(self) -> EventLogFiles:
        log = self._locate()
        states = list_states(self._filesystem, log)
        parent = str(PurePosixPath(log).parent) if self._filesystem.isfile(log) else log
        relative = {path.removeprefix(f"{parent}/"): path for path in states}

        def read(files: Iterable[str]) -> DataFrame:
            files = list(files)
            gone = [file for file in files if file not in relative]
            if gone:
                raise DatasetError(
                    f"the event log's file {gone[0]} has gone since the files were listed: run "
                    f"again from the node plan_reading."
                )
            paths = [relative[file] for file in files]
            return self._read_files(log, {path: states[path] for path in paths})

        return EventLogFiles(
            {file: states[path] for file, path in relative.items()},
            self._format,
            read,
            **{name: dataset.load() for name, dataset in self._companions.items()},
        )

    def _read_files(self, log: str, states: dict[str, FileState]) -> DataFrame:
        """Return the records of files of the log."""
        by_format = defaultdict(list)
        options: dict[str, bool | str] = {"recursiveFileLookup": True, **LITERAL_PATH}
        for file in self._list_files(log, states):
            by_format[file.format].append(file)
            if self._protocol == "file" and ":" in PurePosixPath(file.path).name:
                options |= WITHOUT_CHECKSUMS
        reader = LogReader(None if self._filesystem.isfile(log) else log, options)
        frames = [
            frame
            for log_format, files in by_format.items()
            for frame in self._read(reader, log_format, files)
        ]
        if not frames:  # no files, or only blank lines instead of headers
            return SparkSession.builder.getOrCreate().createDataFrame([], RAW_EVENTS.struct)
        return reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), frames)

    def _read(
        self, reader: LogReader, log_format: Format, files: list[LogFile]
    ) -> Iterator[DataFrame]:
        paths = [file.path for file in files]
        spark_paths = [to_spark_path(self._protocol, path) for path in paths]
        if log_format == "json_lines":
            yield reader.read_lines(spark_paths)
        elif log_format == "json_array":
            yield reader.read_values(spark_paths)
        elif log_format == "parquet":
            yield reader.read_table(spark_paths, read_schemas(self._filesystem, paths))
        else:
            for header, group in group_by_header(self._filesystem, files).items():
                yield reader.read_rows(
                    [to_spark_path(self._protocol, path) for path in group], header
                )

    def preview(self) -> JSONPreview:
        """Read the first records of the first file for Kedro-Viz."""
        log = self._locate()
        states = list_states(self._filesystem, log)
        files = self._list_files(log, dict(list(states.items())[:1]))
        records: list[object] = []
        for file in files:
            if file.format == "parquet":
                table = pyarrow.dataset.dataset(file.path, filesystem=self._filesystem)
                records = table.head(PREVIEWED_RECORDS).to_pylist()
            else:
                records = [_parse_line(line) for line in file.list_first_lines(PREVIEWED_RECORDS)]
        return JSONPreview(json.dumps(records, default=str))

    def saved_at(self) -> tuple[AbstractFileSystem, str]:
        """Return the file system and the path of the log; raises a DatasetError without one."""
        return self._filesystem, self._locate()

    def _save(self, data: DataFrame) -> None:
        self.refuse_if_present()
        with atomic_write(self._filesystem, self._unconfirmed) as temporary:
            data.write.text(to_spark_path(self._protocol, temporary))
        self._is_unconfirmed = True

    def confirm(self) -> None:
        """Give the saved log its name; Kedro calls this for a node that `confirms` it."""
        self._filesystem.mv(self._unconfirmed, str(self._filepath), recursive=True)
        self._is_unconfirmed = False

    def _exists(self) -> bool:
        return bool(self._find_paths())

    def refuse_if_present(self) -> None:
        """Raise a DatasetError if there is a log already."""
        paths = self._find_paths()
        if paths:
            raise DatasetError(
                f"there is an event log at {paths[0]} already, which is never overwritten: move it "
                f"away to simulate another one."
            )


def _parse_line(line: str) -> object:
    """Return the JSON value of a line, or the line if it is not JSON."""
    try:
        return json.loads(line)
    except ValueError:
        return line
