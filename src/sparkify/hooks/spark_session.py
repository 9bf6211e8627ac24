"""Start Spark with the settings of conf/<env>/spark.yml."""

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
from sparkify.spark.jvm_options import format_submit_arguments, prepare_environment
from sparkify.spark.scratch_folder import get_scratch_folder
from sparkify.spark.session_settings import apply_settings


class RunnerError(UserError):
    """A Kedro runner that cannot run this project."""


class SparkSessionHooks:
    """Starts Spark with the settings of conf/<env>/spark.yml when a run begins."""

    def __init__(self) -> None:
        self._settings: Mapping[str, Any] = {}

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Apply the settings to a running session, or to the next one."""
        settings = context.config_loader["spark"]
        self._settings = settings
        prepare_environment()
        os.environ["PYSPARK_SUBMIT_ARGS"] = format_submit_arguments(
            settings, scratch=get_scratch_folder()
        )
        if "spark.driver.bindAddress" in settings:
            # Spark's UI reads only this variable and would otherwise listen on all interfaces.
            os.environ.setdefault("SPARK_LOCAL_IP", settings["spark.driver.bindAddress"])
        # Workers would otherwise start the first python3 on PATH, without our packages.
        # spark.pyspark.python names the Python of a cluster's other machines.
        os.environ["PYSPARK_PYTHON"] = settings.get("spark.pyspark.python") or sys.executable
        running = SparkSession.getActiveSession()
        if running:
            apply_settings(running, settings)

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check that a log to read exists and one to write does not; start Spark.

        Raises a RunnerError if the runner starts a process per node, a DatasetError for the log.
        """
        if isinstance(catalog, SharedMemoryDataCatalog):
            raise RunnerError(
                "ParallelRunner runs every node in another process, which has no Spark session. "
                "Use --runner SequentialRunner (the default) or ThreadRunner."
            )
        outputs = pipeline.all_outputs()
        for name in pipeline.datasets():
            dataset = catalog.get(name)
            if not isinstance(dataset, EventLogDataset):
                continue
            if name in outputs:
                dataset.refuse_if_present()
            else:
                dataset.require_present()
        apply_settings(SparkSession.builder.getOrCreate(), self._settings)
