"""Project settings, read by Kedro."""

from sparkify.hooks import RunSummaryHooks, SparkHooks
from sparkify.one_run import OneRunHooks
from sparkify.timings import RunTimingHooks
from sparkify.tracking import TrackingHooks

# The last that is named is called first: a run says what it found before it is kept anywhere.
HOOKS = (OneRunHooks(), SparkHooks(), TrackingHooks(), RunTimingHooks(), RunSummaryHooks())
# `.telemetry` in the sources says no, and a packaged project has no sources.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "mini",
    "merge_strategy": {"parameters": "soft", "globals": "soft", "spark": "soft"},
    "config_patterns": {"spark": ["spark*", "spark*/**"], "tracking": ["tracking*"]},
}
