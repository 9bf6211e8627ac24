import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import speed

LOGGED = """23:59:59    1/7  data_processing.check_events            5.2 s
23:59:59  Log (simulated): 12 lines in 3.0 s
23:59:59    2/7  data_processing.summarize_data_quality    1234.5 s
"""


def test_subjects_run_in_turn_on_a_small_log(tmp_path: Path) -> None:
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


def test_results_of_other_sizes_stay_and_once_is_the_first_turn_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = ["features_seconds", "wall_seconds", "cpu_seconds", "peak_bytes"]
    monkeypatch.setattr(speed.Log, "require", lambda _: None)
    monkeypatch.setattr(speed, "run_peer", lambda name, log: dict.fromkeys(figures, 1.0))
    folders = ["--logs", str(tmp_path / "logs"), "--results", str(tmp_path)]
    subjects = ["--subjects", "floor", "notebook", "--once", "notebook"]
    speed.main(["--sizes", "mini", *subjects, *folders])
    speed.main(["--sizes", "1GB", "--repeats", "1", "--subjects", "floor", *folders])
    sizes = json.loads((tmp_path / "speed.json").read_text())["sizes"]
    runs = {name: len(found["runs"]) for name, found in sizes["mini"]["subjects"].items()}
    assert runs == {"floor": 3, "notebook": 1}
    assert list(sizes["1GB"]["subjects"]) == ["floor"]
    assert "--sizes mini" in sizes["mini"]["command"]


def test_features_that_differ_stop_the_benchmark(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = speed.Log("mini", tmp_path, {})
    log.path.symlink_to(finished.log)
    monkeypatch.setattr(speed, "differences", lambda ours, theirs: ["next_song_all: 1 and 2"])
    with pytest.raises(AssertionError, match="DuckDB and this project differ"):
        speed.run_peer("DuckDB", log)


def test_ourselves_are_measured_to_features_and_to_the_end(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = speed.Log("mini", tmp_path, {})
    log.layer("08_reporting").mkdir(parents=True)
    timings = (finished.folder / "data/08_reporting/mini/run_timings.csv").read_text()
    (log.layer("08_reporting") / "run_timings.csv").write_text(timings)
    whole = speed.Taken(100.0, 150.0, 1_000, "")
    monkeypatch.setattr(log, "kedro", lambda: whole)
    taken = speed.run_ours(log)
    to_features = ("data_processing.", "feature_engineering.")
    later = [row for row in taken["nodes"] if not row["node"].startswith(to_features)]
    model = sum(row["seconds"] for row in later)
    assert model > 0
    assert taken["wall_seconds"] == 100.0
    assert taken["features_seconds"] == pytest.approx(100.0 - model, abs=0.01)
    assert (taken["cpu_seconds"], taken["peak_bytes"]) == (150.0, 1_000)
    assert taken["nodes"][0]["node"] == "data_processing.check_events"


def test_a_node_that_wrote_no_table_has_no_rows(tmp_path: Path) -> None:
    log = speed.Log("mini", tmp_path, {})
    log.layer("08_reporting").mkdir(parents=True)
    (log.layer("08_reporting") / "run_timings.csv").write_text("node,rows_written\na,\nb,12\n")
    assert log.timings() == [{"node": "a", "rows_written": None}, {"node": "b", "rows_written": 12}]


def test_one_core_is_compared_with_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    def measured(command: list[str], _folder: Path) -> speed.Taken:
        ran.append(tuple(command[:3]))
        return speed.Taken(10.0 * len(ran), 0.0, 0, LOGGED)

    monkeypatch.setattr(speed, "measured", measured)
    monkeypatch.setattr(speed.Log, "require", lambda _: None)
    found = speed.on_one_core(speed.Log("mini", tmp_path, {}))
    assert {name: one["features_seconds"] for name, one in found.items()} == {
        "one_core": 10.0,
        "all_cores": 20.0,
    }
    assert found["one_core"]["nodes"] == [
        {"node": "data_processing.check_events", "seconds": 5.2},
        {"node": "data_processing.summarize_data_quality", "seconds": 1234.5},
    ]
    assert ran[0] == speed.ONE_CORE
    assert ran[1][0] == sys.executable
