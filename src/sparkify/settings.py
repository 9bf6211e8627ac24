"""Project settings, read by Kedro."""

from sparkify.hooks.blas_threads import BlasThreadsHooks
from sparkify.hooks.candidate_check import CandidateCheckHooks
from sparkify.hooks.forget_customers import ForgetCustomersHooks
from sparkify.hooks.kedro_viz_statistics import KedroVizContext, KedroVizStatisticsHooks
from sparkify.hooks.mlflow_tracking import MLflowHooks
from sparkify.hooks.package_versions import PackageVersionsHooks
from sparkify.hooks.parameter_check import ParameterCheckHooks
from sparkify.hooks.progress import ProgressHooks
from sparkify.hooks.run_lock import RunLockHooks
from sparkify.hooks.run_summary import MonitoringHooks, RunSummaryHooks
from sparkify.hooks.run_timings import RunTimingsHooks
from sparkify.hooks.spark_session import SparkSessionHooks

_timings = RunTimingsHooks()
# Kedro calls hooks last in, first out. So candidates are checked and customers forgotten once Spark
# has started, and results are logged before they are saved for Kedro-Viz and MLflow.
# MonitoringHooks may fail the run, so its hook is marked trylast.
HOOKS = (
    RunLockHooks(),
    BlasThreadsHooks(),
    CandidateCheckHooks(),
    ForgetCustomersHooks(),
    SparkSessionHooks(),
    ParameterCheckHooks(),
    PackageVersionsHooks(),
    MLflowHooks(),
    KedroVizStatisticsHooks(_timings),
    _timings,
    RunSummaryHooks(),
    ProgressHooks(),
    MonitoringHooks(),
)
CONTEXT_CLASS = KedroVizContext
# A packaged project has no `.telemetry` file to decline telemetry. KedroVizStatisticsHooks
# replaces the hooks of Kedro-Viz.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", "kedro-viz")

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "mini",
    "merge_strategy": {"parameters": "soft", "globals": "soft", "spark": "soft"},
    "config_patterns": {"spark": ["spark*", "spark*/**"], "tracking": ["tracking*"]},
}
