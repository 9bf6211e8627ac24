"""Check before a run that the candidates' libraries accept their settings and have enough cores."""

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from pyspark.sql import SparkSession

from sparkify.errors.parameter_errors import ParameterError, format_wrong_value
from sparkify.pipelines.modelling.candidates import find_settings_error, list_trials
from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.pipelines.modelling.pipeline import FITS


class CandidateCheckHooks:
    """Stops a run whose candidates cannot be fitted, once Spark has started."""

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Raise a ParameterError if a library refuses settings, or XGBoost has too few cores."""
        if not any(FITS in node.tags for node in pipeline.nodes):
            return
        modelling = catalog.load("params:modelling")
        require_accepted_settings(modelling)
        require_enough_cores(modelling, SparkSession.active())


def require_accepted_settings(modelling: ModellingParameters) -> None:
    """Raise a ParameterError with the library's message if it refuses a candidate's settings."""
    for trial in list_trials(modelling):
        reason = find_settings_error(trial)
        if reason:
            settings = ", ".join(f"{name}: {value}" for name, value in trial.settings.items())
            raise ParameterError(
                f"modelling.candidates.{trial.candidate} cannot be fitted with {settings}: "
                f"{reason}."
            )


def require_enough_cores(modelling: ModellingParameters, spark: SparkSession) -> None:
    """Raise a ParameterError if XGBoost has fewer cores than partitions: its tasks start together.

    With fewer cores, Spark waits ten minutes before it reports that.
    """
    if modelling.candidates.get("xgboost") is None:
        return
    cores = _count_cores(spark)
    if cores is not None and modelling.partitions > cores:
        allowed = (
            f"at most {cores}, the cores that Spark has by conf/<env>/spark.yml, because XGBoost "
            f"fits all partitions at the same time; or modelling.candidates.xgboost: null"
        )
        raise ParameterError(
            format_wrong_value("modelling.partitions", modelling.partitions, allowed)
        )


def _count_cores(spark: SparkSession) -> int | None:
    """Return how many tasks run concurrently; None if unknown before the run."""
    context = spark.sparkContext
    settings = dict(context.getConf().getAll())
    if settings["spark.master"] == "local" or settings["spark.master"].startswith("local["):
        # If set, spark.default.parallelism replaces the cores in defaultParallelism.
        is_set = "spark.default.parallelism" in settings
        return None if is_set else context.defaultParallelism
    if settings.get("spark.dynamicAllocation.enabled") == "true":
        return None
    executor_cores = settings.get("spark.executor.cores")
    executors = settings.get("spark.executor.instances")
    if executor_cores is None or executors is None:
        return None
    return int(executors) * (int(executor_cores) // int(settings.get("spark.task.cpus", 1)))
