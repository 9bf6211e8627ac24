"""A fitted Spark ML pipeline."""

import json
from pathlib import PurePosixPath
from typing import Any

import fsspec
from kedro.io.core import (
    AbstractVersionedDataset,
    DatasetError,
    Version,
    get_filepath_str,
    get_protocol_and_path,
)
from kedro_datasets._typing import JSONPreview
from pyspark.ml import PipelineModel

from sparkify.datasets.atomic_write import as_pattern, list_versions, spark_path, written_aside

# As Spark writes it, and as PySpark does where a stage is Python's own.
PIPELINE_MODELS = ["org.apache.spark.ml.PipelineModel", "pyspark.ml.pipeline.PipelineModel"]


class SparkMLModelDataset(AbstractVersionedDataset[PipelineModel, PipelineModel]):
    """A Spark ML `PipelineModel` in Spark's own format: JSON and Parquet, no pickle.

    It is written aside and renamed, so that what has a version's name is complete, and its
    stages preview in Kedro-Viz without starting a JVM. What a run saved it hands on as it is
    until it is released: reading a model anew takes more than a second.

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
        """Point at a model.

        Args:
            filepath: directory of the model, on any file system that fsspec and Spark share.
            version: the version to load or save, if the dataset is versioned.
            credentials: of the file system, as fsspec takes them.
            metadata: anything; read by Kedro-Viz and other plugins, not by Kedro.

        Raises:
            DatasetError: if the path is one that Spark could not load a model from.
        """
        self._protocol, path = get_protocol_and_path(filepath, version)
        if self._protocol == "file" and ":" in path:
            raise DatasetError(
                f"no model can be kept at {path}: Hadoop finds none below a folder with a colon "
                f"in its name. Rename it, or name another folder in conf/<env>/globals.yml."
            )
        self._filesystem = fsspec.filesystem(self._protocol, **(credentials or {}))
        self.metadata = metadata
        self._kept: dict[str, PipelineModel] = {}  # what was saved, by its path
        super().__init__(
            filepath=PurePosixPath(path),
            version=version,
            exists_function=self._filesystem.exists,
        )

    def _get_versions(self) -> list[str]:
        return list_versions(self._filesystem, self._filepath)

    def load(self) -> PipelineModel:
        """Load the model, or hand it on if this run has saved that very version.

        Raises:
            DatasetError: if what is there is no PipelineModel, or has stages that the project
                no longer has.
        """
        path = self._load_path()
        if path in self._kept:
            return self._kept[path]
        found = self._stage_metadata(path)["class"]
        if found not in PIPELINE_MODELS:
            raise DatasetError(
                f"{path} holds a {found}, not a {PIPELINE_MODELS[0]}; only fitted pipelines are "
                f"loaded. Point `filepath` at one, or fit one with `kedro run`."
            )
        try:
            return PipelineModel.load(as_pattern(spark_path(self._protocol, path)))
        except (AttributeError, ImportError) as error:
            raise DatasetError(
                f"{path} was saved by another version of this project ({error}). Move that "
                f"folder away and fit anew with `kedro run --from-nodes modelling.split_in_time`, "
                f"or run the version that saved it."
            ) from error

    def save(self, data: PipelineModel) -> None:
        """Save a fitted pipeline; raises a DatasetError for anything else."""
        if not isinstance(data, PipelineModel):
            raise DatasetError(
                f"{type(data).__name__} is no fitted pipeline (pyspark.ml.PipelineModel). "
                f"Return what `Pipeline.fit` returns."
            )
        path = get_filepath_str(self._get_save_path(), self._protocol)
        with written_aside(self._filesystem, path) as aside:
            data.save(spark_path(self._protocol, aside))
        self._kept = {path: data}

    def _release(self) -> None:
        super()._release()
        self._kept = {}

    def preview(self) -> JSONPreview:
        """List the model's stages with the settings that were given to each."""
        path = self._load_path()
        stages = [
            self._stage_metadata(stage)
            for stage in sorted(self._filesystem.ls(f"{path}/stages", detail=False))
        ]
        shown = {
            f"{place}. {stage['class'].rpartition('.')[2]}": stage["paramMap"]
            for place, stage in enumerate(stages, start=1)
        }
        return JSONPreview(json.dumps(shown))

    def _load_path(self) -> str:
        return get_filepath_str(self._get_load_path(), self._protocol)

    def _stage_metadata(self, path: str) -> dict[str, Any]:
        parts = self._metadata_files(path)
        if not parts:
            raise DatasetError(f"{path} holds no Spark ML model: it has no metadata.")
        metadata: dict[str, Any] = json.loads(self._filesystem.cat_file(parts[0]))
        return metadata

    def _metadata_files(self, path: str) -> list[str]:
        folder = f"{path}/metadata"
        if not self._filesystem.isdir(folder):
            return []
        files = self._filesystem.ls(folder, detail=False)
        return sorted(file for file in files if PurePosixPath(file).name.startswith("part-"))

    def _exists(self) -> bool:
        try:
            path = self._load_path()
        except DatasetError:
            return False
        return bool(self._metadata_files(path))

    def _describe(self) -> dict[str, Any]:
        return {
            "filepath": self._filepath,
            "protocol": self._protocol,
            "version": self._version,
        }
