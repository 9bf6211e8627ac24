"""The project with settings and data of its own, elsewhere than in its sources."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measure import CommandFailedError

ROOT = Path(__file__).parents[1]
ENV = "cluster"


class Elsewhere:
    """A folder with a copy of conf/, whose environment `cluster` alone says where all is.

    Args:
        folder: of the settings and, unless `data_root` is another, the data.
        spark: settings of Spark that replace those of conf/cluster/spark.yml.
        parameters: in place of the environment's; base's where there are none.
        code: what Python finds the project by; its sources where nothing else is named.
    """

    def __init__(
        self,
        folder: Path,
        spark: Mapping[str, Any],
        parameters: Mapping[str, Any],
        code: Path = ROOT / "src",
    ) -> None:
        self.folder, self.data, self.code = folder, folder / "data", code
        shutil.copytree(ROOT / "conf", folder / "conf", dirs_exist_ok=True)
        own = folder / "conf" / ENV
        for file in own.glob("parameters*.yml"):
            file.unlink()
        (own / "parameters.yml").write_text(yaml.safe_dump(dict(parameters)), encoding="utf-8")
        _replace(own / "globals.yml", {"data_root": str(self.data)})
        _replace(own / "spark.yml", spark)
        (self.data / "event_log").mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        """Where its event log is."""
        return self.data / "01_raw" / "sparkify_event_data.json"

    def take_log(self, log: Path) -> None:
        """Read a log that is somewhere else, with the record of its simulation."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.symlink_to(log.resolve())
        raw = self.log.parent / ENV
        raw.mkdir(exist_ok=True)
        shutil.copy(log.parent / ENV / "simulation_record.json", raw)

    def run(self, pipelines: str, *options: str, watch: Callable[[], None] = lambda: None) -> float:
        """Run pipelines in a process that starts in an empty folder; return its seconds.

        `watch` is called every tenth of a second meanwhile.

        Raises:
            CommandFailedError: with the last lines that the command printed.
        """
        command = [sys.executable, "-m", "sparkify", "--conf-source", str(self.folder / "conf")]
        command += ["--env", ENV, "--pipelines", pipelines, *options]
        environment = {**os.environ, "PYTHONPATH": str(self.code), "SPARK_LOCAL_IP": "127.0.0.1"}
        started = time.perf_counter()
        said = self.folder / "output.txt"
        # Outside of the sources: Kedro would find them from any folder in them.
        with tempfile.TemporaryDirectory() as empty, said.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                command, cwd=empty, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            while process.poll() is None:
                watch()
                time.sleep(0.1)
        if process.returncode:
            raise CommandFailedError(
                f"{' '.join(command)} failed:\n{said.read_text(encoding='utf-8')[-3000:]}"
            )
        return round(time.perf_counter() - started, 1)


def asked(about: str, name: str, arguments: list[str] | None) -> argparse.Namespace:
    """Read a program's command line: `users`, an emptied `folder` for its runs, and `results`.

    Args:
        about: the program's docstring, whose first line says what it is.
        name: of its folder below build/.
        arguments: the command line's.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--users", type=int, default=225)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / name)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args(arguments)
    options.folder = options.folder.resolve()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    return options


def _replace(file: Path, settings: Mapping[str, Any]) -> None:
    file.write_text(
        yaml.safe_dump({**yaml.safe_load(file.read_text(encoding="utf-8")), **settings}),
        encoding="utf-8",
    )
