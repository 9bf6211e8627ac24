import json
from pathlib import Path

import yaml

from benchmarks import cluster, determinism
from benchmarks.cluster import Application, Moment, default_pipelines
from benchmarks.elsewhere import Elsewhere


def written(log: Path, *events: dict[str, object]) -> None:
    log.write_text("".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events))


def stage(submitted: int, completed: int) -> dict[str, object]:
    times = {"Submission Time": submitted, "Completion Time": completed}
    return {"Event": "SparkListenerStageCompleted", "Stage Info": times}


def test_a_worker_is_killed_in_the_middle_of_the_longest_stage(tmp_path: Path) -> None:
    written(tmp_path / "another application", stage(0, 90_000))
    application = Application(tmp_path)
    written(
        tmp_path / "this application", stage(0, 1_000), stage(1_000, 5_000), stage(5_000, 6_000)
    )
    assert application.longest_stage() == Moment(stages=1, seconds=2.0)


def test_what_an_application_lost_is_told(tmp_path: Path) -> None:
    application = Application(tmp_path)
    task = "SparkListenerTaskEnd"
    written(
        tmp_path / "log",
        stage(0, 1_000),
        {"Event": task, "Task End Reason": {"Reason": "Success"}},
        {"Event": task, "Task End Reason": {"Reason": "ExecutorLostFailure"}},
        {"Event": "SparkListenerExecutorRemoved", "Executor ID": "0"},
    )
    assert application.told() == {"stages": 1, "tasks_lost": 1, "executors_lost": 1}


def test_the_pipelines_of_the_default_run_are_known_by_its_nodes() -> None:
    assert default_pipelines()[:3] == ["data_processing", "feature_engineering", "modelling"]
    assert "simulation" not in default_pipelines()


def test_elsewhere_only_the_environment_says_where(tmp_path: Path) -> None:
    settings = {**cluster.SETTINGS, "spark.master": "spark://127.0.0.1:7077"}
    there = Elsewhere(tmp_path, settings, {"modelling": {"folds": 2}})
    own = tmp_path / "conf/cluster"
    assert yaml.safe_load((own / "globals.yml").read_text())["data_root"] == str(tmp_path / "data")
    spark = yaml.safe_load((own / "spark.yml").read_text())
    assert spark["spark.master"] == "spark://127.0.0.1:7077"
    assert spark["spark.eventLog.enabled"] is True
    assert [path.name for path in own.glob("parameters*")] == ["parameters.yml"]
    assert there.log.parent.name == "01_raw"


def test_shuffled_lines_are_the_same_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.mkdir()
    lines = [f"{number}\n" for number in range(100)]
    (log / "part-0").write_text("".join(lines[:50]))
    (log / "part-1").write_text("".join(lines[50:]))
    determinism.shuffled_log(log, tmp_path / "shuffled")
    again = [line for path in sorted((tmp_path / "shuffled").iterdir()) for line in path.open()]
    assert again != lines
    assert sorted(again) == sorted(lines)
