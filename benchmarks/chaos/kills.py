"""Kill processes of a run, read the data, and run again."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil

from benchmarks.chaos.project import ChaosProject, FinishedRun, Run
from benchmarks.chaos.state import ABSENT, State, digest_log, read_state
from benchmarks.chaos.trials import Trials

MAX_WORKER_KILLS = 3  # a task may fail three times
SLOW_WRITES = [  # datasets whose writing takes long enough to be interrupted
    *("02_intermediate/mini/checked_events", "02_intermediate/mini/page_counts"),
    "03_primary/mini/user_days",
    *("04_feature/mini/snapshots", "04_feature/mini/features"),
    *("05_model_input/mini/train", "06_models/mini/churn_model"),
    "07_model_output/mini/test_predictions",
]


@dataclass(frozen=True)
class Undisturbed:
    """The results of undisturbed runs, by settings, and how long they took.

    `customers` are rows of `test`, whose predictions identify a model.
    """

    states: dict[str, State]
    customers: pd.DataFrame
    run: FinishedRun
    simulation: FinishedRun
    log: str

    def read_state_of(self, project: ChaosProject) -> State:
        """Return the state of a project's data, models included."""
        return read_state(project, self.customers)

    @property
    def before_the_first_run(self) -> State:
        """The state with a simulated log alone."""
        simulated = {"simulated_users", "simulated_sessions", "simulation_record"}
        return {n: d if n in simulated else ABSENT for n, d in self.states["A"].items()}


class DriverKills:
    """Kills of the default run, one after the other in one project.

    Args:
        project: the project to run.
        undisturbed: the results of undisturbed runs.
        trials: where results go.
        current: the settings of the last complete run; "" before the first.
    """

    def __init__(
        self, project: ChaosProject, undisturbed: Undisturbed, trials: Trials, current: str = ""
    ) -> None:
        self._project, self._undisturbed, self._trials = project, undisturbed, trials
        self._current = current

    def kill(self, number: int, seed: int) -> None:
        """Kill a run with other settings than the last run, then complete a run with them."""
        chance = random.Random(seed * 1000 + number)  # noqa: S311 -- no secret
        new = "B" if self._current == "A" else "A"
        self._project.use(new)
        whole_group, by_clock = number % 2 == 0, number % 4 < 2
        who = "driver and JVM" if whole_group else "driver alone"
        run = self._project.start()
        if by_clock:
            share = chance.random()
            how = f"{who}, at {share:.0%} of the way"
            is_time = _has_reached(share, self._undisturbed.run, run)
        else:
            dataset = self._project.data / chance.choice(SLOW_WRITES)
            how = f"{who}, while {dataset.name} is written"
            is_time = _is_writing(dataset, chance)
        with self._trials.trial("driver killed in a run", f"no. {number + 1}, {how}") as trial:
            if run.wait_until(is_time):
                run.kill(whole_group)
            killed = run.wait()
            states, expected = self._undisturbed.states, self._undisturbed.states[new]
            old = states.get(self._current, self._undisturbed.before_the_first_run)
            state = self._undisturbed.read_state_of(self._project)
            old_count, new_count = trial.count_old_and_new(state, old, expected)
            trial.expect(killed.code in (-9, 0), f"it ended with {killed.code}")
            trial.expect_success(self._project.run(), "the next run")
            trial.expect_equal(self._undisturbed.read_state_of(self._project), expected)
            trial.expect_no_leftovers(self._project)
            trial.happened = (
                f"after {killed.last_node}, {old_count} datasets old, {new_count} new, none half; "
                f"{_format_end(killed)}, the next run equals an undisturbed one"
            )
        self._current = new


READ_LOG = ("data_processing", "feature_engineering")
INCREMENTAL_WRITES = [  # datasets that a run changes for a new day
    *("02_intermediate/mini/checked_events", "02_intermediate/mini/page_counts"),
    "03_primary/mini/user_days",
]


def kill_incremental_run(
    project: ChaosProject, undisturbed: Undisturbed, trials: Trials, number: int, seed: int
) -> None:
    """Kill a run that reads the new last days of a log; the next run completes it."""
    chance = random.Random(seed * 1000 + 700 + number)  # noqa: S311 -- no secret
    rest = project.split_log(share=0.1)
    first = project.run(*READ_LOG).require_success()
    old, expected = read_state(project), undisturbed.states["A"]
    rest.rename(project.log / "part-99999-rest.json")
    run = project.start(*READ_LOG)
    if number % 2:
        dataset = project.data / INCREMENTAL_WRITES[number // 2 % len(INCREMENTAL_WRITES)]
        how, is_time = f"while {dataset.name} is written", _is_writing(dataset, chance)
    else:
        share = chance.uniform(0.3, 1)
        how, is_time = f"at {share:.0%} of the way", _has_reached(share, first, run)
    with trials.trial("driver killed with a new day", f"no. {number + 1}, {how}") as trial:
        if run.wait_until(is_time):
            run.kill(whole_group=True)
        killed = run.wait()
        made = {name for name in old if old[name] != ABSENT}
        states = [
            {name: digest for name, digest in state.items() if name in made}
            for state in (read_state(project), old, expected)
        ]
        old_count, new_count = trial.count_old_and_new(*states)
        trial.expect_success(project.run(*READ_LOG), "the next run")
        after = read_state(project)
        trial.expect_equal({name: after[name] for name in made}, states[2])
        trial.expect_no_leftovers(project)
        trial.happened = (
            f"after {killed.last_node}, {old_count} datasets old, {new_count} new, none half; "
            f"{_format_end(killed)}, the next run equals one from scratch"
        )
    shutil.rmtree(project.folder)


def kill_simulation(
    project: ChaosProject, undisturbed: Undisturbed, trials: Trials, number: int, seed: int
) -> None:
    """Kill a simulation; the log exists only with its record, and the next run writes it."""
    chance = random.Random(seed * 1000 + 500 + number)  # noqa: S311 -- no secret
    share = chance.uniform(0.3, 1)
    run = project.start("simulation")
    how = f"no. {number + 1}, at {share:.0%} of the way"
    with trials.trial("driver killed in a simulation", how) as trial:
        if run.wait_until(_has_reached(share, undisturbed.simulation, run)):
            run.kill(whole_group=True)
        killed, log = run.wait(), digest_log(project)
        has_record = read_state(project)["simulation_record"] != ABSENT
        trial.expect(log in (ABSENT, undisturbed.log), f"half a log: {log}")
        trial.expect(log == ABSENT or has_record, "the log is there without its record")
        if log == ABSENT:
            trial.expect_success(project.run("simulation"), "the next one")
        trial.expect(digest_log(project) == undisturbed.log, "the next log is another")
        trial.expect_no_leftovers(project)
        trial.happened = (
            f"after {killed.last_node}, {'no log' if log == ABSENT else 'the whole log'}; "
            f"{_format_end(killed)}, the next log is the same"
        )
    shutil.rmtree(project.folder)


def kill_workers_in_training(
    project: ChaosProject, expected: State, undisturbed: Undisturbed, trials: Trials
) -> None:
    """Kill Python workers of a default run; fits of XGBoost run in them."""
    with trials.trial("Python worker killed", "in a default run") as trial:
        run = project.start()
        killed = _kill_workers(run)
        trial.expect_success(run.wait())
        trial.expect(bool(killed), "there was no worker")
        trial.expect_equal(undisturbed.read_state_of(project), expected)
        trial.happened = f"{len(killed)} workers killed, the run equals an undisturbed one"


def kill_java(
    project: ChaosProject, expected: State, undisturbed: Undisturbed, trials: Trials
) -> None:
    """Kill the driver's Java process, as the operating system does when out of memory."""
    with trials.trial("Java killed", "in a default run") as trial:
        run = project.start()
        run.wait_until(lambda: run.count_nodes() >= 1)
        for process in psutil.Process(run.process.pid).children():
            if process.name() == "java":
                process.kill()
        trial.expect_message(run.wait())
        trial.expect_equal(undisturbed.read_state_of(project), expected)
        trial.expect_success(project.run(), "the next run")
        trial.expect_equal(undisturbed.read_state_of(project), expected)
        trial.happened = "one sentence, the next run equals an undisturbed one"


def kill_workers_in_simulation(
    project: ChaosProject, undisturbed: Undisturbed, trials: Trials
) -> None:
    """Kill Python workers of a simulation."""
    with trials.trial("Python worker killed", "in a simulation") as trial:
        run = project.start("simulation")
        killed = _kill_workers(run)
        trial.expect_success(run.wait())
        trial.expect(bool(killed), "there was no worker")
        trial.expect(digest_log(project) == undisturbed.log, "the log is another")
        trial.happened = f"{len(killed)} workers killed, the log is the same"


def _format_end(run: FinishedRun) -> str:
    return "killed" if run.code else "it had ended before"


def _has_reached(share: float, undisturbed: FinishedRun, run: Run) -> Callable[[], bool]:
    """Return a check that a run is as far as an undisturbed one after a share of its time.

    Completed nodes count before seconds, because the speed of the machine varies.
    """
    done, seconds = undisturbed.find_position(share * undisturbed.seconds)
    delay = Delay(seconds)
    return lambda: delay.has_passed_since(run.count_nodes() >= done)


def _is_writing(dataset: Path, chance: random.Random) -> Callable[[], bool]:
    """Return a check that a dataset is being written, or was a random moment ago."""
    delay = Delay(chance.choice([0, chance.uniform(0, 0.3)]))
    name = f".{dataset.name}.writing"

    def is_writing() -> bool:
        paths = [dataset.with_name(name), *dataset.glob(f"*/{name}")]
        paths += [*dataset.glob("save=*/_temporary"), *dataset.glob("save=*/*/_temporary")]
        return delay.has_passed_since(any(path.exists() for path in paths))

    return is_writing


class Delay:
    """A time that starts when a condition is first true."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._since = seconds, 0.0

    def has_passed_since(self, condition: bool) -> bool:
        """Return whether the time has passed since the condition was first true."""
        if condition and not self._since:
            self._since = time.time()
        return bool(self._since) and time.time() >= self._since + self._seconds


def _kill_workers(run: Run) -> list[int]:
    """Kill Python workers soon after they start, as many as a task may lose."""
    killed: list[int] = []
    driver = psutil.Process(run.process.pid)
    while run.process.poll() is None and len(killed) < MAX_WORKER_KILLS:
        worker = next((pid for pid in _list_workers(driver) if pid not in killed), None)
        if worker is not None:
            time.sleep(0.2)
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)
        time.sleep(0.05)
    return killed


def _list_workers(driver: psutil.Process) -> list[int]:
    """List the processes that a daemon of PySpark has forked."""
    daemons, parents = set(), {}
    with suppress(psutil.Error):  # the driver has just ended
        for process in driver.children(recursive=True):
            with suppress(psutil.Error):  # it has just ended
                parents[process.pid] = process.ppid()
                if "pyspark.daemon" in process.cmdline():
                    daemons.add(process.pid)
    return [pid for pid, parent in parents.items() if parent in daemons]
