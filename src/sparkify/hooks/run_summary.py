"""Log what a run found, and where its results are."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from sparkify.datasets import JSONDataset
from sparkify.errors import TooLittleDataError, UserError
from sparkify.formatting.baseline_comparison import TOO_FEW, compare_with_baselines
from sparkify.formatting.money import format_dollars
from sparkify.pipelines.data_processing.diagnosis import format_rejections

logger = logging.getLogger(__name__)
NOTABLE_SHARE = 0.01  # of rejected lines; fewer do not explain that data are missing


class RunSummaryHooks:
    """Says at the end of a run what it found and where."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Log the account of the log's records, the hold-out and the scores, if they were made."""
        made = pipeline.all_outputs()
        if "data_quality" in made:
            logger.info(_format_account(catalog.load("data_quality")))
        if "metrics" in made:
            metrics = catalog.load("metrics")
            logger.info(_holdout_line(metrics))
            against_rules = compare_with_baselines(metrics["gain_over_baselines"], _difference)
            if against_rules:
                logger.info("Simple rules: %s", against_rules)
            logger.info("Metrics and figures: %s", _folder(catalog, "metrics"))
        if "score_summary" in made:
            logger.info(_scores_line(catalog.load("score_summary")))

    @hook_impl
    def on_pipeline_error(self, error: Exception, catalog: DataCatalog) -> None:
        """Say beside an error of too little data how much of the log was rejected."""
        if isinstance(error, TooLittleDataError) and catalog.exists("data_quality"):
            quality = catalog.load("data_quality")
            if quality["rejected_share"] >= NOTABLE_SHARE:
                error.add_note(
                    f"{quality['rejected_share']:.0%} of the log's records were rejected: "
                    f"{format_rejections(quality)}."
                )


class MonitoringAlarmError(UserError):
    """Something has changed so far that somebody has to look at it."""


class MonitoringHooks:
    """Tells what monitoring found, and fails the run if asked to: once all is saved."""

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Log the alarms of a run that looked for them.

        Raises:
            MonitoringAlarmError: if there are some, and `monitoring.fail_on_alarm` is true.
        """
        if "monitoring_summary" not in pipeline.all_outputs():
            return
        summary = catalog.load("monitoring_summary")
        for alarm in summary["alarms"]:
            logger.warning("Alarm %s: %s", alarm["name"], alarm["sentence"])
        logger.info(_monitoring_line(summary))
        logger.info("What was compared: %s", _folder(catalog, "monitoring_summary"))
        if summary["alarms"] and summary["fail_on_alarm"]:
            raise MonitoringAlarmError(
                f"{_monitoring_line(summary)}: "
                f"{' '.join(alarm['sentence'] for alarm in summary['alarms'])} "
                f"Results are saved; monitoring.fail_on_alarm makes this an error."
            )


def _folder(catalog: DataCatalog, name: str) -> Path:
    dataset = catalog.get(name)
    assert isinstance(dataset, JSONDataset)  # noqa: S101 -- says which dataset has a path
    return Path(dataset._filepath).parent


def _monitoring_line(summary: dict[str, Any]) -> str:
    names = [alarm["name"] for alarm in summary["alarms"]]
    found = f"{len(names)} alarm{'' if len(names) == 1 else 's'} ({', '.join(names)})"
    return (
        f"Monitoring of {summary['customers']:,} customers at {summary['cutoff']} against the "
        f"training's at {summary['reference_cutoff']}: {found if names else 'no alarm'}"
    )


def _format_account(quality: dict[str, Any]) -> str:
    reasons = ", ".join(f"{told['lines']:,} {why}" for why, told in quality["rejections"].items())
    return (
        f"Log ({quality['source']}): {quality['lines']:,} records, {quality['accepted']:,} events "
        f"of {quality['users']:,} users accepted, {quality['rejected']:,} rejected"
        + (f" ({reasons})" if reasons else "")
    )


def _holdout_line(metrics: dict[str, Any]) -> str:
    holdout = metrics["holdout"]

    def told(name: str, what: str) -> str:
        value, ci95 = holdout[name]["value"], holdout[name]["ci95"]
        bounds = "[{:.3f}, {:.3f}]".format(*ci95) if ci95 else f"({TOO_FEW})"
        return f"{what} {value:.3f} {bounds}"

    figures = [
        told("auc", "AUC"),
        told("average_precision", "average precision"),
        told("precision", "precision"),
        told("recall", "recall"),
        told("f1", "F1"),
    ]
    return (
        f"Hold-out {metrics['question']['asked']}, {holdout['churned']} of "
        f"{holdout['users']} customers {metrics['question']['happened']} "
        f"({metrics['source']} log), "
        f"{metrics['champion']['label']}: {', '.join(figures)}"
    )


def _difference(gain: Mapping[str, Any]) -> str:
    return "difference {:+.3f}, 95 % CI {:.3f} to {:.3f}".format(gain["value"], *gain["ci95"])


def _scores_line(summary: dict[str, Any]) -> str:
    return (
        f"Scores {summary['cutoff']}, {summary['horizon_days']} days ahead: "
        f"{summary['customers']:,} customers, {summary['expected_churners']:,.0f} churners "
        f"expected; {summary['to_contact']:,} to contact (expected gain "
        f"{format_dollars(summary['expected_profit'])}), {summary['control']:,} kept as control "
        "group"
    )
