"""The default run on a cluster: Spark's own, a master and two workers on this machine.

`python -m benchmarks.cluster` packages the project, simulates a log on the cluster, and runs the
default pipelines on one machine, on the cluster, and once more on the cluster with a worker killed
in the middle of each. Results have to be the same. Where things are, only the environment
`cluster` says. The driver has the project's wheel installed, the workers have what is shipped to
them. Writes `cluster.json` to `--results`.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.agreement import agreement, broken, results
from benchmarks.determinism import LOCAL, told
from benchmarks.elsewhere import ROOT, Elsewhere, asked
from benchmarks.saving import save_results
from benchmarks.standalone import WORKERS, Cluster
from sparkify import __version__
from sparkify.pipeline_registry import register_pipelines

SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.executor.instances": None,  # as many as there are workers
    "spark.executor.cores": 1,
    "spark.executor.memory": "1g",
    "spark.pyspark.python": sys.executable,
    "spark.sql.shuffle.partitions": 4,
    "spark.sql.files.maxPartitionBytes": "16m",
    "spark.eventLog.compress": False,  # read here while it is written
    "spark.eventLog.rolling.enabled": False,
}
# All kinds of candidates, and no more fits of each than show that they are the same.
MODELLING = {
    "modelling": {
        "partitions": 2,
        "parallel_fits": 1,
        "folds": 2,
        "candidates": {
            "logistic_regression": {"regParam": [0.3], "tol": [0.0001]},
            "random_forest": {"numTrees": [20], "maxDepth": [4], "minInstancesPerNode": [10]},
            "gradient_boosted_trees": {"maxIter": [5], "maxDepth": [2]},
        },
    }
}
STAGE_DONE, EXECUTOR_LOST = "SparkListenerStageCompleted", "SparkListenerExecutorRemoved"
TASK_END, JOB_STARTED = "SparkListenerTaskEnd", "SparkListenerJobStart"


class Moment(NamedTuple):
    """A moment of a run: so many stages completed, and seconds after that."""

    stages: int
    seconds: float


class Application:
    """The event log of the application that runs, as far as it is written."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._before = folder, set(folder.iterdir())

    def count(self, *having: str, lacking: str = "\0") -> int:
        """Count the events that have some texts, and lack one."""
        return sum(
            all(text in line for text in having) and lacking not in line for line in self._lines()
        )

    def told(self) -> dict[str, int]:
        """Say how many stages were completed, and what was lost."""
        ended = f'"{TASK_END}"'
        return {
            "stages": self.count(f'"{STAGE_DONE}"'),
            "tasks_lost": self.count(ended, lacking='"Reason":"Success"'),
            "executors_lost": self.count(f'"{EXECUTOR_LOST}"'),
        }

    def longest_stage(self) -> Moment:
        """Return the middle of the stage that took longest."""
        stages = [json.loads(line)["Stage Info"] for line in self._lines() if STAGE_DONE in line]
        took = [stage["Completion Time"] - stage["Submission Time"] for stage in stages]
        place = took.index(max(took))
        return Moment(place, took[place] / 2_000)

    def _lines(self) -> list[str]:
        started = set(self._folder.iterdir()) - self._before
        return [line for file in started for line in file.open(errors="replace", encoding="utf-8")]


def packaged(folder: Path) -> tuple[Path, Path]:
    """Package the project; return where its wheel is installed, and what is shipped."""
    shutil.rmtree(ROOT / "build/lib", ignore_errors=True)
    kedro = [sys.executable, "-m", "kedro", "package"]
    subprocess.run(kedro, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = (ROOT / "dist").glob(f"sparkify-{__version__}-*.whl")
    into = ["--no-deps", "--no-index", "--target", str(folder / "installed")]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", *into, str(wheel)]
    subprocess.run(pip, check=True)
    return folder / "installed", Path(shutil.copy(wheel, folder / "sparkify.zip"))


def default_pipelines() -> list[str]:
    """Name the pipelines that the default run is made of."""
    pipelines = register_pipelines()
    whole = set(pipelines.pop("__default__").nodes)
    return [name for name, pipeline in pipelines.items() if set(pipeline.nodes) <= whole]


def run(
    there: Elsewhere, cluster: Cluster, pipeline: str, kill_at: Moment | None = None
) -> tuple[dict[str, Any], Application]:
    """Run a pipeline on the cluster; kill a worker at a moment."""
    application = Application(there.data / "event_log")
    reached: list[float] = []
    killed: list[int] = []

    def watch() -> None:
        if kill_at is None or killed:
            return
        completed = application.count(f'"{STAGE_DONE}"')
        if completed >= kill_at.stages and application.count(JOB_STARTED):
            reached.append(time.monotonic())
            if reached[-1] - reached[0] >= kill_at.seconds:
                killed.append(completed)
                cluster.kill_worker()

    seconds = there.run(pipeline, watch=watch)
    said = {"seconds": seconds, **application.told()}
    if killed:
        said["stages_before_kill"] = killed[0]
    told(f"{there.folder.name}, {pipeline}: {said}")
    return said, application


def main(arguments: list[str] | None = None) -> None:
    """Run what the command line asks for."""
    options = asked(__doc__, "cluster", arguments)
    folder = options.folder
    installed, shipped = packaged(folder)
    cluster = Cluster(folder / "spark")
    try:
        cluster.require_workers()
        settings = {
            **SETTINGS,
            "spark.master": cluster.address,
            "spark.submit.pyFiles": str(shipped),
        }
        report = compared(folder, cluster, settings, installed, options.users)
    finally:
        cluster.stop()
    save_results(options.results / "cluster.json", report)
    partitions = MODELLING["modelling"]["partitions"]
    apart = {name for digits in report["digits"].values() for name in broken(digits, partitions)}
    if apart:
        sys.exit(f"Error: results differ from those of one machine: {', '.join(sorted(apart))}.")


def compared(
    folder: Path, cluster: Cluster, settings: dict[str, Any], installed: Path, users: int
) -> dict[str, Any]:
    """Run on one machine and on the cluster; return what it took and how far results agree."""

    def place(name: str, spark: dict[str, Any]) -> Elsewhere:
        return Elsewhere(folder / name, spark, MODELLING, installed)

    calm, disturbed = place("undisturbed", settings), place("disturbed", settings)
    simulated = f"simulation.users={users},simulation.files=4"
    calm.run("simulation", "--params", simulated)
    local = place("one_machine", {**LOCAL, "spark.master": "local[2]"})
    for other in (local, disturbed):
        other.take_log(calm.log)
    one_machine = local.run("__default__")
    told(f"one machine: {one_machine} s")
    said: dict[str, dict[str, Any]] = {calm.folder.name: {}, disturbed.folder.name: {}}
    for name in default_pipelines():
        said[calm.folder.name][name], application = run(calm, cluster, name)
        middle = application.longest_stage() if application.count(JOB_STARTED) else None
        said[disturbed.folder.name][name], _ = run(disturbed, cluster, name, middle)
        cluster.require_workers()
    found = results(local.data)
    return {
        "users": users,
        "workers": WORKERS,
        "modelling": MODELLING["modelling"],
        "one_machine_seconds": one_machine,
        "runs": said,
        "digits": {
            there.folder.name: agreement(found, results(there.data)) for there in (calm, disturbed)
        },
    }


if __name__ == "__main__":
    main()
