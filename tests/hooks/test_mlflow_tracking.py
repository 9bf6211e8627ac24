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


class Kept(SimpleNamespace):
    """Stands in for the package `mlflow`, and keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(told={}, files=set())

    def set_tracking_uri(self, uri: str) -> None:
        self.told["uri"] = uri

    def get_experiment_by_name(self, name: str) -> None:
        return None

    def create_experiment(self, name: str, artifact_location: str) -> None:
        self.told["created"] = (name, artifact_location)

    def set_experiment(self, name: str) -> None:
        self.told["experiment"] = name

    @contextmanager
    def start_run(self, run_name: str, tags: dict[str, str]) -> Iterator[None]:
        self.told["run"] = (run_name, tags)
        yield

    def log_params(self, params: dict[str, str]) -> None:
        self.told["params"] = params

    def log_metrics(self, metrics: dict[str, float]) -> None:
        self.told["metrics"] = metrics

    def log_artifacts(self, folder: str) -> None:
        files = (path for path in Path(folder).rglob("*") if path.is_file())
        self.files = {str(path.relative_to(folder)) for path in files}


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()
    monkeypatch.setitem(sys.modules, "mlflow", kept)  # type: ignore[arg-type]
    monkeypatch.setattr(tracking, "find_spec", lambda name: name == "mlflow" or None)
    return kept


def tracked(finished: Any, settings: dict[str, Any]) -> None:
    hooks = tracking.MLflowHooks()
    parameters = {
        "modelling": {"seed": 7, "candidates": {"a": None}, "calibrations": ["none"]},
        "rate": Plain(group="level"),
    }
    context = SimpleNamespace(config_loader={"tracking": settings}, params=parameters)
    hooks.after_context_created(context)
    pipeline = register_pipelines()["modelling"]
    hooks.after_pipeline_run(run_params=RUN, pipeline=pipeline, catalog=finished.catalog())


def test_a_run_of_kedro_s_own_is_kept_by_its_name_and_environment(
    finished: Any, mlflow: Kept, tmp_path: Path
) -> None:
    finished.copied(tmp_path).run("reporting")
    name, tags = mlflow.told["run"]
    assert re.fullmatch(r"[\d-]{10}T[\d.]+Z", name)
    assert tags == {"env": "mini", "pipelines": "reporting"}


def test_a_run_is_kept_with_parameters_metrics_figures_and_model(
    finished: Any, mlflow: Kept, tmp_path: Path
) -> None:
    place = str(tmp_path / "kept")
    tracked(finished, {"uri": "sqlite:///x.db", "artifacts": place, "experiment": "sparkify"})
    assert mlflow.told["uri"] == "sqlite:///x.db"
    assert mlflow.told["created"] == ("sparkify", f"file://{place}")
    assert mlflow.told["run"] == (RUN["run_id"], {"env": "mini", "pipelines": "modelling"})
    assert mlflow.told["params"] == {
        "modelling.seed": "7",
        "modelling.candidates.a": "null",
        "modelling.calibrations": '["none"]',
        "rate.group": "level",
        "rate.log": "false",
        "rate.words": "null",
        "rate.at_zero": "null",
    }
    auc = finished.catalog().load("metrics")["holdout"]["auc"]
    assert mlflow.told["metrics"]["metrics.holdout.auc.value"] == auc["value"]
    # Too few churned for an interval.
    assert auc["ci95"] is None
    assert "metrics.holdout.auc.high" not in mlflow.told["metrics"]
    assert {"08_reporting/roc.png", "08_reporting/metrics.json"} <= mlflow.files
    assert any(name.startswith("06_models/churn_model/stages/") for name in mlflow.files)
    assert not [name for name in mlflow.files if name.startswith("07_model_output")]


def test_an_interval_is_kept_by_its_ends() -> None:
    found = {"auc": {"value": 0.7, "ci95": [0.6, 0.8]}, "recall": {"value": 0.0, "ci95": None}}
    assert dict(tracking._flatten_numbers({"holdout": found})) == {
        "holdout.auc.value": 0.7,
        "holdout.auc.low": 0.6,
        "holdout.auc.high": 0.8,
        "holdout.recall.value": 0.0,
    }


def test_without_an_address_nothing_is_kept(finished: Any, mlflow: Kept) -> None:
    tracked(finished, {"uri": None, "artifacts": None, "experiment": "sparkify"})
    assert mlflow.told == {}


def test_without_mlflow_nothing_happens(
    finished: Any, mlflow: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    tracked(finished, {"uri": "sqlite:///x.db", "artifacts": None, "experiment": "sparkify"})
    assert mlflow.told == {}


def test_a_server_that_keeps_artifacts_itself_is_told_no_place(finished: Any, mlflow: Kept) -> None:
    tracked(finished, {"uri": "http://127.0.0.1:5000", "artifacts": None, "experiment": "sparkify"})
    assert "created" not in mlflow.told
    assert mlflow.told["experiment"] == "sparkify"
