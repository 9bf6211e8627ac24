from pathlib import Path

import pytest
import yaml

from benchmarks.chaos.project import ChaosProject, FinishedRun

PRINTED = """WARNING: Using incubator modules: jdk.incubator.vector
14:59:47   1/3  check_events            9.5 s
14:59:48  Fit 1/4: logistic_regression (regParam 0.3), fold 2, 2.3 s
14:59:50   2/3  aggregate_user_days             2.0 s
"""


def test_nodes_are_read_from_the_output() -> None:
    run = FinishedRun(-9, 20.0, PRINTED)
    assert run.nodes == [("check_events", 9.5), ("aggregate_user_days", 2.0)]
    assert run.last_node == "aggregate_user_days"
    assert FinishedRun(-9, 1.0, "").last_node == "the start"


@pytest.mark.parametrize(
    ("seconds", "place"),
    [(3.0, (0, 3.0)), (10.0, (0, 10.0)), (18.5, (1, 0.5)), (20.0, (2, 0.0))],
)
def test_a_moment_is_described_by_completed_nodes_and_seconds(
    seconds: float, place: tuple[int, float]
) -> None:
    assert FinishedRun(0, 20.0, PRINTED).place_of(seconds) == place


def test_one_message_is_an_error_without_a_traceback() -> None:
    message = "Error: the disk is full.\n"
    assert FinishedRun(1, 1.0, PRINTED + message).is_one_message
    assert not FinishedRun(0, 1.0, PRINTED + message).is_one_message
    assert not FinishedRun(
        1, 1.0, PRINTED + message + "Traceback (most recent call last):"
    ).is_one_message
    assert not FinishedRun(1, 1.0, PRINTED).is_one_message


def test_a_project_has_its_data_in_its_folder_and_can_change_settings(tmp_path: Path) -> None:
    project = ChaosProject(tmp_path / "one")
    paths = yaml.safe_load((project.conf / "chaos" / "globals.yml").read_text())
    assert all(path.startswith(str(tmp_path)) for path in paths["folder"].values())
    file = project.conf / "chaos" / "parameters.yml"
    assert yaml.safe_load(file.read_text())["feature_engineering"]["horizon_days"] == 10
    project.use("B")
    assert yaml.safe_load(file.read_text())["feature_engineering"]["horizon_days"] == 12


def test_unfinished_files_are_listed(tmp_path: Path) -> None:
    project = ChaosProject(tmp_path)
    (project.data / "03_primary" / ".user_days.writing").mkdir(parents=True)
    (project.data / "03_primary" / "user_days").mkdir()
    assert project.leftovers() == ["03_primary/.user_days.writing"]
