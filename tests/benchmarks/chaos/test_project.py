from pathlib import Path

import pytest
import yaml

from benchmarks.chaos.project import ChaosProject, Ended

PRINTED = """WARNING: Using incubator modules: jdk.incubator.vector
14:59:47   1/3  check_events            9.5 s
14:59:48  Fit 1/4: logistic_regression (regParam 0.3), fold 2, 2.3 s
14:59:50   2/3  aggregate_user_days             2.0 s
"""


def test_a_run_s_nodes_are_read_from_what_it_prints() -> None:
    ended = Ended(-9, 20.0, PRINTED)
    assert ended.nodes == [("check_events", 9.5), ("aggregate_user_days", 2.0)]
    assert ended.last_node == "aggregate_user_days"
    assert Ended(-9, 1.0, "").last_node == "the start"


@pytest.mark.parametrize(
    ("seconds", "place"),
    [(3.0, (0, 3.0)), (10.0, (0, 10.0)), (18.5, (1, 0.5)), (20.0, (2, 0.0))],
)
def test_a_moment_is_told_by_the_nodes_done_before_it(
    seconds: float, place: tuple[int, float]
) -> None:
    assert Ended(0, 20.0, PRINTED).place_of(seconds) == place


def test_a_sentence_is_one_and_comes_without_a_trace() -> None:
    told = "Error: the disk is full.\n"
    assert Ended(1, 1.0, PRINTED + told).is_a_sentence
    assert not Ended(0, 1.0, PRINTED + told).is_a_sentence
    assert not Ended(1, 1.0, PRINTED + told + "Traceback (most recent call last):").is_a_sentence
    assert not Ended(1, 1.0, PRINTED).is_a_sentence


def test_a_project_has_its_data_in_its_own_folder_and_takes_other_settings(tmp_path: Path) -> None:
    project = ChaosProject(tmp_path / "one")
    paths = yaml.safe_load((project.conf / "chaos" / "globals.yml").read_text())
    assert all(paths[name].startswith(str(tmp_path)) for name in ("raw_log", "data_root"))
    written = project.conf / "chaos" / "parameters.yml"
    assert yaml.safe_load(written.read_text())["feature_engineering"]["horizon_days"] == 10
    project.set("B")
    assert yaml.safe_load(written.read_text())["feature_engineering"]["horizon_days"] == 12


def test_what_is_left_aside_is_found(tmp_path: Path) -> None:
    project = ChaosProject(tmp_path)
    (project.data / "03_primary" / ".user_days.writing").mkdir(parents=True)
    (project.data / "03_primary" / "user_days").mkdir()
    assert project.left_aside() == ["03_primary/.user_days.writing"]
