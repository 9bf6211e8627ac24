"""Try on a small log what a careful engineer would: `make chaos`.

Runs are killed, disks filled, folders closed and workers lost; after each the data are loaded
and compared with what undisturbed runs leave. Prints its progress and a closing table, and
saves every trial in benchmarks/results/chaos.json. Ends with 1 if anything was lost.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.chaos.account import Account
from benchmarks.chaos.kills import DriverKills, SimulationKills, Undisturbed
from benchmarks.chaos.machine import MachineFaults
from benchmarks.chaos.project import ROOT, ChaosProject, Ended
from benchmarks.chaos.state import ABSENT, log_lines, project_catalog, start_spark, state
from benchmarks.chaos.workers import WorkerKills

SHARE_FOR_KILLS = 0.6  # of the time, after which no more drivers are killed
RESULTS = ROOT / "benchmarks" / "results" / "chaos.json"


def main() -> None:
    """Try everything."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="kills of the default run")
    parser.add_argument("--simulation-kills", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=18, help="after which no trial starts")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    account = Account(options.minutes)
    start_spark()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        Path(folder).chmod(0o755)  # one of the users who run may do nothing
        _try_all(Path(folder), account, options)
    account.save(options.results, kills=options.kills, seed=options.seed)
    print(f"\n{account.table()}\n")
    sys.exit(account.is_lost)


def _try_all(folder: Path, account: Account, options: argparse.Namespace) -> None:
    finished = ChaosProject(folder / "finished")
    undisturbed = _undisturbed(finished, account)
    faults = MachineFaults(finished, folder, undisturbed, account)
    simulations = SimulationKills(folder, undisturbed, account)
    kills = [
        DriverKills(finished.copied(folder / "again"), undisturbed, account, stands="A"),
        DriverKills(_with_log_alone(finished, folder / "first"), undisturbed, account),
    ]

    def kill(chain: int) -> None:
        for number in range(chain, options.kills, len(kills)):
            if account.is_time_left("driver killed in a run", SHARE_FOR_KILLS):
                kills[chain].kill(number, options.seed)

    def kill_simulation(number: int) -> None:
        if account.is_time_left("driver killed in a simulation"):
            simulations.kill(number, options.seed)

    def try_fault(fault: tuple[str, Callable[[], None]]) -> None:
        tried, trial = fault
        if account.is_time_left(tried):
            trial()

    # Two at a time: a small run waits for the JVM's start more than it works.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(kill, range(len(kills))))
        list(pool.map(kill_simulation, range(options.simulation_kills)))
        if account.is_time_left("Spark's processes killed"):
            _kill_processes(folder, undisturbed.log, finished, account)
        list(pool.map(try_fault, faults.all()))


def _undisturbed(project: ChaosProject, account: Account) -> Undisturbed:
    simulated = _ended_well(project.run("simulation"))
    account.tell(f"A log is simulated, in {simulated.seconds:.0f} s.")
    _ended_well(project.run())
    customers = project_catalog(project).load("test").toPandas()
    first = state(project, customers)
    project.set("B")
    _ended_well(project.run())
    other = state(project, customers)
    project.set("A")
    again = _ended_well(project.run())
    second = state(project, customers)
    with account.trial("nothing", "two runs of the same settings, another between") as trial:
        trial.expect_equal(second, first)
        made = sum(digest != ABSENT for digest in second.values())
        told = sum(first[name] != other[name] for name in first)
        trial.happened = f"all {made} datasets are equal; other settings change {told} of them"
    states = {"A": first, "B": other}
    log = log_lines(project)
    return Undisturbed(states, customers, again, simulated, log)


def _kill_processes(folder: Path, log: str, finished: ChaosProject, account: Account) -> None:
    project = _with_log_alone(finished, folder / "workers", boosted=True)
    _ended_well(project.run())
    customers = project_catalog(project).load("test").toPandas()
    undisturbed = state(project, customers)
    kills = WorkerKills(project, log, account)
    kills.in_training(undisturbed, customers)
    kills.java(undisturbed, customers)
    kills.in_simulation(folder / "workers-simulation")


def _with_log_alone(finished: ChaosProject, folder: Path, boosted: bool = False) -> ChaosProject:
    raw = ChaosProject(folder, boosted=boosted)
    raw.take_log(finished)
    return raw


def _ended_well(ended: Ended) -> Ended:
    if ended.code:
        raise RuntimeError(f"An undisturbed run failed:\n{ended.output[-3000:]}")
    return ended


if __name__ == "__main__":
    main()
