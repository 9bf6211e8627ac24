"""The project on a small simulated log, with its data in a temporary folder."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.program import ROOT

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
    },
    "evaluation": {"bootstrap_resamples": 20},
}
# Two sets of settings that change all tables, so that old and new ones can be distinguished; other
# data_processing settings make a run read the whole log again.
SETTINGS = {
    "A": {
        "data_processing": {"max_line_characters": 1000},
        "feature_engineering": {"horizon_days": 10},
        "modelling": {"seed": 7},
    },
    "B": {
        "data_processing": {"max_line_characters": 999},
        "feature_engineering": {"horizon_days": 12},
        "modelling": {"seed": 8},
    },
}
BOOSTED = {"xgboost": {"n_estimators": [5], "learning_rate": [0.05], "max_depth": [2]}}
NODE_DONE = re.compile(r"^\S+ +\d+/\d+  (\S+) +([\d.]+) s$", re.MULTILINE)
MAX_SECONDS = 300  # a run that takes longer hangs, and counts as failed


@dataclass(frozen=True)
class FinishedRun:
    """A run that has ended: its exit code (negative: the signal), seconds, and output."""

    code: int
    seconds: float
    output: str

    @property
    def nodes(self) -> list[tuple[str, float]]:
        """The completed nodes, and their seconds."""
        return [(name, float(seconds)) for name, seconds in NODE_DONE.findall(self.output)]

    @property
    def last_node(self) -> str:
        """The last completed node."""
        return self.nodes[-1][0] if self.nodes else "the start"

    @property
    def errors(self) -> list[str]:
        """The messages to the user."""
        return [line for line in self.output.splitlines() if line.startswith("Error: ")]

    @property
    def is_one_message(self) -> bool:
        """Whether it failed as it should: with one message to the user and without a traceback."""
        return self.code == 1 and len(self.errors) == 1 and "Traceback" not in self.output

    def require_success(self) -> "FinishedRun":
        """Return this run, or raise an error if it failed."""
        if self.code:
            raise RuntimeError(f"An undisturbed run failed:\n{self.output[-3000:]}")
        return self

    def find_position(self, seconds: float) -> tuple[int, float]:
        """Return how many nodes were done some seconds after the start, and the seconds since."""
        end = self.seconds - sum(duration for _, duration in self.nodes)
        done, since = 0, 0.0
        for place, (_, duration) in enumerate(self.nodes, start=1):
            end += duration
            if end <= seconds:
                done, since = place, end
        return done, seconds - since


class ChaosProject:
    """The project with configuration and data in a folder; each run is a process."""

    def __init__(self, folder: Path, settings: str = "A", boosted: bool = False) -> None:
        self.folder, self.conf, self.boosted = folder, folder / "conf", boosted
        self.data = folder / "data"
        shutil.copytree(ROOT / "conf", self.conf)
        shutil.copytree(self.conf / "mini", self.conf / ENVIRONMENT)
        mini = yaml.safe_load((self.conf / "mini/globals.yml").read_text(encoding="utf-8"))
        log = str(self.data / "01_raw" / "log.json")
        self._write("globals.yml", {**mini, "raw_log": log, "data_root": str(self.data)})
        self.use(settings)

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        file = self.conf / ENVIRONMENT / name
        file.write_text(yaml.safe_dump(dict(content)), encoding="utf-8")

    def use(self, settings: str) -> None:
        """Use a set of SETTINGS from now on."""
        parameters = SETTINGS[settings]
        modelling = {**SMALL["modelling"], **parameters["modelling"]}
        if self.boosted:
            modelling["candidates"] = {**modelling["candidates"], **BOOSTED}
        self._write("parameters.yml", {**SMALL, **parameters, "modelling": modelling})

    def copy(self, folder: Path) -> "ChaosProject":
        """Return a project with the same data in another folder."""
        copy = ChaosProject(folder, boosted=self.boosted)
        shutil.copytree(self.data, copy.data, dirs_exist_ok=True)
        return copy

    def copy_log(self, folder: Path, boosted: bool = False) -> "ChaosProject":
        """Return a project with the same raw layer, and no other data."""
        copy = ChaosProject(folder, boosted=boosted)
        shutil.copytree(self.data / "01_raw", copy.data / "01_raw")
        return copy

    @property
    def log(self) -> Path:
        """The path of the log: a folder of part files."""
        return self.data / "01_raw" / "log.json"

    def split_log(self, share: float) -> Path:
        """Move the last share of the log's lines to a file outside the log; return its path."""
        (part,) = self.log.glob("part-*")
        lines = part.read_text(encoding="utf-8").splitlines(keepends=True)
        first = round(len(lines) * (1 - share))
        rest = self.folder / "rest.json"
        rest.write_text("".join(lines[first:]), encoding="utf-8")
        part.write_text("".join(lines[:first]), encoding="utf-8")
        part.with_name(f".{part.name}.crc").unlink(missing_ok=True)  # Hadoop's checksum
        return rest

    def start(
        self, *pipelines: str, prefix: Sequence[str] = (), environment: dict[str, str] | None = None
    ) -> "Run":
        """Start a run of the named pipelines, or of the default one."""
        command = [*prefix, sys.executable, "-m", "kedro", "run", "--env", ENVIRONMENT]
        command += ["--conf-source", str(self.conf)]
        command += ["--pipelines", ",".join(pipelines)] if pipelines else []
        return Run(command, self.folder / f"run-{time.monotonic_ns()}.txt", environment or {})

    def run(self, *pipelines: str, **how: Any) -> FinishedRun:
        """Run pipelines and wait for the end."""
        return self.start(*pipelines, **how).wait()

    def list_leftovers(self) -> list[str]:
        """List the files and folders of interrupted writes."""
        patterns = [f".*.{suffix}" for suffix in ("writing", "replaced", "unconfirmed")]
        return sorted(
            str(path.relative_to(self.data))
            for pattern in (*patterns, "save=*/_temporary", "save=*/*/_temporary")
            for path in self.data.rglob(pattern)
        )


class Run:
    """A run in progress."""

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

    def output(self) -> str:
        """Return the output so far."""
        return self._log.read_text(errors="replace", encoding="utf-8")

    def count_nodes(self) -> int:
        """Return the number of completed nodes."""
        return len(NODE_DONE.findall(self.output()))

    def wait_until(self, condition: Callable[[], bool]) -> bool:
        """Return whether the condition came true before the run ended."""
        while self.process.poll() is None:
            if condition():
                return True
            time.sleep(0.0005)
        return False

    def kill(self, whole_group: bool) -> None:
        """Kill the driver, with its JVM or without."""
        with suppress(ProcessLookupError):  # it may have ended
            (os.killpg if whole_group else os.kill)(self.process.pid, signal.SIGKILL)

    def wait(self) -> FinishedRun:
        """Wait for the end."""
        try:
            code = self.process.wait(MAX_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill(whole_group=True)
            code = self.process.wait()
        return FinishedRun(code, time.time() - self._started, self.output())
