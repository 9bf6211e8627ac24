"""The project on a small simulated log in a folder of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "chaos"
SMALL: dict[str, Any] = {
    "simulation": {"users": 90, "days": 61, "songs": 500, "artists": 50, "seed": 24},
    "modelling": {
        "candidates": {
            "logistic_regression": {"regParam": [0.3, 0.03]},
            "random_forest": None,
            "gradient_boosted_trees": None,
            "xgboost": None,
        },
        "folds": 2,
        "min_train_churned": 4,
        "min_holdout_churned": 1,
        "bootstrap_resamples": 20,
    },
}
# Two sets of settings with different tables all the way, so that old and new can be told apart.
SETTINGS = {
    "A": {"feature_engineering": {"horizon_days": 10}, "modelling": {"seed": 7}},
    "B": {"feature_engineering": {"horizon_days": 12}, "modelling": {"seed": 8}},
}
BOOSTED = {"xgboost": {"n_estimators": [5], "learning_rate": [0.05], "max_depth": [2]}}
NODE_DONE = re.compile(r"^\S+ +\d+/\d+  (\S+) +([\d.]+) s$", re.MULTILINE)
SECONDS_TO_END = 300  # after which a run hangs, and a run that hangs has failed


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code (negative: the signal), seconds, and what it printed."""

    code: int
    seconds: float
    output: str

    @property
    def nodes(self) -> list[tuple[str, float]]:
        """The nodes that were done, and their seconds."""
        return [(name, float(seconds)) for name, seconds in NODE_DONE.findall(self.output)]

    @property
    def last_node(self) -> str:
        """The last node that was done."""
        return self.nodes[-1][0] if self.nodes else "the start"

    def place_of(self, seconds: float) -> tuple[int, float]:
        """Return how many nodes were done a time after the start, and the seconds since."""
        ended = self.seconds - sum(taken for _, taken in self.nodes)
        done, since = 0, 0.0
        for place, (_, taken) in enumerate(self.nodes, start=1):
            ended += taken
            if ended <= seconds:
                done, since = place, ended
        return done, seconds - since

    @property
    def errors(self) -> list[str]:
        """The sentences meant for the user."""
        return [line for line in self.output.splitlines() if line.startswith("Error: ")]

    @property
    def is_a_sentence(self) -> bool:
        """Whether it ended as it should where it cannot go on: one sentence and no trace."""
        return self.code == 1 and len(self.errors) == 1 and "Traceback" not in self.output


class ChaosProject:
    """The project with its data below a folder; each run is a process of its own."""

    def __init__(self, folder: Path, settings: str = "A", boosted: bool = False) -> None:
        self.folder, self.conf, self.boosted = folder, folder / "conf", boosted
        self.data = folder / "data"
        shutil.copytree(ROOT / "conf", self.conf)
        shutil.copytree(self.conf / "mini", self.conf / ENVIRONMENT)
        own = {
            "environment": "mini",
            "raw_log": str(self.data / "01_raw" / "log.json"),
            "data_root": str(self.data),
            "size": "small",
        }
        self.write(f"{ENVIRONMENT}/globals.yml", own)
        self.set(settings)

    def write(self, name: str, content: dict[str, Any]) -> None:
        """Write a file of the configuration."""
        (self.conf / name).write_text(yaml.safe_dump(content), encoding="utf-8")

    def set(self, settings: str) -> None:
        """Take other settings."""
        chosen = SETTINGS[settings]
        modelling = {**SMALL["modelling"], **chosen["modelling"]}
        if self.boosted:
            modelling["candidates"] = {**modelling["candidates"], **BOOSTED}
        self.write(f"{ENVIRONMENT}/parameters.yml", {**SMALL, **chosen, "modelling": modelling})

    def copied(self, folder: Path) -> "ChaosProject":
        """Return a project of the same data in another folder."""
        copy = ChaosProject(folder, boosted=self.boosted)
        shutil.copytree(self.data, copy.data, dirs_exist_ok=True)
        return copy

    def take_log(self, other: "ChaosProject") -> None:
        """Copy another project's raw layer."""
        shutil.copytree(other.data / "01_raw", self.data / "01_raw", dirs_exist_ok=True)

    def start(
        self, *pipelines: str, prefix: Sequence[str] = (), environment: dict[str, str] | None = None
    ) -> "Running":
        """Start a run, by its name or the default one."""
        command = [*prefix, sys.executable, "-m", "kedro", "run", "--env", ENVIRONMENT]
        command += ["--conf-source", str(self.conf)]
        command += ["--pipelines", ",".join(pipelines)] if pipelines else []
        return Running(command, self.folder / f"run-{time.monotonic_ns()}.txt", environment or {})

    def run(self, *pipelines: str, **how: Any) -> Ended:
        """Run to the end."""
        return self.start(*pipelines, **how).end()

    def left_aside(self) -> list[str]:
        """List what an interrupted writing has left."""
        suffixes = ("writing", "replaced", "unconfirmed")
        return sorted(
            str(path.relative_to(self.data))
            for suffix in suffixes
            for path in self.data.rglob(f".*.{suffix}")
        )


class Running:
    """A run that has been started."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str]) -> None:
        self._log, self._started = log, time.time()
        with self._log.open("w", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
            )

    def printed(self) -> str:
        """Return what the run has printed so far."""
        return self._log.read_text(errors="replace", encoding="utf-8")

    def nodes_done(self) -> int:
        """Return how many nodes are done."""
        return len(NODE_DONE.findall(self.printed()))

    def wait_until(self, moment: Callable[[], bool], every: float = 0.0005) -> bool:
        """Return whether the moment came before the run's end."""
        while self.process.poll() is None:
            if moment():
                return True
            time.sleep(every)
        return False

    def kill(self, whole_group: bool) -> None:
        """Kill the driver, with its JVM or leaving that to end by itself."""
        with suppress(ProcessLookupError):  # it may just have ended
            (os.killpg if whole_group else os.kill)(self.process.pid, signal.SIGKILL)

    def end(self) -> Ended:
        """Wait for the end."""
        try:
            code = self.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.kill(whole_group=True)
            code = self.process.wait()
        return Ended(code, time.time() - self._started, self.printed())
