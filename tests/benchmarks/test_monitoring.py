import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from kedro.io import DatasetError
from pyspark.ml import PipelineModel
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import SparkSession

from benchmarks import monitoring
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.modelling.parameters import InputParameters, ReferenceParameters
from sparkify.pipelines.monitoring.parameters import MonitoringParameters

METRICS = {
    "holdout": {name: {"value": 0.7, "ci95": [0, 1]} for name in ("auc", "average_precision")},
    "train": {"churned": 20},
}


@pytest.fixture(scope="module")
def model(spark: SparkSession) -> PipelineModel:
    """Return a model with the same probability for all customers."""
    statement = "SELECT *, 0.05D AS probability FROM __THIS__"
    return PipelineModel([SQLTransformer(statement=statement)])


@pytest.fixture(scope="module")
def typed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters as nodes get them."""
    models = {
        "evaluation": EvaluationParameters,
        "inputs": InputParameters,
        "reference": ReferenceParameters,
        "monitoring": MonitoringParameters,
    }
    return {
        **parameters,
        **{name: kind.model_validate(parameters[name]) for name, kind in models.items()},
    }


@pytest.fixture(scope="module")
def log(finished: Any, spark: SparkSession, tmp_path_factory: Any) -> monitoring.Log:
    """Return the finished project's log, read as that of a benchmark."""
    folder = tmp_path_factory.mktemp("monitoring")
    (folder / "mini").mkdir()
    (folder / "mini" / "data").symlink_to(finished.folder / "data")
    return monitoring.read_log(folder, {})


def test_a_log_has_the_tables_of_the_project(log: monitoring.Log, finished: Any) -> None:
    catalog = finished.catalog()
    for table, name in ((log.user_days, "user_days"), (log.newest, "current_features")):
        expected = catalog.load(name)
        assert table.count() == expected.count() > 0
    assert log.features.count() == catalog.load("features").count()
    assert log.data_quality == catalog.load("data_quality")


def test_a_missing_log_is_simulated_down_to_its_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []
    monkeypatch.setattr(monitoring.speed.Log, "kedro", lambda _, *options: commands.append(options))
    monkeypatch.setattr(monitoring, "SparkSession", MagicMock())
    with pytest.raises(DatasetError, match="user_days"):
        monitoring.read_log(tmp_path, {"seed": 3, "cohorts.tuba": 4})
    assert [options[1] for options in commands] == [
        "simulation",
        "data_processing,feature_engineering,scoring",
    ]
    assert commands[0][3] == "simulation.seed=3,simulation.cohorts.tuba=4"


def test_a_log_is_monitored_as_in_the_pipeline(
    log: monitoring.Log, model: PipelineModel, typed: dict[str, Any], finished: Any
) -> None:
    prediction_task = finished.catalog().load("prediction_task")
    reference = monitoring.describe_log(log, prediction_task, typed)
    assert reference["cutoff"] == "2018-11-07"
    scores = model.transform(log.newest).select("user_id", "probability")
    training = monitoring.Training(reference, model, scores, METRICS)
    result = monitoring.monitor(training, log, typed)
    assert result["customers"] == log.newest.count()
    assert result["psi"]["score"] == 0
    assert result["psi"]["observed_days"] > 1
    assert result["churned"] == log.features.where("churned and cutoff = '2018-11-21'").count()
    assert result["expected"] == pytest.approx(
        0.05 * log.features.where("cutoff = '2018-11-21'").count(), abs=0.01
    )
    assert not [name for name in result["alarms"] if name.startswith(("drift", "unseen", "reject"))]


def run(*alarms: str, psi: float = 0.01) -> dict[str, Any]:
    return {
        "alarms": list(alarms),
        "sure_of": ["adverts_per_free_song"] if psi > 0.1 else [],
        "psi": {"adverts_per_free_song": psi},
    }


def test_runs_with_alarms_and_with_expected_alarms_are_counted() -> None:
    runs = [run(psi=0.3), run("drift.score"), run("drift.adverts_per_free_song", "drift.score")]
    result = monitoring.summarize(runs, {"adverts_per_free_song"})
    assert (result["runs"], result["with_alarm"], result["naming_the_right"]) == (3, 2, 1)
    assert result["sure_of_some"] == 1
    assert result["alarms"] == {"drift.score": 2, "drift.adverts_per_free_song": 1}
    assert result["psi_most"] == {"adverts_per_free_song": 0.3}
    low, high = result["share_ci95"]
    assert low < 2 / 3 < high
    same = monitoring.summarize([run()], set())
    lines = monitoring.format_table({"same": same, "moved": result}).splitlines()
    assert lines[1].split() == ["same", "1", "0", "0", "none"]
    assert lines[2].split()[:5] == ["moved", "3", "1", "2", "1"]


def test_every_log_is_compared_with_the_same_and_the_first_training(
    spark: SparkSession, model: PipelineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = spark.createDataFrame([("a", "2018-11-21")], "user_id string, cutoff string")
    logs = []

    def read_log(folder: Path, simulation: dict[str, Any]) -> Any:
        logs.append((folder.name, simulation["users"], simulation.get("adverts", 1)))
        return SimpleNamespace(features=features, name=folder.name)

    first = monitoring.Training({"unit": "first"}, model, features, {})
    compared = []

    def monitor(training: Any, now: Any, parameters: Any) -> dict[str, Any]:
        compared.append((training.reference["unit"], now.name))
        return run()

    monkeypatch.setattr(monitoring, "read_log", read_log)
    monkeypatch.setattr(monitoring, "train", lambda *_: (first, {"cutoff": "2018-11-21"}))
    monkeypatch.setattr(monitoring, "describe_log", lambda now, *_: {"unit": now.name})
    monkeypatch.setattr(monitoring, "monitor", monitor)
    places = ["--logs", str(tmp_path), "--results", str(tmp_path)]
    monitoring.main(["--users", "9", "--seeds", "2", "--shifted", "1", *places])
    assert compared[:4] == [
        ("9_same_1", "9_same_1"),
        ("9_same_2", "9_same_2"),
        ("first", "9_same_2"),
        ("first", "9_adverts_1.25_times_3"),
    ]
    assert logs[-5:] == [
        ("9_adverts_twice_3", 9, 2),
        ("9_a_third_tubas_3", 9, 1),
        ("9_two_thirds_tubas_3", 9, 1),
        ("9_a_third_zithers_3", 9, 1),
        ("9_two_thirds_zithers_3", 9, 1),
    ]
    results = json.loads((tmp_path / "monitoring.json").read_text())
    assert (results["users"], results["seeds"], results["stated_share"]) == (9, 2, 0.01)
    assert results["scenarios"]["same log, later"]["runs"] == 2
