from pathlib import Path

import pytest

from benchmarks import refresh


@pytest.fixture
def log(tmp_path: Path) -> refresh.DailyLog:
    """Return a log of three days that is there already."""
    daily = refresh.DailyLog("mini", tmp_path, 3, {})
    daily.path.mkdir()
    for day in range(3):
        (daily.path / f"part-{day:05}.json").write_text(f"{day}\n" * 5)
    return daily


def list_days(log: refresh.DailyLog) -> list[str]:
    return [part.name for part in sorted(log.path.glob("part-*"))]


def test_a_log_has_a_file_per_day(tmp_path: Path) -> None:
    options = refresh.DailyLog("mini", tmp_path, 78, {"users": 9}).simulation_options()
    assert options == [
        "--params",
        "simulation.users=9,simulation.files=78,simulation.days=61,simulation.further_days=17",
    ]


def test_days_are_held_back_and_come_back_in_order(log: refresh.DailyLog) -> None:
    log.hold_back(2)
    assert list_days(log) == ["part-00000.json"]
    assert log.release() == 10
    assert list_days(log) == ["part-00000.json", "part-00001.json"]
    log.require()  # of an interrupted benchmark
    assert len(list_days(log)) == 3


def test_results_are_restored(log: refresh.DailyLog) -> None:
    table = log.folder / "data/03_primary/mini/user_days/part.parquet"
    raw = log.folder / "data/01_raw/mini/simulation_record.json"
    for file in (table, raw):
        file.parent.mkdir(parents=True)
        file.write_text("first")
    restore = log.save_results()
    table.write_text("second")
    restore()
    assert table.read_text() == "first"
    log.remove_results()
    assert not table.exists()
    assert raw.exists()


def test_a_log_is_joined_and_split_by_lines(log: refresh.DailyLog, tmp_path: Path) -> None:
    parts = sorted(log.path.glob("part-*"))
    refresh._join(parts[:2], tmp_path / "joined.json")
    assert (tmp_path / "joined.json").read_text() == "0\n" * 5 + "1\n" * 5
    refresh._split(parts[2], tmp_path, 2)
    pieces = [path.read_text() for path in sorted(tmp_path.glob("part-*"))]
    assert pieces == ["2\n" * 3, "2\n" * 2]


def test_the_seconds_of_nodes_are_read_from_the_output(tmp_path: Path) -> None:
    output = tmp_path / "output.txt"
    output.write_text(
        "17:00:00  61 of 61 files of the log are read\n"
        "17:00:01   2/13  data_processing.check_events    46.1 s\n"
        "[Stage 4:>      (0 + 2) / 61]\r17:00:02   3/13  data_processing.count_records   7.5 s\n"
    )
    assert refresh._read_nodes(output) == {
        "data_processing.check_events": 46.1,
        "data_processing.count_records": 7.5,
    }
