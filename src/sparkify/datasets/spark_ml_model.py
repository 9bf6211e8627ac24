"""Datasets of fitted Spark ML pipelines."""

import json
from pathlib import PurePosixPath
from typing import Any

import fsspec
from fsspec import AbstractFileSystem
from kedro.io.core import (
    AbstractVersionedDataset,
    DatasetError,
    Version,
    get_filepath_str,
    get_protocol_and_path,
)
from kedro_datasets._typing import JSONPreview
from pyspark.ml import PipelineModel

from sparkify.datasets.atomic_write import (
    atomic_write,
    escape_pattern,
    list_versions,
    to_spark_path,
)
from sparkify.datasets.files import OptionalMixin

# Written by Spark, and by PySpark if a stage is in Python.
PIPELINE_MODELS = ["org.apache.spark.ml.PipelineModel", "pyspark.ml.pipeline.PipelineModel"]


class SparkMLModelDataset(AbstractVersionedDataset[PipelineModel, PipelineModel]):
    """A Spark ML `PipelineModel` in Spark's own format: JSON and Parquet, no pickle.

    Writes are atomic, so every version is complete. Kedro-Viz previews the stages without a JVM.
    Until release, the dataset keeps the model that this run saved in memory: reading one takes
    more than a second.

    ```yaml
    churn_model:
      type: sparkify.datasets.SparkMLModelDataset
      filepath: data/06_models/churn_model
      versioned: true
    ```
    """

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Create the dataset of a model.

        Args:
            filepath: folder of the model, on any file system that fsspec and Spark share.
            version: the version to load or save, if the dataset is versioned.
            credentials: for the file system, passed to fsspec.
            metadata: for Kedro-Viz and other plugins.

        Raises:
            DatasetError: if Spark cannot load a model from the path.
        """
        self._protocol, path = get_protocol_and_path(filepath, version)
        if self._protocol == "file" and ":" in path:
            raise DatasetError(
                f"a model cannot be saved at {path}: Hadoop cannot read below a folder with a "
                f"colon in its name. Rename it, or set another folder in conf/<env>/globals.yml."
            )
        self._filesystem = fsspec.filesystem(self._protocol, **(credentials or {}))
        self.metadata = metadata
        self._saved: dict[str, PipelineModel] = {}  # by path
        super().__init__(
            filepath=PurePosixPath(path),
            version=version,
            exists_function=self._filesystem.exists,
        )

    def _get_versions(self) -> list[str]:
        return list_versions(self._filesystem, self._filepath)

    def load(self) -> PipelineModel:
        """Load the model, from memory if this run saved that version.

        Raises:
            DatasetError: if the folder has no PipelineModel, or one with stages that the project
                no longer has.
        """
        _, path = self.saved_at()
        if path in self._saved:
            return self._saved[path]
        model_class = self._read_metadata(path)["class"]
        if model_class not in PIPELINE_MODELS:
            raise DatasetError(
                f"{path} contains a {model_class}, not a {PIPELINE_MODELS[0]}; only fitted "
                f"pipelines are loaded. Point `filepath` at one, or fit one with `kedro run`."
            )
        try:
            return PipelineModel.load(escape_pattern(to_spark_path(self._protocol, path)))
        except (AttributeError, ImportError) as error:
            raise DatasetError(
                f"{path} was saved by another version of this project ({error}). Move that "
                f"folder away and fit again with `kedro run --from-nodes modelling.split_in_time`, "
                f"or run the version that saved it."
            ) from error

    def save(self, data: PipelineModel) -> None:
        """Save a fitted pipeline; raises a DatasetError for anything else."""
        if not isinstance(data, PipelineModel):
            raise DatasetError(
                f"{type(data).__name__} is not a fitted pipeline (pyspark.ml.PipelineModel). "
                f"Return what `Pipeline.fit` returns."
            )
        path = get_filepath_str(self._get_save_path(), self._protocol)
        with atomic_write(self._filesystem, path) as temporary:
            data.save(to_spark_path(self._protocol, temporary))
        self._saved = {path: data}

    def _release(self) -> None:
        super()._release()
        self._saved = {}

    def preview(self) -> JSONPreview:
        """List the model's stages with their parameters."""
        _, path = self.saved_at()
        stages = [
            self._read_metadata(stage)
            for stage in sorted(self._filesystem.ls(f"{path}/stages", detail=False))
        ]
        parameters = {
            f"{place}. {stage['class'].rpartition('.')[2]}": stage["paramMap"]
            for place, stage in enumerate(stages, start=1)
        }
        return JSONPreview(json.dumps(parameters))

    def saved_at(self) -> tuple[AbstractFileSystem, str]:
        """Return the file system and the path of the version to load."""
        return self._filesystem, get_filepath_str(self._get_load_path(), self._protocol)

    def _read_metadata(self, path: str) -> dict[str, Any]:
        parts = self._list_metadata_files(path)
        if not parts:
            raise DatasetError(f"{path} does not contain a Spark ML model: it has no metadata.")
        metadata: dict[str, Any] = json.loads(self._filesystem.cat_file(parts[0]))
        return metadata

    def _list_metadata_files(self, path: str) -> list[str]:
        folder = f"{path}/metadata"
        if not self._filesystem.isdir(folder):
            return []
        files = self._filesystem.ls(folder, detail=False)
        return sorted(file for file in files if PurePosixPath(file).name.startswith("part-"))

    def _exists(self) -> bool:
        try:
            _, path = self.saved_at()
        except DatasetError:
            return False
        return bool(self._list_metadata_files(path))

    def _describe(self) -> dict[str, Any]:
        return {
            "filepath": self._filepath,
            "protocol": self._protocol,
            "version": self._version,
        }


class OptionalSparkMLModelDataset(OptionalMixin, SparkMLModelDataset):
    """A fitted Spark ML pipeline that loads as None if missing."""
