"""Start the Spark session as conf/<env>/spark.yml says."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, SharedMemoryDataCatalog
from kedro.pipeline import Pipeline
from pyspark.sql import SparkSession

from sparkify.datasets import EventLogDataset
from sparkify.errors import UserError
from sparkify.spark.jvm_options import prepare_environment, submit_arguments
from sparkify.spark.scratch_folder import scratch_folder
from sparkify.spark.session_settings import apply_settings


class RunnerError(UserError):
    """A Kedro runner that cannot run this project."""


class SparkHooks:
    """Starts Spark as conf/<env>/spark.yml says, once something runs."""

    def __init__(self) -> None:
        self._settings: Mapping[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Hand the settings to a running session, or to the one that is started first."""
        settings = context.config_loader["spark"]
        self._settings = settings
        prepare_environment()
        os.environ["PYSPARK_SUBMIT_ARGS"] = submit_arguments(settings, scratch=scratch_folder())
        if "spark.driver.bindAddress" in settings:
            # Spark's UI looks at this variable alone and would otherwise listen to everybody.
            os.environ.setdefault("SPARK_LOCAL_IP", settings["spark.driver.bindAddress"])
        # Workers would otherwise start the first python3 on PATH, without our packages. On other
        # machines Python may be elsewhere: spark.pyspark.python says where.
        os.environ["PYSPARK_PYTHON"] = settings.get("spark.pyspark.python") or sys.executable
        running = SparkSession.getActiveSession()
        if running:
            apply_settings(running, settings)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Ask for a log that is missing, refuse to write over one that stands; start Spark.

        Raises:
            RunnerError: if nodes are to run in processes of their own.
            DatasetError: if the log is missing, or stands where one would be written.
        """
        if isinstance(catalog, SharedMemoryDataCatalog):
            raise RunnerError(
                "ParallelRunner runs every node in a process of its own, without the Spark of "
                "this one. Use --runner SequentialRunner (the default) or ThreadRunner."
            )
        for name in pipeline.datasets():
            dataset = catalog.get(name)
            if not isinstance(dataset, EventLogDataset):
                continue
            if name in pipeline.all_outputs():
                dataset.refuse_if_present()
            else:
                dataset.require_present()
        apply_settings(SparkSession.builder.getOrCreate(), self._settings)
