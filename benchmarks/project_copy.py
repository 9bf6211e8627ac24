"""A copy of the project's configuration with other settings and data, in another folder."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from benchmarks.measure import CommandFailedError
from benchmarks.program import RESULTS, ROOT

ENV = "cluster"
LOCAL = {  # settings of Spark that replace those of a cluster, for a run on one machine
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.submit.pyFiles": None,
    "spark.pyspark.python": None,
    "spark.executor.extraJavaOptions": None,
    "spark.eventLog.enabled": False,
}


class ProjectCopy:
    """A folder with a copy of conf/ and the data; settings change the environment `cluster`.

    Args:
        folder: for the settings and the data.
        spark: settings of Spark that replace those of conf/cluster/spark.yml.
        parameters: replace the parameters of the environment.
        global_values: values of conf/cluster/globals.yml to replace.
        code: the folder from which Python imports the project.
    """

    def __init__(
        self,
        folder: Path,
        spark: Mapping[str, Any],
        parameters: Mapping[str, Any],
        code: Path = ROOT / "src",
        global_values: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.folder, self.data, self.code = folder, folder / "data", code
        shutil.copytree(ROOT / "conf", folder / "conf", dirs_exist_ok=True)
        environment = folder / "conf" / ENV
        for file in environment.glob("parameters*.yml"):
            file.unlink()
        _update(environment / "parameters.yml", parameters)
        _update(environment / "globals.yml", {**global_values, "data_root": str(self.data)})
        _update(environment / "spark.yml", spark)
        (self.data / "event_log").mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        """The path of the event log."""
        return self.data / "01_raw" / "sparkify_event_data.json"

    def link_log(self, log: Path) -> None:
        """Use a log in another folder, with the record of its simulation."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.symlink_to(log.resolve())
        record = Path(ENV) / "simulation_record.json"
        (self.log.parent / ENV).mkdir(exist_ok=True)
        shutil.copy(log.parent / record, self.log.parent / record)

    def run(self, pipelines: str, *options: str, watch: Callable[[], None] = lambda: None) -> float:
        """Run pipelines in a process that starts in an empty folder; return its seconds.

        `watch` is called every tenth of a second during the run.

        Raises:
            CommandFailedError: with the last lines of the output.
        """
        command = [sys.executable, "-m", "sparkify", "--conf-source", str(self.folder / "conf")]
        command += ["--env", ENV, "--pipelines", pipelines, *options]
        environment = {**os.environ, "PYTHONPATH": str(self.code), "SPARK_LOCAL_IP": "127.0.0.1"}
        log, started = self.folder / "output.txt", time.perf_counter()
        # From a folder within the sources, Kedro would import the project from there.
        with tempfile.TemporaryDirectory() as empty, log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                command, cwd=empty, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            while process.poll() is None:
                watch()
                time.sleep(0.1)
        if process.returncode:
            text = log.read_text(encoding="utf-8")[-3000:]
            raise CommandFailedError(f"{' '.join(command)} failed:\n{text}")
        return round(time.perf_counter() - started, 1)


def parse_options(docstring: str, name: str, arguments: list[str] | None) -> argparse.Namespace:
    """Parse a program's command line: `users`, an empty `folder` for its runs, and `results`.

    Args:
        docstring: the program's, whose first line is the description.
        name: the name of its folder in build/.
        arguments: the command line's.
    """
    parser = argparse.ArgumentParser(description=docstring.splitlines()[0])
    parser.add_argument("--users", type=int, default=225)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / name)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    options.folder = options.folder.resolve()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    return options


def _update(file: Path, settings: Mapping[str, Any]) -> None:
    old = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(yaml.safe_dump({**old, **settings}), encoding="utf-8")
