from pathlib import Path
from typing import Any

import pytest

from benchmarks import growth
from sparkify.pipelines.simulation.parameters import SimulationParameters


def create_run(users: int, **nodes: float) -> dict[str, Any]:
    megabytes = {"python_peak_bytes": 400_000_000, "jvm_live_bytes_peak": 90_000_000}
    return {"users": users, "events": 17 * users, "seconds": 80.0, "nodes": nodes, **megabytes}


def test_the_live_heap_is_that_after_full_collections(tmp_path: Path) -> None:
    log = tmp_path / "gc.log"
    log.write_text(
        "[1.2s] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 24M->6M(64M) 4.1ms\n"
        "[5.0s] GC(1) Pause Full (System.gc()) 80M->58M(192M) 61.3ms\n"
        "[9.9s] GC(2) Pause Full (System.gc()) 90M->61M(192M) 70.9ms\n"
    )
    assert growth.read_live_heap(log) == [58, 61]


def test_nodes_that_grow_faster_than_the_log_are_listed() -> None:
    runs = [
        create_run(100_000, even=20, squared=4, short=0.1, fixed=30),
        create_run(10_000, even=2, squared=1, short=0.1, fixed=29),
        create_run(1_000_000, even=200, squared=400, short=9, fixed=31),
    ]
    assert growth.list_fast_growing(runs) == {"squared": 2.0}


def test_the_table_has_every_size_and_the_longest_nodes() -> None:
    runs = [create_run(1_000, scan=2.0, fit=5.0), create_run(10_000, scan=20.0, fit=6.0)]
    first, second, third, _, _, longest, _ = growth.format_table(runs).splitlines()
    assert first.split() == ["users", "events", "seconds", "Python", "MB", "JVM", "MB"]
    assert second.split() == ["1,000", "17,000", "80", "400", "90"]
    assert third.split()[0] == "10,000"
    assert longest.split() == ["scan", "2.0", "20.0"]


def test_bounds_and_simulation_are_parameters_of_the_project(parameters: dict[str, Any]) -> None:
    bounds = growth.describe_bounds(5_000)
    for section, values in bounds.items():
        known = parameters[section]
        known = known if isinstance(known, dict) else known.model_dump()
        assert set(values) <= set(known), section
    simulation = parameters["simulation"]
    assert isinstance(simulation, SimulationParameters)
    changed = SimulationParameters.model_validate(
        {**simulation.model_dump(), **bounds["simulation"]}
    )
    assert changed.song_seconds_mean < bounds["data_processing"]["max_song_seconds"]


@pytest.mark.parametrize("option", ["--users", "--max-rows"])
def test_sizes_are_arguments(tmp_path: Path, option: str) -> None:
    options = growth.parse_arguments([option, "2000", "--folder", str(tmp_path / "growth")])
    assert (options.users, options.max_rows) in (([2_000], 15_000), (growth.SIZES, 2_000))
