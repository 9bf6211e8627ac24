from pathlib import Path
from typing import Any

import pytest
from kedro.framework.hooks.manager import _create_hook_manager, _register_hooks
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from sparkify.datasets import CSVDataset, JSONDataset, SavedDatasetGroup, TextDataset
from sparkify.errors import TooLittleDataError
from sparkify.hooks.run_summary import MonitoringAlarmError, MonitoringHooks, RunSummaryHooks
from sparkify.settings import HOOKS

ROOT = Path(__file__).parents[2]
QUALITY = {
    "source": "simulated",
    "lines": 12_345,
    "accepted": 11_000,
    "users": 225,
    "rejected": 1_345,
    "rejections": {"no user": {"lines": 1_300}, "not JSON": {"lines": 45}},
}
METRICS: dict[str, Any] = {
    "source": "simulated",
    "prediction_task": {"description": "2018-11-21, 10 days ahead", "outcome_phrase": "cancelled"},
    "champion": {"candidate": "logistic_regression", "label": "logistic regression"},
    "holdout": {
        "churned": 9,
        "users": 170,
        **{
            name: {"value": value, "ci95": [value - 0.1, value + 0.1]}
            for name, value in {
                "auc": 0.7654,
                "average_precision": 0.2,
                "precision": 0.25,
                "recall": 0.5,
                "f1": 0.3333,
            }.items()
        },
    },
    "gain_over_baselines": {
        "most_songs": {
            "auc": {"value": -0.0281, "ci95": [-0.1812, 0.1204]},
            "average_precision": {"value": -0.0864, "ci95": [-0.2914, -0.0102]},
        }
    },
}


SUMMARY = {
    "cutoff": "2018-12-01",
    "horizon_days": 10,
    "customers": 1_720,
    "expected_churners": 73.4,
    "to_contact": 46,
    "control": 5,
    "expected_profit": -12.4,
}


def work(*inputs: Any) -> None:
    """Stub of a node function; the hooks use only names."""


def make_pipeline(*outputs: str) -> Pipeline:
    """Return a pipeline of one node per output."""
    return Pipeline([Node(work, [], name, name=f"make_{name}") for name in outputs])


def test_accepted_and_rejected_records_are_logged(logged: pytest.LogCaptureFixture) -> None:
    catalog = DataCatalog({"data_quality": MemoryDataset(QUALITY)})
    RunSummaryHooks().after_pipeline_run(make_pipeline("data_quality"), catalog)
    assert logged.messages == [
        "Log (simulated): 12,345 records, 11,000 events of 225 users accepted, "
        "1,345 rejected (1,300 no user, 45 not JSON)"
    ]


REJECTED = {
    "rejected_share": 0.5,
    "rejections": {
        **{"no ts": {"lines": 3}, "no user": {"lines": 99}},
        **{"impossible level": {"lines": 7}},
    },
}


@pytest.mark.parametrize(
    ("error", "quality", "notes"),
    [
        (
            TooLittleDataError("too few days"),
            REJECTED,
            ["50% of the log's records were rejected: 7 impossible level, 3 no ts."],
        ),
        (TooLittleDataError("too few days"), {**REJECTED, "rejected_share": 0.001}, []),
        (ValueError("other"), REJECTED, []),
    ],
)
def test_too_little_data_is_reported_with_the_rejected_share(
    error: Exception, quality: dict[str, Any], notes: list[str]
) -> None:
    catalog = DataCatalog({"data_quality": MemoryDataset(quality)})
    RunSummaryHooks().on_pipeline_error(error, catalog)
    assert getattr(error, "__notes__", []) == notes


def test_an_error_before_any_check_has_no_note() -> None:
    error = TooLittleDataError("too few days")
    RunSummaryHooks().on_pipeline_error(error, DataCatalog())
    assert not hasattr(error, "__notes__")


def test_without_rejections_no_reasons_are_logged(logged: pytest.LogCaptureFixture) -> None:
    clean = {**QUALITY, "rejected": 0, "rejections": {}}
    catalog = DataCatalog({"data_quality": MemoryDataset(clean)})
    RunSummaryHooks().after_pipeline_run(make_pipeline("data_quality"), catalog)
    assert logged.messages[0].endswith("accepted, 0 rejected")


def test_hold_out_metrics_and_their_folder_are_logged(
    logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    metrics = JSONDataset(filepath=str(tmp_path / "reporting" / "metrics.json"))
    metrics.save(METRICS)
    RunSummaryHooks().after_pipeline_run(
        make_pipeline("metrics"), DataCatalog({"metrics": metrics})
    )
    assert logged.messages == [
        "Hold-out 2018-11-21, 10 days ahead, 9 of 170 customers cancelled (simulated log), "
        "logistic regression: AUC 0.765 [0.665, 0.865], average precision 0.200 [0.100, 0.300], "
        "precision 0.250 [0.150, 0.350], recall 0.500 [0.400, 0.600], F1 0.333 [0.233, 0.433]",
        "Simple rules: By AUC, the model is not measurably different from most songs first "
        "(difference -0.028, 95 % CI -0.181 to 0.120). By average precision, the model is "
        "measurably worse than most songs first (difference -0.086, 95 % CI -0.291 to -0.010).",
        f"Metrics and figures: {tmp_path}/reporting",
    ]


def test_metrics_with_too_few_churners_have_no_intervals(
    logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    figures = {name: {"value": 0.5, "ci95": None} for name in METRICS["holdout"] if "_" in name}
    metrics = JSONDataset(filepath=str(tmp_path / "metrics.json"))
    holdout = METRICS["holdout"] | figures
    metrics.save({**METRICS, "holdout": holdout, "gain_over_baselines": {}})
    RunSummaryHooks().after_pipeline_run(
        make_pipeline("metrics"), DataCatalog({"metrics": metrics})
    )
    line, folder = logged.messages
    assert "average precision 0.500 (too few to say), precision 0.250 [0.150, 0.350]" in line
    assert folder.startswith("Metrics and figures")


def test_scores_are_logged_with_expected_churners_and_gain(
    logged: pytest.LogCaptureFixture,
) -> None:
    catalog = DataCatalog({"score_summary": MemoryDataset(SUMMARY)})
    RunSummaryHooks().after_pipeline_run(make_pipeline("score_summary"), catalog)
    assert logged.messages == [
        "Scores 2018-12-01, 10 days ahead: 1,720 customers, 73 churners expected; 46 to contact "
        "(expected gain -$12.40), 5 kept as control group"
    ]


def test_the_last_lines_are_the_files_to_open(
    logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    contacts, report = tmp_path / "contacts.csv", tmp_path / "report.html"
    catalog = DataCatalog(
        {
            "score_summary": MemoryDataset({**SUMMARY, "to_contact": 1_046}),
            "contacts_csv": CSVDataset(filepath=str(contacts)),
            "report": SavedDatasetGroup({"page": {"type": TextDataset, "filepath": str(report)}}),
        }
    )
    RunSummaryHooks().after_pipeline_run(make_pipeline("report", "contacts_csv"), catalog)
    assert logged.messages == [f"Contacts: {contacts} (1,046)", f"Report: {report}"]


def test_metrics_of_an_earlier_run_are_not_logged(
    logged: pytest.LogCaptureFixture,
) -> None:
    catalog = DataCatalog({"data_quality": MemoryDataset(QUALITY)})
    RunSummaryHooks().after_pipeline_run(make_pipeline("events"), catalog)
    assert logged.messages == []


def save_monitoring_summary(tmp_path: Path, fails: bool, *alarms: str) -> DataCatalog:
    """Return a catalog with a saved monitoring summary."""
    summary = JSONDataset(filepath=str(tmp_path / "monitoring_summary.json"))
    summary.save(
        {
            "cutoff": "2018-12-01",
            "customers": 1_820,
            "reference_cutoff": "2018-11-07",
            "fail_on_alarm": fails,
            "alarms": [{"name": name, "sentence": f"Too much of {name}."} for name in alarms],
        }
    )
    return DataCatalog({"monitoring_summary": summary})


def test_alarms_and_their_folder_are_logged(
    logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    catalog = save_monitoring_summary(tmp_path, False, "drift.score", "unseen_pages")
    MonitoringHooks().after_pipeline_run(make_pipeline("monitoring_summary"), catalog)
    assert logged.messages == [
        "Alarm drift.score: Too much of drift.score.",
        "Alarm unseen_pages: Too much of unseen_pages.",
        "Monitoring of 1,820 customers at 2018-12-01 against training at 2018-11-07: "
        "2 alarms (drift.score, unseen_pages)",
        f"Monitoring results: {tmp_path}",
    ]


def test_an_alarm_fails_the_run_with_fail_on_alarm(tmp_path: Path) -> None:
    catalog = save_monitoring_summary(tmp_path, True, "drift.score")
    with pytest.raises(MonitoringAlarmError, match=r"1 alarm \(drift.score\): Too much of drift"):
        MonitoringHooks().after_pipeline_run(make_pipeline("monitoring_summary"), catalog)


def test_a_run_without_alarms_does_not_fail(
    logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    MonitoringHooks().after_pipeline_run(
        make_pipeline("monitoring_summary"), save_monitoring_summary(tmp_path, True)
    )
    assert logged.messages[0].endswith("against training at 2018-11-07: no alarm")
    MonitoringHooks().after_pipeline_run(
        make_pipeline("features"), save_monitoring_summary(tmp_path, True, "old")
    )
    assert len(logged.messages) == 2


def test_monitoring_hooks_run_last() -> None:
    manager = _create_hook_manager()
    _register_hooks(manager, HOOKS)
    _progress_bar, first, *_, last = manager.hook.after_pipeline_run.get_hookimpls()[::-1]
    assert isinstance(first.plugin, RunSummaryHooks)
    assert isinstance(last.plugin, MonitoringHooks)
