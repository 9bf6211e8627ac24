"""Spark tables whose partitions are replaced one by one."""

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow.dataset
from kedro.io.core import DatasetError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from sparkify.datasets.atomic_write import (
    LITERAL_PATH,
    atomic_write,
    explain_failed_write,
    to_spark_path,
)
from sparkify.datasets.parquet_table import ParquetTableDataset
from sparkify.schemas import PartitionUpdate

MANIFEST = "_manifest.json"
WRITTEN_AT_ONCE = 4  # partitions with a DataFrame each


class PartitionedTableDataset(ParquetTableDataset):
    """A Spark table in Parquet whose partitions are replaced one by one.

    A save adds a folder with the new partitions. Then it replaces the manifest, which lists the
    folder of every partition; that is the commit. At last it removes folders that are not in the
    manifest, also those of a killed run. Data files are never renamed or changed, because object
    stores copy a file to rename it.

    ```yaml
    page_counts:
      type: sparkify.datasets.PartitionedTableDataset
      filepath: data/02_intermediate/page_counts
      partition_by: day
    ```
    """

    def __init__(
        self, *, filepath: str, partition_by: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Create the dataset of a table; `partition_by` is the column of its partitions."""
        super().__init__(filepath=filepath, metadata=metadata)
        self._column = partition_by

    def _load(self) -> DataFrame:
        manifest = self._read_manifest()
        if manifest is None:
            raise DatasetError(
                f"there is no complete table at {self._filepath}: run the pipeline that creates it."
            )
        spark = SparkSession.builder.getOrCreate()
        schema = T.StructType.fromJson(manifest["schema"])
        folders = _list_folders(manifest)
        if not folders:
            return spark.createDataFrame([], schema)
        root = to_spark_path(self._protocol, str(self._filepath))
        reader = spark.read.schema(schema).options(**LITERAL_PATH).option("basePath", root)
        rows = reader.parquet(*(f"{root}/{folder}" for folder in folders))
        return rows.select(*schema.names)

    def _save(self, data: PartitionUpdate) -> None:  # type: ignore[override]
        previous = self._read_manifest()
        with explain_failed_write(str(self._filepath)):
            try:
                self._replace_manifest(previous, self._write(data, previous))
            finally:  # also after an error, when the earlier manifest is in force
                self._remove_unlisted()

    def _write(self, data: PartitionUpdate, previous: dict[str, Any] | None) -> dict[str, Any]:
        """Write the new partitions to a folder; return the manifest with them."""
        new = f"save={time.time_ns()}"
        path = f"{self._filepath}/{new}"
        url = to_spark_path(self._protocol, path)
        if isinstance(data.rows, DataFrame):
            schema = data.rows.schema.jsonValue()
            if data.written:
                data.rows.write.partitionBy(self._column).parquet(url)
        else:
            schemas = [rows.schema.jsonValue() for rows in data.rows.values()]
            schema = schemas[0] if schemas else (previous or {})["schema"]
            self._write_separately(data.rows, url)
        with_rows = set(self._list_names(path))
        names = {key: f"{self._column}={key}" for key in data.written}
        return {
            "schema": schema,
            "about": dict(data.about),
            "partitions": {key: dict(about) for key, about in data.partitions.items()},
            "folders": {
                key: f"{new}/{name}" if name in with_rows else None for key, name in names.items()
            },
        }

    def _write_separately(self, partitions: Mapping[str, DataFrame], url: str) -> None:
        """Write a DataFrame for each partition, a few at a time: one alone may not fill all cores.

        No row needs the name of its partition, which costs less than `partitionBy`.
        """

        def write(partition: str) -> None:
            rows = partitions[partition].drop(self._column)
            rows.write.parquet(f"{url}/{self._column}={partition}")

        with ThreadPoolExecutor(WRITTEN_AT_ONCE) as pool:
            list(pool.map(write, partitions))

    def _replace_manifest(self, previous: dict[str, Any] | None, manifest: dict[str, Any]) -> None:
        folders = (previous or {"folders": {}})["folders"] | manifest["folders"]
        manifest = {**manifest, "folders": {key: folders[key] for key in manifest["partitions"]}}
        if manifest == previous:
            return
        with (
            atomic_write(self._filesystem, f"{self._filepath}/{MANIFEST}") as temporary,
            self._filesystem.open(temporary, "w", encoding="utf-8") as file,
        ):
            json.dump(manifest, file)

    def _remove_unlisted(self) -> None:
        """Remove the folders that are not in the manifest."""
        root, manifest = str(self._filepath), self._read_manifest()
        folders = _list_folders(manifest) if manifest else []
        saves = {folder.partition("/")[0] for folder in folders}
        for name in self._list_names(root):
            if name in saves:
                for partition in self._list_names(f"{root}/{name}"):
                    if f"{name}/{partition}" not in folders:
                        self._filesystem.rm(f"{root}/{name}/{partition}", recursive=True)
            elif name != MANIFEST:
                self._filesystem.rm(f"{root}/{name}", recursive=True)

    def replace_rows(self, rows: DataFrame) -> None:
        """Save rows that were made from the table itself, in the same partitions."""
        manifest = self._read_manifest() or {"partitions": {}, "about": {}}
        partitions = manifest["partitions"]
        self.save(PartitionUpdate(rows, [*partitions], partitions, manifest["about"]))

    def _list_names(self, folder: str) -> list[str]:
        self._filesystem.invalidate_cache()
        if not self._filesystem.isdir(folder):
            return []
        return [path.rpartition("/")[2] for path in self._filesystem.ls(folder, detail=False)]

    def _read_manifest(self) -> dict[str, Any] | None:
        if not self._exists():
            return None
        manifest: dict[str, Any] = json.loads(
            self._filesystem.cat_file(f"{self._filepath}/{MANIFEST}")
        )
        return manifest

    def _exists(self) -> bool:
        return bool(self._filesystem.exists(f"{self._filepath}/{MANIFEST}"))

    def _open_files(self) -> pyarrow.dataset.Dataset:
        manifest = self._read_manifest()
        if manifest is None:
            raise DatasetError(f"there is no complete table at {self._filepath}.")
        root = str(self._filepath)
        files = [
            file
            for folder in _list_folders(manifest)
            for file in self._filesystem.find(f"{root}/{folder}")
            if file.endswith(".parquet")
        ]
        schema = to_arrow_schema(T.StructType.fromJson(manifest["schema"]), timezone="UTC")
        return pyarrow.dataset.dataset(
            files,
            schema=schema,
            filesystem=self._filesystem,
            format="parquet",
            partitioning=pyarrow.dataset.partitioning(
                pyarrow.schema([schema.field(self._column)]), flavor="hive"
            ),
        )


def _list_folders(manifest: dict[str, Any]) -> list[str]:
    return [folder for folder in manifest["folders"].values() if folder]
