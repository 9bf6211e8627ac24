"""Project settings, read by Kedro."""

from sparkify.hooks.candidate_check import FitHooks
from sparkify.hooks.kedro_viz_statistics import LineageContext, LineageHooks
from sparkify.hooks.mlflow_tracking import TrackingHooks
from sparkify.hooks.package_versions import PackageVersionsHook
from sparkify.hooks.parameter_check import ParameterHooks
from sparkify.hooks.run_lock import OneRunHooks
from sparkify.hooks.run_summary import MonitoringHooks, RunSummaryHooks
from sparkify.hooks.run_timings import RunTimingHooks
from sparkify.hooks.spark_session import SparkHooks

_timings = RunTimingHooks()
# The last that is named is called first: a run says what it found before it is kept anywhere.
# MonitoringHooks may end a run with an error, and ask to be called after all others.
HOOKS = (
    OneRunHooks(),
    FitHooks(),
    SparkHooks(),
    ParameterHooks(),
    PackageVersionsHook(),
    TrackingHooks(),
    LineageHooks(_timings),
    _timings,
    RunSummaryHooks(),
    MonitoringHooks(),
)
CONTEXT_CLASS = LineageContext
# `.telemetry` in the sources says no, and a packaged project has no sources. What Kedro-Viz has to
# know of a run, LineageHooks tell it.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", "kedro-viz")

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "mini",
    "merge_strategy": {"parameters": "soft", "globals": "soft", "spark": "soft"},
    "config_patterns": {"spark": ["spark*", "spark*/**"], "tracking": ["tracking*"]},
}
