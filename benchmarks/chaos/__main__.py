"""Disturb runs on a small log and compare their results with undisturbed runs: `make chaos`.

Runs are killed, disks filled, folders made read-only, and workers lost. Prints its progress and
a table, and saves every trial in benchmarks/results/chaos.json. Exits with 1 if anything was lost.
"""

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.chaos import kills
from benchmarks.chaos.machine import MachineFaults
from benchmarks.chaos.project import ChaosProject
from benchmarks.chaos.state import ABSENT, SPARK, digest_log, load_catalog, read_state
from benchmarks.chaos.trials import Trials
from benchmarks.program import RESULTS, start_spark

SHARE_FOR_KILLS = 0.6  # of the time, after which no more drivers are killed


def main() -> None:
    """Run all trials."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="kills of the default run")
    parser.add_argument("--simulation-kills", type=int, default=3)
    parser.add_argument("--incremental-kills", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=18, help="after which no trial starts")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--results", type=Path, default=RESULTS / "chaos.json")
    options = parser.parse_args()
    trials = Trials(options.minutes)
    start_spark(SPARK)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        Path(folder).chmod(0o755)  # one trial runs as another user
        _run_trials(Path(folder), trials, options)
    trials.save(options.results, kills=options.kills, seed=options.seed)
    print(f"\n{trials.table()}\n")
    sys.exit(trials.has_losses)


def _run_trials(folder: Path, trials: Trials, options: argparse.Namespace) -> None:
    finished = ChaosProject(folder / "finished")
    undisturbed = _run_undisturbed(finished, trials)
    driver_kills = [
        kills.DriverKills(finished.copy(folder / "again"), undisturbed, trials, current="A"),
        kills.DriverKills(finished.copy_log(folder / "first"), undisturbed, trials),
    ]

    def kill_drivers(chain: int) -> None:
        for number in range(chain, options.kills, len(driver_kills)):
            if trials.is_time_left("driver killed in a run", SHARE_FOR_KILLS):
                driver_kills[chain].kill(number, options.seed)

    def kill_simulation(number: int) -> None:
        if trials.is_time_left("driver killed in a simulation"):
            project = ChaosProject(folder / f"simulation-{number}")
            kills.kill_simulation(project, undisturbed, trials, number, options.seed)

    def kill_incremental_run(number: int) -> None:
        if trials.is_time_left("driver killed with a new day", SHARE_FOR_KILLS):
            project = finished.copy_log(folder / f"incremental-{number}")
            kills.kill_incremental_run(project, undisturbed, trials, number, options.seed)

    # Two at a time: a small run mostly waits for the start of the JVM.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(kill_incremental_run, range(options.incremental_kills)))
        list(pool.map(kill_drivers, range(len(driver_kills))))
        list(pool.map(kill_simulation, range(options.simulation_kills)))
        if trials.is_time_left("Spark's processes killed"):
            _kill_processes(folder, finished, undisturbed, trials)
        faults = MachineFaults(finished, folder, undisturbed, trials).list_all()
        list(pool.map(lambda fault: trials.is_time_left(fault[0]) and fault[1](), faults))


def _run_undisturbed(project: ChaosProject, trials: Trials) -> kills.Undisturbed:
    simulated = project.run("simulation").require_success()
    trials.print_progress(f"A log is simulated, in {simulated.seconds:.0f} s.")
    project.run().require_success()
    customers = load_catalog(project).load("test").toPandas()
    first = read_state(project, customers)
    project.use("B")
    project.run().require_success()
    other = read_state(project, customers)
    project.use("A")
    again = project.run().require_success()
    second = read_state(project, customers)
    with trials.trial("nothing", "two runs of the same settings, another between") as trial:
        trial.expect_equal(second, first)
        datasets = sum(digest != ABSENT for digest in second.values())
        changed = sum(first[name] != other[name] for name in first)
        trial.happened = f"all {datasets} datasets are equal; other settings change {changed}"
    states = {"A": first, "B": other}
    return kills.Undisturbed(states, customers, again, simulated, digest_log(project))


def _kill_processes(
    folder: Path, finished: ChaosProject, undisturbed: kills.Undisturbed, trials: Trials
) -> None:
    project = finished.copy_log(folder / "workers", boosted=True)
    project.run().require_success()
    expected = undisturbed.read_state_of(project)
    kills.kill_workers_in_training(project, expected, undisturbed, trials)
    kills.kill_java(project, expected, undisturbed, trials)
    kills.kill_workers_in_simulation(ChaosProject(folder / "simulation"), undisturbed, trials)


if __name__ == "__main__":
    main()
