"""What happens around a run: how Spark starts, and what a run says at its end."""

import logging
import os
import shlex
import sys
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from pyspark.sql import SparkSession

from sparkify.datasets import EventLogDataset

logger = logging.getLogger(__name__)


class SparkHooks:
    """Starts Spark as conf/<env>/spark.yml says, once something runs."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Hand the settings to whichever session is started first, and the right Python."""
        settings = context.config_loader["spark"]
        arguments = [f"--conf={key}={_as_text(value)}" for key, value in settings.items()]
        os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join([*arguments, "pyspark-shell"])
        # Workers would otherwise start the first python3 on PATH, without our packages.
        os.environ["PYSPARK_PYTHON"] = sys.executable

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Refuse to write over a log before any work is done, and start Spark."""
        for name in pipeline.all_outputs():
            dataset = catalog.get(name)
            if isinstance(dataset, EventLogDataset):
                dataset.refuse_if_present()
        SparkSession.builder.getOrCreate()


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class RunSummaryHooks:
    """Ends a run with what it found and where the results are."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Log the account of the log's lines and the hold-out line, if they were made."""
        made = pipeline.all_outputs()
        if "data_quality" in made:
            logger.info(_lines_account(catalog.load("data_quality")))
        if "metrics" in made:
            logger.info(_holdout_line(catalog.load("metrics")))
            logger.info("Metrics and figures: %s", catalog.get("metrics")._filepath.parent)


def _lines_account(quality: dict[str, Any]) -> str:
    reasons = ", ".join(f"{told['lines']:,} {why}" for why, told in quality["rejections"].items())
    return (
        f"Log ({quality['source']}): {quality['lines']:,} lines, {quality['accepted']:,} events "
        f"of {quality['users']:,} users accepted, {quality['rejected']:,} rejected"
        + (f" ({reasons})" if reasons else "")
    )


def _holdout_line(metrics: dict[str, Any]) -> str:
    holdout = metrics["holdout"]

    def told(name: str, what: str) -> str:
        low, high = holdout[name]["ci95"]
        return f"{what} {holdout[name]['value']:.3f} [{low:.3f}, {high:.3f}]"

    figures = [
        told("auc", "AUC"),
        told("average_precision", "average precision"),
        told("precision", "precision"),
        told("recall", "recall"),
        told("f1", "F1"),
    ]
    return (
        f"Hold-out {holdout['cutoff']}, {holdout['horizon_days']} days ahead, "
        f"{holdout['churned']} of {holdout['users']} customers cancelled "
        f"({metrics['source']} log), {metrics['champion']['label']}: {', '.join(figures)}"
    )
