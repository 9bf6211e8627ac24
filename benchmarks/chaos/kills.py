"""Kill the driver at a random moment, look at what is there, and run again."""

import random
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.chaos.account import Account
from benchmarks.chaos.project import ChaosProject, Ended, Running
from benchmarks.chaos.state import ABSENT, State, log_lines, state


@dataclass(frozen=True)
class Undisturbed:
    """What runs left that nobody disturbed: the state by settings, and how long they took.

    `customers` are the rows by whose forecasts a model is known.
    """

    states: dict[str, State]
    customers: pd.DataFrame
    run: Ended
    simulation: Ended
    log: str

    def absent(self) -> State:
        """Return the state before the first run."""
        recorded = {"simulated_users", "simulated_sessions", "simulation_record"}
        return {n: d if n in recorded else ABSENT for n, d in self.states["A"].items()}


class DriverKills:
    """Kills of the default run, one after the other in one project."""

    def __init__(
        self, project: ChaosProject, undisturbed: Undisturbed, account: Account, stands: str = ""
    ) -> None:
        self._project, self._undisturbed, self._account = project, undisturbed, account
        self._stands = stands  # the settings of the last whole run; "" before the first

    def kill(self, number: int, seed: int) -> None:
        """Kill a run of the settings that do not stand, and run them again to the end."""
        chance = random.Random(seed * 1000 + number)  # noqa: S311 -- no secret
        new = "B" if self._stands == "A" else "A"
        self._project.set(new)
        whole_group, by_clock = number % 2 == 0, number % 4 < 2
        who = "driver and JVM" if whole_group else "driver alone"
        running = self._project.start()
        if by_clock:
            moment = chance.random()
            how, now = (
                f"{who}, at {moment:.0%} of the way",
                _at(moment, self._undisturbed.run, running),
            )
        else:
            written = self._written(chance)
            how, now = f"{who}, while {written.name} is written", _while_written(written, chance)
        with self._account.trial("driver killed in a run", f"no. {number + 1}, {how}") as trial:
            if running.wait_until(now):
                running.kill(whole_group)
            ended = running.end()
            old, wanted = self._old(), self._undisturbed.states[new]
            found = state(self._project, self._undisturbed.customers)
            kept, made = trial.count_old_and_new(found, old, wanted)
            trial.expect(ended.code in (-9, 0), f"it ended with {ended.code}")
            again = self._project.run()
            trial.expect(again.code == 0, f"the next run failed: {again.output[-300:]}")
            found = state(self._project, self._undisturbed.customers)
            trial.expect_equal(found, wanted)
            trial.lost += [f"left behind: {path}" for path in self._project.left_aside()]
            outcome = "killed" if ended.code else "it had ended before"
            trial.happened = (
                f"after {ended.last_node}, {kept} datasets old, {made} new, none half; "
                f"{outcome}, the next run equals an undisturbed one"
            )
        self._stands = new

    def _old(self) -> State:
        if self._stands:
            return self._undisturbed.states[self._stands]
        return self._undisturbed.absent()

    def _written(self, chance: random.Random) -> Path:
        """Choose something whose writing takes long enough to be caught: a table or the model."""
        data = self._project.data
        names = [
            *("02_intermediate/mini/checked_events", "03_primary/mini/user_days"),
            *("04_feature/mini/snapshots", "04_feature/mini/features"),
            *("05_model_input/mini/train", "06_models/mini/churn_model"),
            *("07_model_output/mini/test_predictions",),
        ]
        return data / chance.choice(names)


class SimulationKills:
    """Kills of the simulation, each in a project without data."""

    def __init__(self, folder: Path, undisturbed: Undisturbed, account: Account) -> None:
        self._folder, self._undisturbed, self._account = folder, undisturbed, account

    def kill(self, number: int, seed: int) -> None:
        """Kill a simulation; a log stands only with its record, and the next run writes it."""
        chance = random.Random(seed * 1000 + 500 + number)  # noqa: S311 -- no secret
        project = ChaosProject(self._folder / f"simulation-{number}")
        moment = chance.uniform(0.3, 1)
        running = project.start("simulation")
        how = f"no. {number + 1}, at {moment:.0%} of the way"
        with self._account.trial("driver killed in a simulation", how) as trial:
            if running.wait_until(_at(moment, self._undisturbed.simulation, running)):
                running.kill(whole_group=True)
            ended = running.end()
            log = log_lines(project)
            recorded = state(project)["simulation_record"]
            trial.expect(log in (ABSENT, self._undisturbed.log), f"half a log: {log}")
            trial.expect(log == ABSENT or recorded != ABSENT, "the log stands without its record")
            if log == ABSENT:
                again = project.run("simulation")
                trial.expect(again.code == 0, f"the next one failed: {again.output[-300:]}")
            trial.expect(log_lines(project) == self._undisturbed.log, "the next log is another")
            trial.lost += [f"left behind: {path}" for path in project.left_aside()]
            trial.happened = (
                f"after {ended.last_node}, {'no log' if log == ABSENT else 'the whole log'}; "
                f"{'killed' if ended.code else 'it had ended before'}, the next log is the same"
            )
        shutil.rmtree(project.folder)


def _at(share: float, undisturbed: Ended, running: Running) -> Callable[[], bool]:
    """Return whether a run has come as far as an undisturbed one had at a share of its time.

    Told by the nodes that are done and the time since then: how fast a run is depends on what
    else the machine does.
    """
    done, seconds = undisturbed.place_of(share * undisturbed.seconds)
    since = Delay(seconds)
    return lambda: since.has_passed_since(running.nodes_done() >= done)


def _while_written(final: Path, chance: random.Random) -> Callable[[], bool]:
    """Return whether a dataset is being written, or was a random moment ago."""
    delay = Delay(chance.choice([0, chance.uniform(0, 0.3)]))
    name = f".{final.name}.writing"

    def is_written() -> bool:
        aside = [final.with_name(name), *final.glob(f"*/{name}")]
        return delay.has_passed_since(any(path.exists() for path in aside))

    return is_written


class Delay:
    """A time that starts when something is first seen."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._since = seconds, 0.0

    def has_passed_since(self, seen: bool) -> bool:
        """Return whether the time has passed since something was first seen."""
        if seen and not self._since:
            self._since = time.time()
        return bool(self._since) and time.time() >= self._since + self._seconds
