import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sparkify.hooks import mlflow_tracking as tracking
from sparkify.pipeline_registry import register_pipelines
from sparkify.pipelines.modelling.input_definitions import Plain

RUN = {"env": "mini", "pipeline_names": ["modelling"], "run_id": "2026-11-24T15.00.00.000Z"}


class FakeMLflow(SimpleNamespace):
    """Replaces the package `mlflow` and stores the calls."""

    def __init__(self) -> None:
        super().__init__(calls={}, files=set())

    def set_tracking_uri(self, uri: str) -> None:
        self.calls["uri"] = uri

    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str, artifact_location: str) -> None:
        self.calls["created"] = (name, artifact_location)

    def set_experiment(self, name: str) -> None:
        self.calls["experiment"] = name

    @contextmanager
    def start_run(self, run_name: str, tags: dict[str, str]) -> Iterator[None]:
        self.calls["run"] = (run_name, tags)
        yield

    def log_params(self, params: dict[str, str]) -> None:
        self.calls["params"] = params

    def log_metrics(self, metrics: dict[str, float]) -> None:
        self.calls["metrics"] = metrics

    def log_artifacts(self, folder: str) -> None:
        files = (path for path in Path(folder).rglob("*") if path.is_file())
        self.files = {str(path.relative_to(folder)) for path in files}


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> FakeMLflow:
    fake = FakeMLflow()
    monkeypatch.setitem(sys.modules, "mlflow", fake)  # type: ignore[arg-type]
    monkeypatch.setattr(tracking, "find_spec", lambda name: name == "mlflow" or None)
    return fake


def log_run(finished: Any, settings: dict[str, Any]) -> None:
    hooks = tracking.MLflowHooks()
    parameters = {
        "modelling": {"seed": 7, "candidates": {"a": None}, "calibrations": ["none"]},
        "rate": Plain(group="level"),
    }
    context = SimpleNamespace(config_loader={"tracking": settings}, params=parameters)
    hooks.after_context_created(context)
    pipelines = register_pipelines()
    pipeline = pipelines["modelling"] + pipelines["evaluation"] + pipelines["reporting"]
    hooks.after_pipeline_run(run_params=RUN, pipeline=pipeline, catalog=finished.catalog())


def test_a_run_is_logged_with_its_name_and_environment(
    finished: Any, mlflow: FakeMLflow, tmp_path: Path
) -> None:
    finished.copy_to(tmp_path).run("reporting")
    name, tags = mlflow.calls["run"]
    assert re.fullmatch(r"[\d-]{10}T[\d.]+Z", name)
    assert tags == {"env": "mini", "pipelines": "reporting"}


def test_a_run_is_logged_with_parameters_metrics_figures_and_model(
    finished: Any, mlflow: FakeMLflow, tmp_path: Path
) -> None:
    place = str(tmp_path / "fake")
    log_run(finished, {"uri": "sqlite:///x.db", "artifacts": place, "experiment": "sparkify"})
    assert mlflow.calls["uri"] == "sqlite:///x.db"
    assert mlflow.calls["created"] == ("sparkify", f"file://{place}")
    assert mlflow.calls["run"] == (RUN["run_id"], {"env": "mini", "pipelines": "modelling"})
    assert mlflow.calls["params"] == {
        "modelling.seed": "7",
        "modelling.candidates.a": "null",
        "modelling.calibrations": '["none"]',
        "rate.group": "level",
        "rate.is_reason": "true",
        "rate.label": "null",
        "rate.log": "false",
        "rate.text": "null",
        "rate.text_at_zero": "null",
    }
    auc = finished.catalog().load("metrics")["holdout"]["auc"]
    assert mlflow.calls["metrics"]["metrics.holdout.auc.value"] == auc["value"]
    # Too few churned for an interval.
    assert auc["ci95"] is None
    assert "metrics.holdout.auc.high" not in mlflow.calls["metrics"]
    assert {"08_reporting/roc.png", "08_reporting/metrics.json"} <= mlflow.files
    assert {"08_reporting/report.html", "08_reporting/report.md"} <= mlflow.files
    assert any(name.startswith("06_models/churn_model/stages/") for name in mlflow.files)
    assert not [name for name in mlflow.files if name.startswith("07_model_output")]


def test_an_interval_is_logged_as_two_metrics() -> None:
    holdout = {"auc": {"value": 0.7, "ci95": [0.6, 0.8]}, "recall": {"value": 0.0, "ci95": None}}
    assert dict(tracking._flatten_numbers({"holdout": holdout})) == {
        "holdout.auc.value": 0.7,
        "holdout.auc.low": 0.6,
        "holdout.auc.high": 0.8,
        "holdout.recall.value": 0.0,
    }


def test_without_a_uri_nothing_is_logged(finished: Any, mlflow: FakeMLflow) -> None:
    log_run(finished, {"uri": None, "artifacts": None, "experiment": "sparkify"})
    assert mlflow.calls == {}


def test_without_mlflow_nothing_is_logged(
    finished: Any, mlflow: FakeMLflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    log_run(finished, {"uri": "sqlite:///x.db", "artifacts": None, "experiment": "sparkify"})
    assert mlflow.calls == {}


def test_a_server_with_its_own_artifact_store_gets_no_location(
    finished: Any, mlflow: FakeMLflow
) -> None:
    log_run(finished, {"uri": "http://127.0.0.1:5000", "artifacts": None, "experiment": "sparkify"})
    assert "created" not in mlflow.calls
    assert mlflow.calls["experiment"] == "sparkify"
