"""Log a run's results and where they are saved."""

import logging
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from sparkify.datasets import JSONDataset, SavedDatasetGroup
from sparkify.datasets.atomic_write import AtomicWriteMixin
from sparkify.errors import TooLittleDataError, UserError
from sparkify.formatting.baseline_comparison import TOO_FEW, compare_with_baselines
from sparkify.formatting.money import format_dollars
from sparkify.pipelines.data_processing.diagnosis import format_rejections

logger = logging.getLogger(__name__)
MIN_REJECTED_SHARE = 0.01  # of records; a smaller share does not explain missing data


class RunSummaryHooks:
    """Logs the results of a run at its end."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Log the counts of records, the hold-out metrics, the scores, and the files to open."""
        outputs = pipeline.all_outputs()
        if "data_quality" in outputs:
            logger.info(_format_records(catalog.load("data_quality")))
        if "metrics" in outputs:
            metrics = catalog.load("metrics")
            logger.info(_format_holdout(metrics))
            comparison = compare_with_baselines(metrics["gain_over_baselines"], _format_difference)
            if comparison:
                logger.info("Simple rules: %s", comparison)
            logger.info("Metrics and figures: %s", _find_folder(catalog, "metrics"))
        if "score_summary" in outputs:
            logger.info(_format_scores(catalog.load("score_summary")))
        if "contacts_csv" in outputs:
            customers = catalog.load("score_summary")["to_contact"]
            logger.info("Contacts: %s (%s)", _find_path(catalog, "contacts_csv"), f"{customers:,}")
        if "report" in outputs:
            logger.info("Report: %s", _find_path(catalog, "report"))

    @hook_impl
    def on_pipeline_error(self, error: Exception, catalog: DataCatalog) -> None:
        """Add the share of rejected records to an error of too little data."""
        if isinstance(error, TooLittleDataError) and catalog.exists("data_quality"):
            quality = catalog.load("data_quality")
            if quality["rejected_share"] >= MIN_REJECTED_SHARE:
                error.add_note(
                    f"{quality['rejected_share']:.0%} of the log's records were rejected: "
                    f"{format_rejections(quality)}."
                )


class MonitoringAlarmError(UserError):
    """Monitoring found a change beyond its limits."""


class MonitoringHooks:
    """Logs alarms once all results are saved; fails the run if `fail_on_alarm` is set."""

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Log monitoring's alarms; raise a MonitoringAlarmError if `fail_on_alarm` is true."""
        if "monitoring_summary" not in pipeline.all_outputs():
            return
        summary = catalog.load("monitoring_summary")
        for alarm in summary["alarms"]:
            logger.warning("Alarm %s: %s", alarm["name"], alarm["sentence"])
        logger.info(_format_monitoring(summary))
        logger.info("Monitoring results: %s", _find_folder(catalog, "monitoring_summary"))
        if summary["alarms"] and summary["fail_on_alarm"]:
            raise MonitoringAlarmError(
                f"{_format_monitoring(summary)}: "
                f"{' '.join(alarm['sentence'] for alarm in summary['alarms'])} "
                f"Results are saved. To only log alarms, set monitoring.fail_on_alarm: false."
            )


def _find_folder(catalog: DataCatalog, name: str) -> PurePosixPath:
    dataset = catalog.get(name)
    assert isinstance(dataset, JSONDataset)  # noqa: S101 -- for mypy
    return dataset.folder


def _find_path(catalog: DataCatalog, name: str) -> str:
    dataset = catalog.get(name)
    assert isinstance(dataset, AtomicWriteMixin | SavedDatasetGroup)  # noqa: S101 -- for mypy
    return dataset.saved_at()[1]


def _format_monitoring(summary: dict[str, Any]) -> str:
    names = [alarm["name"] for alarm in summary["alarms"]]
    alarms = f"{len(names)} alarm{'' if len(names) == 1 else 's'} ({', '.join(names)})"
    return (
        f"Monitoring of {summary['customers']:,} customers at {summary['cutoff']} against "
        f"training at {summary['reference_cutoff']}: {alarms if names else 'no alarm'}"
    )


def _format_records(quality: dict[str, Any]) -> str:
    rejections = quality["rejections"].items()
    reasons = ", ".join(f"{group['lines']:,} {reason}" for reason, group in rejections)
    return (
        f"Log ({quality['source']}): {quality['lines']:,} records, {quality['accepted']:,} events "
        f"of {quality['users']:,} users accepted, {quality['rejected']:,} rejected"
        + (f" ({reasons})" if reasons else "")
    )


def _format_holdout(metrics: dict[str, Any]) -> str:
    holdout = metrics["holdout"]

    def format_metric(name: str, label: str) -> str:
        value, ci95 = holdout[name]["value"], holdout[name]["ci95"]
        bounds = "[{:.3f}, {:.3f}]".format(*ci95) if ci95 else f"({TOO_FEW})"
        return f"{label} {value:.3f} {bounds}"

    labels = {
        "auc": "AUC",
        "average_precision": "average precision",
        "precision": "precision",
        "recall": "recall",
        "f1": "F1",
    }
    metrics_text = ", ".join(format_metric(name, label) for name, label in labels.items())
    return (
        f"Hold-out {metrics['prediction_task']['description']}, {holdout['churned']} of "
        f"{holdout['users']} customers {metrics['prediction_task']['outcome_phrase']} "
        f"({metrics['source']} log), "
        f"{metrics['champion']['label']}: {metrics_text}"
    )


def _format_difference(gain: Mapping[str, Any]) -> str:
    return "difference {:+.3f}, 95 % CI {:.3f} to {:.3f}".format(gain["value"], *gain["ci95"])


def _format_scores(summary: dict[str, Any]) -> str:
    return (
        f"Scores {summary['cutoff']}, {summary['horizon_days']} days ahead: "
        f"{summary['customers']:,} customers, {summary['expected_churners']:,.0f} churners "
        f"expected; {summary['to_contact']:,} to contact (expected gain "
        f"{format_dollars(summary['expected_profit'])}), {summary['control']:,} kept as control "
        "group"
    )
