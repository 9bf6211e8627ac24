import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import SparkSession

from benchmarks import monitoring, monitoring_logs
from sparkify.pipelines.modelling.parameters import InputParameters, ReferenceParameters
from sparkify.pipelines.monitoring.parameters import MonitoringParameters
from sparkify.pipelines.simulation.parameters import SimulationParameters

PROMISED = {
    "holdout": {name: {"value": 0.7, "ci95": [0, 1]} for name in ("auc", "average_precision")},
    "train": {"churned": 20},
}


@pytest.fixture(scope="module")
def model(spark: SparkSession) -> PipelineModel:
    """Return a model that forecasts the same of everybody."""
    statement = "SELECT *, 0.05D AS probability FROM __THIS__"
    return PipelineModel([SQLTransformer(statement=statement)])


@pytest.fixture(scope="module")
def typed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters as nodes get them."""
    own = {
        "inputs": InputParameters,
        "reference": ReferenceParameters,
        "monitoring": MonitoringParameters,
    }
    return {
        **parameters,
        **{name: kind.model_validate(parameters[name]) for name, kind in own.items()},
    }


@pytest.fixture(scope="module")
def made(
    finished: Any, spark: SparkSession, typed: dict[str, Any], tmp_path_factory: Any
) -> monitoring_logs.Log:
    """Return the finished project's log, as the benchmark has one of its simulation."""
    raw = finished.folder / "data/01_raw/mini"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("simulated_users", "simulated_sessions"):
            table = spark.read.parquet(str(raw / name))
            patch.setattr(monitoring_logs.simulation, name, lambda *_, table=table: table)
        settings = {**typed["simulation"].model_dump(), **finished.params["simulation"]}
        own = SimulationParameters.model_validate(settings)
        folder = tmp_path_factory.mktemp("monitoring") / "log"
        monitoring_logs.log(folder, own, typed)
        patch.setattr(monitoring_logs.simulation, "simulated_users", None)
        return monitoring_logs.log(folder, own, typed)  # the second time it stands


def test_a_log_is_what_the_project_makes_of_it(made: monitoring_logs.Log, finished: Any) -> None:
    catalog = finished.catalog()
    for table, name in ((made.user_days, "user_days"), (made.newest, "current_features")):
        theirs = catalog.load(name)
        assert table.count() == theirs.count() > 0
        assert table.select(*theirs.columns).exceptAll(theirs).isEmpty(), name
    quality = catalog.load("data_quality")
    assert made.data_quality["lines"] == quality["lines"]
    assert made.data_quality["rejections"]["no user"]["lines"] == quality["rejected"]


def test_a_log_is_monitored_as_by_the_pipeline(
    made: monitoring_logs.Log, model: PipelineModel, typed: dict[str, Any], finished: Any
) -> None:
    question = finished.catalog().load("question")
    described = monitoring.described(made, question, typed)
    assert described["cutoff"] == "2018-11-07"
    scores = model.transform(made.newest).select("user_id", "probability")
    training = monitoring.Training(described, model, scores, PROMISED)
    found = monitoring.watched(training, made, typed)
    assert found["customers"] == made.newest.count()
    assert found["psi"]["score"] == 0
    assert found["psi"]["observed_days"] > 1
    assert found["churned"] == made.features.where("churned and cutoff = '2018-11-21'").count()
    assert found["expected"] == pytest.approx(
        0.05 * made.features.where("cutoff = '2018-11-21'").count(), abs=0.01
    )
    assert not [name for name in found["alarms"] if name.startswith(("drift", "unseen", "reject"))]


def run(*alarms: str, psi: float = 0.01) -> dict[str, Any]:
    return {
        "alarms": list(alarms),
        "sure_of": ["adverts_per_free_song"] if psi > 0.1 else [],
        "psi": {"adverts_per_free_song": psi},
    }


def test_alarms_are_counted_by_run_and_the_right_ones_by_name() -> None:
    runs = [run(psi=0.3), run("drift.score"), run("drift.adverts_per_free_song", "drift.score")]
    found = monitoring.of_scenario(runs, {"adverts_per_free_song"})
    assert (found["runs"], found["with_alarm"], found["naming_the_right"]) == (3, 2, 1)
    assert found["sure_of_some"] == 1
    assert found["alarms"] == {"drift.score": 2, "drift.adverts_per_free_song": 1}
    assert found["psi_most"] == {"adverts_per_free_song": 0.3}
    low, high = found["share_ci95"]
    assert low < 2 / 3 < high
    same = monitoring.of_scenario([run()], set())
    lines = monitoring.table({"same": same, "moved": found}).splitlines()
    assert lines[1].split() == ["same", "1", "0", "0", "none"]
    assert lines[2].split()[:5] == ["moved", "3", "1", "2", "1"]


def test_every_log_is_compared_with_its_own_training_and_with_the_first(
    spark: SparkSession, model: PipelineModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = spark.createDataFrame([("a", "2018-11-21")], "user_id string, cutoff string")
    asked = []

    def log(folder: Path, own: SimulationParameters, parameters: Any) -> Any:
        asked.append((folder.name, own.users, own.adverts))
        return SimpleNamespace(features=features, name=folder.name)

    first = monitoring.Training({"of": "first"}, model, features, {})
    seen = []

    def watched(training: Any, now: Any, parameters: Any) -> dict[str, Any]:
        seen.append((training.reference["of"], now.name))
        return run()

    monkeypatch.setattr(monitoring, "log", log)
    monkeypatch.setattr(monitoring, "trained", lambda *_: (first, {"cutoff": "2018-11-21"}))
    monkeypatch.setattr(monitoring, "described", lambda now, *_: {"of": now.name})
    monkeypatch.setattr(monitoring, "watched", watched)
    places = ["--logs", str(tmp_path), "--results", str(tmp_path)]
    monitoring.main(["--users", "9", "--seeds", "2", "--shifted", "1", *places])
    assert seen[:4] == [
        ("9_same_1", "9_same_1"),
        ("9_same_2", "9_same_2"),
        ("first", "9_same_2"),
        ("first", "9_adverts_1.25_times_3"),
    ]
    assert asked[-5:] == [
        ("9_adverts_twice_3", 9, 2),
        ("9_a_third_tubas_3", 9, 1),
        ("9_two_thirds_tubas_3", 9, 1),
        ("9_a_third_zithers_3", 9, 1),
        ("9_two_thirds_zithers_3", 9, 1),
    ]
    results = json.loads((tmp_path / "monitoring.json").read_text())
    assert (results["users"], results["seeds"], results["stated_share"]) == (9, 2, 0.01)
    assert results["scenarios"]["same log, later"]["runs"] == 2
