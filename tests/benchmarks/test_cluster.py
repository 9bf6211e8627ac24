import json
from pathlib import Path

import yaml

from benchmarks import cluster, determinism
from benchmarks.cluster import EventLog, Moment, default_pipelines
from benchmarks.project_copy import ProjectCopy


def write_events(log: Path, *events: dict[str, object]) -> None:
    log.write_text("".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events))


def stage(submitted: int, completed: int) -> dict[str, object]:
    times = {"Submission Time": submitted, "Completion Time": completed}
    return {"Event": "SparkListenerStageCompleted", "Stage Info": times}


def test_a_worker_is_killed_in_the_middle_of_the_longest_stage(tmp_path: Path) -> None:
    write_events(tmp_path / "another application", stage(0, 90_000))
    event_log = EventLog(tmp_path)
    write_events(
        tmp_path / "this application", stage(0, 1_000), stage(1_000, 5_000), stage(5_000, 6_000)
    )
    assert event_log.longest_stage() == Moment(stages=1, seconds=2.0)


def test_lost_tasks_and_executors_are_counted(tmp_path: Path) -> None:
    event_log = EventLog(tmp_path)
    task = "SparkListenerTaskEnd"
    write_events(
        tmp_path / "log",
        stage(0, 1_000),
        {"Event": task, "Task End Reason": {"Reason": "Success"}},
        {"Event": task, "Task End Reason": {"Reason": "ExecutorLostFailure"}},
        {"Event": "SparkListenerExecutorRemoved", "Executor ID": "0"},
    )
    assert event_log.summarize() == {"stages": 1, "tasks_lost": 1, "executors_lost": 1}


def test_the_pipelines_of_the_default_run_are_listed() -> None:
    assert default_pipelines()[:3] == ["data_processing", "feature_engineering", "modelling"]
    assert "simulation" not in default_pipelines()


def test_a_copy_of_the_project_has_all_its_settings_in_one_environment(tmp_path: Path) -> None:
    settings = {**cluster.SETTINGS, "spark.master": "spark://127.0.0.1:7077"}
    project = ProjectCopy(tmp_path, settings, {"modelling": {"folds": 2}})
    environment = tmp_path / "conf/cluster"
    assert yaml.safe_load((environment / "globals.yml").read_text())["data_root"] == str(
        tmp_path / "data"
    )
    spark = yaml.safe_load((environment / "spark.yml").read_text())
    assert spark["spark.master"] == "spark://127.0.0.1:7077"
    assert spark["spark.eventLog.enabled"] is True
    assert [path.name for path in environment.glob("parameters*")] == ["parameters.yml"]
    assert project.log.parent.name == "01_raw"


def test_shuffled_lines_are_the_same_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.mkdir()
    lines = [f"{number}\n" for number in range(100)]
    (log / "part-0").write_text("".join(lines[:50]))
    (log / "part-1").write_text("".join(lines[50:]))
    determinism.shuffle_log(log, tmp_path / "shuffled")
    again = [line for path in sorted((tmp_path / "shuffled").iterdir()) for line in path.open()]
    assert again != lines
    assert sorted(again) == sorted(lines)
