"""Project settings, read by Kedro."""

from sparkify.hooks import RunSummaryHooks, SparkHooks
from sparkify.one_run import OneRunHooks
from sparkify.timings import RunTimingHooks

HOOKS = (OneRunHooks(), SparkHooks(), RunTimingHooks(), RunSummaryHooks())

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "mini",
    "merge_strategy": {"parameters": "soft", "globals": "soft", "spark": "soft"},
    "config_patterns": {"spark": ["spark*", "spark*/**"]},
}
