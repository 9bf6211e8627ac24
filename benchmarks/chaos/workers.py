"""Kill Spark's processes, but not the driver, while they work."""

import os
import signal
import time
from pathlib import Path

import psutil

from benchmarks.chaos.account import Account
from benchmarks.chaos.project import ChaosProject, Running
from benchmarks.chaos.state import State, log_lines, state

MOST_KILLS = 3  # a task may fail three times


class WorkerKills:
    """Kills of Python workers, with XGBoost among the candidates: its fits are theirs."""

    def __init__(self, project: ChaosProject, log: str, account: Account) -> None:
        self._project, self._log, self._account = project, log, account

    def in_training(self, undisturbed: State, customers: object) -> None:
        """Kill workers of a default run."""
        with self._account.trial("Python worker killed", "in a default run") as trial:
            running = self._project.start()
            killed = _kill_workers(running)
            ended = running.end()
            trial.expect(ended.code == 0, f"it failed: {ended.output[-300:]}")
            trial.expect(bool(killed), "no worker was met")
            trial.expect_equal(state(self._project, customers), undisturbed)
            trial.happened = f"{len(killed)} workers killed, the run equals an undisturbed one"

    def java(self, undisturbed: State, customers: object) -> None:
        """Kill the driver's Java process, as a machine does that is out of memory."""
        with self._account.trial("Java killed", "in a default run") as trial:
            running = self._project.start()
            running.wait_until(lambda: running.nodes_done() >= 1)
            for process in psutil.Process(running.process.pid).children():
                if process.name() == "java":
                    process.kill()
            ended = running.end()
            trial.expect(ended.is_a_sentence, f"it ended with {ended.code}: {ended.output[-600:]}")
            found = state(self._project, customers)
            trial.expect_equal(found, undisturbed)
            again = self._project.run()
            trial.expect(again.code == 0, f"the next run failed: {again.output[-300:]}")
            trial.expect_equal(state(self._project, customers), undisturbed)
            trial.happened = "one sentence, the next run equals an undisturbed one"

    def in_simulation(self, folder: Path) -> None:
        """Kill workers of a simulation."""
        project = ChaosProject(folder)
        with self._account.trial("Python worker killed", "in a simulation") as trial:
            running = project.start("simulation")
            killed = _kill_workers(running)
            ended = running.end()
            trial.expect(ended.code == 0, f"it failed: {ended.output[-300:]}")
            trial.expect(bool(killed), "no worker was met")
            trial.expect(log_lines(project) == self._log, "the log is another")
            trial.happened = f"{len(killed)} workers killed, the log is the same"


def _kill_workers(running: Running) -> list[int]:
    """Kill each worker soon after it is first met, up to as many as a task may lose."""
    killed: list[int] = []
    driver = psutil.Process(running.process.pid)
    while running.process.poll() is None and len(killed) < MOST_KILLS:
        for worker in _workers(driver):
            if worker not in killed:
                time.sleep(0.2)
                try:
                    os.kill(worker, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                killed.append(worker)
                break
        time.sleep(0.05)
    return killed


def _workers(driver: psutil.Process) -> list[int]:
    """List the processes that a daemon of PySpark has forked."""
    try:
        family = driver.children(recursive=True)
    except psutil.Error:  # the driver has just ended
        return []
    parents = {one.pid for one in family if _is_daemon(one)}
    return [one.pid for one in family if _parent(one) in parents]


def _is_daemon(process: psutil.Process) -> bool:
    try:
        return "pyspark.daemon" in process.cmdline()
    except psutil.Error:  # it has just ended
        return False


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None
