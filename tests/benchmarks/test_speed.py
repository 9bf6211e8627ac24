import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import speed
from benchmarks.program import RESULTS
from tests.figure_checks import require_readable


def test_subjects_run_in_turn(tmp_path: Path) -> None:
    arguments = ["--sizes", "mini", "--users", "15", "--repeats", "2", "--subjects", "floor"]
    folders = ["--logs", str(tmp_path / "logs"), "--results", str(tmp_path / "results")]
    speed.main([*arguments, *folders])
    results = json.loads((tmp_path / "results/speed.json").read_text())
    mini = results["sizes"]["mini"]
    assert mini["log_bytes"] > 1_000_000
    assert len(mini["subjects"]["floor"]["runs"]) == 2
    assert mini["subjects"]["floor"]["median"]["wall_seconds"] > 0
    assert (tmp_path / "results/speed.png").stat().st_size > 5_000
    assert (
        tmp_path / "logs/mini/data/01_raw/mini/simulation_record.json"
    ).exists()  # as users have it


def test_results_of_other_sizes_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = ["features_seconds", "wall_seconds", "cpu_seconds", "peak_bytes"]
    monkeypatch.setattr(speed.Log, "require", lambda _: None)
    monkeypatch.setattr(speed, "run_peer", lambda name, log: dict.fromkeys(figures, 1.0))
    folders = ["--logs", str(tmp_path / "logs"), "--results", str(tmp_path)]
    subjects = ["--subjects", "floor", "notebook"]
    speed.main(["--sizes", "mini", *subjects, *folders])
    speed.main(["--sizes", "1GB", "--repeats", "1", "--subjects", "floor", *folders])
    sizes = json.loads((tmp_path / "speed.json").read_text())["sizes"]
    runs = {name: len(one["runs"]) for name, one in sizes["mini"]["subjects"].items()}
    assert runs == {"floor": 3, "notebook": 3}
    assert list(sizes["1GB"]["subjects"]) == ["floor"]
    assert "--sizes mini" in sizes["mini"]["command"]


def test_different_features_stop_the_benchmark(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = speed.Log("mini", tmp_path, {})
    log.path.symlink_to(finished.log)
    monkeypatch.setattr(speed, "list_differences", lambda ours, theirs: ["next_song_all: 1 and 2"])
    with pytest.raises(AssertionError, match="DuckDB and this project differ"):
        speed.run_peer("DuckDB", log)


def test_the_project_is_measured_to_features_and_in_total(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = speed.Log("mini", tmp_path, {})
    log.layer("08_reporting").mkdir(parents=True)
    timings = (finished.folder / "data/08_reporting/mini/run_timings.csv").read_text()
    (log.layer("08_reporting") / "run_timings.csv").write_text(timings)
    whole = speed.Measurement(100.0, 150.0, 1_000, "")
    monkeypatch.setattr(log, "kedro", lambda: whole)
    row = speed.run_ours(log)
    to_features = ("data_processing.", "feature_engineering.")
    later = [row for row in row["nodes"] if not row["node"].startswith(to_features)]
    model = sum(row["seconds"] for row in later)
    assert model > 0
    assert row["wall_seconds"] == 100.0
    assert row["features_seconds"] == pytest.approx(100.0 - model, abs=0.01)
    assert (row["cpu_seconds"], row["peak_bytes"]) == (150.0, 1_000)
    assert row["nodes"][0]["node"] == "data_processing.plan_reading"


def test_a_node_without_a_table_has_no_rows(tmp_path: Path) -> None:
    log = speed.Log("mini", tmp_path, {})
    log.layer("08_reporting").mkdir(parents=True)
    (log.layer("08_reporting") / "run_timings.csv").write_text("node,rows_written\na,\nb,12\n")
    assert log.timings() == [{"node": "a", "rows_written": None}, {"node": "b", "rows_written": 12}]


def test_the_figure_of_the_saved_results_can_be_read() -> None:
    results = json.loads((RESULTS / "speed.json").read_text())
    require_readable(speed.draw(results))
    medium = {**results["sizes"]["mini"], "log_bytes": 1_000_000_000}
    results["sizes"] |= {"1GB": medium, "3GB": medium}
    require_readable(speed.draw(results))
