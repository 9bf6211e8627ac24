"""A run after changes of the log makes the same tables as a run from scratch."""

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.incremental_log import (
    DAYS,
    FEATURE_ENGINEERING,
    FolderLog,
    IncrementalLog,
    make_day,
    make_record,
    make_session_across_midnight,
    read_results,
    write_days,
)

# `make incremental` draws 200 sequences, and ten for `kedro run`.
SEQUENCES = int(os.environ.get("SPARKIFY_SEQUENCES", "2"))
RUN_SEQUENCES = int(os.environ.get("SPARKIFY_RUN_SEQUENCES", "1"))


def list_days(log: FolderLog) -> list[str]:
    return [name for name in log.list_names() if name.startswith("day-")]


def remove(log: FolderLog, chance: random.Random, _: int) -> None:
    ends = ("day-0.json", f"day-{DAYS - 1}.json")
    names = [name for name in list_days(log) if name not in ends]
    if names:
        (log.log / chance.choice(names)).unlink()


def change(log: FolderLog, chance: random.Random, _: int) -> None:
    name = chance.choice(list_days(log))
    records = log.read(name)
    kept = [record for record in records if chance.random() < 0.7]
    day = chance.randrange(DAYS)
    log.write(name, [*kept, *make_day(chance, day)])


def add_late(log: FolderLog, chance: random.Random, number: int) -> None:
    """Add a file with events of earlier days, in sessions that have begun or begin later.

    One session is across midnight.
    """
    days = [chance.randrange(DAYS) for _ in range(3)]
    records = [
        make_record(chance, day, 10 * user + chance.choice([day, min(day + 1, DAYS)]), user)
        for user, day in enumerate(days, start=1)
    ]
    across = make_session_across_midnight(chance, chance.randrange(DAYS - 1), 90 + number)
    log.write(f"late-{number}.json", records + across)


def add_copies(log: FolderLog, chance: random.Random, number: int) -> None:
    """Add a file with records that other files have."""
    records = [record for name in log.list_names() for record in log.read(name)]
    log.write(f"again-{number}.json", chance.sample(records, min(4, len(records))))


def add_day(log: FolderLog, chance: random.Random, number: int) -> None:
    log.write(f"day-{DAYS}-{number}.json", make_day(chance, DAYS))


CHANGES = {"remove": remove, "change": change, "late": add_late}
MORE_CHANGES = {**CHANGES, "copies": add_copies, "day": add_day}


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_changes_of_the_log_give_the_tables_of_a_run_from_scratch(
    interpreted: None, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 -- no secret
    names = chance.sample(sorted(CHANGES), len(CHANGES))
    names += chance.choices(sorted(MORE_CHANGES), k=chance.randrange(3))
    changes_of_first_run = chance.randint(1, len(CHANGES))
    batch_bytes = chance.choice([1, 2_000, 4_000])
    log = IncrementalLog(tmp_path, batch_megabytes=batch_bytes / 1_000_000)
    write_days(log, chance)
    log.run()
    for number, name in enumerate(names, start=1):
        MORE_CHANGES[name](log, chance, number)
        if number == changes_of_first_run:
            log.run()
    assert log.run() == log.run_from_scratch()


@pytest.mark.parametrize("seed", range(RUN_SEQUENCES))
def test_kedro_run_after_changes_makes_the_tables_of_a_run_from_scratch(
    project: Any, interpreted: None, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 -- no secret
    log = FolderLog(project.log)
    write_days(log, chance)
    sections = {
        "data_processing": {"max_rejected_share": 1.0, "batch_megabytes": 0.002},
        "feature_engineering": {
            name: value
            for name, value in FEATURE_ENGINEERING.items()
            if name not in ("pages", "by_level")
        },
    }
    project.run("data_processing", "feature_engineering", params=sections)
    for number, name in enumerate(chance.sample(sorted(CHANGES), 3)):
        MORE_CHANGES[name](log, chance, number)
        if number == seed % 2:  # one of the pipelines alone, and a run that stops in between
            project.run(
                "data_processing", params=sections, to_nodes=["data_processing.check_events"]
            )
            project.run("data_processing", params=sections)
    project.run("data_processing", "feature_engineering", params=sections)
    results = read_results(project.catalog())
    shutil.rmtree(project.folder / "data/02_intermediate")
    project.run("data_processing", "feature_engineering", params=sections)
    assert read_results(project.catalog()) == results
