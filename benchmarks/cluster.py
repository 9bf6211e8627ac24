"""Run the default pipelines on a standalone Spark cluster on this machine.

`python -m benchmarks.cluster` packages the project and simulates a log on the cluster. It runs the
default pipelines on one machine, on the cluster, and on the cluster with a worker killed in the
middle of each pipeline. The results must be the same. All runs use the environment `cluster`.
The driver has the wheel installed, the workers have the code that is shipped to them. Writes
`cluster.json` to `--results`.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.agreement import compare_results, list_below_promise, read_results
from benchmarks.program import ROOT, print_progress, save_results
from benchmarks.project_copy import LOCAL, ProjectCopy, parse_options
from benchmarks.standalone import WORKERS, Cluster
from sparkify import __version__
from sparkify.pipeline_registry import register_pipelines

SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.executor.instances": None,  # as many as workers
    "spark.executor.cores": 1,
    "spark.executor.memory": "1g",
    "spark.pyspark.python": sys.executable,
    "spark.sql.shuffle.partitions": 4,
    "spark.sql.files.maxPartitionBytes": "16m",
    "spark.eventLog.compress": False,  # read while it is written
    "spark.eventLog.rolling.enabled": False,
}
# All kinds of candidates, with few fits of each.
MODELLING = {
    "partitions": 2,
    "parallel_fits": 1,
    "folds": 2,
    "candidates": {
        "logistic_regression": {"regParam": [0.3], "tol": [0.0001]},
        "random_forest": {"numTrees": [20], "maxDepth": [4], "minInstancesPerNode": [10]},
        "gradient_boosted_trees": {"maxIter": [5], "maxDepth": [2]},
    },
}
STAGE_DONE, EXECUTOR_LOST = "SparkListenerStageCompleted", "SparkListenerExecutorRemoved"
TASK_END, JOB_STARTED = "SparkListenerTaskEnd", "SparkListenerJobStart"


class Moment(NamedTuple):
    """A moment of a run: the number of completed stages, and seconds after that."""

    stages: int
    seconds: float


class EventLog:
    """Spark's event log of the current application, complete or not."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._before = folder, set(folder.iterdir())

    def count(self, event: str, without: str = "\0") -> int:
        """Count the events of a kind that do not have a text."""
        return sum(event in line and without not in line for line in self._read_lines())

    def summarize(self) -> dict[str, int]:
        """Return how many stages were completed, and how many tasks and executors were lost."""
        return {
            "stages": self.count(f'"{STAGE_DONE}"'),
            "tasks_lost": self.count(f'"{TASK_END}"', without='"Reason":"Success"'),
            "executors_lost": self.count(f'"{EXECUTOR_LOST}"'),
        }

    def find_longest_stage(self) -> Moment:
        """Return the moment in the middle of the longest stage."""
        stages = [
            json.loads(line)["Stage Info"] for line in self._read_lines() if STAGE_DONE in line
        ]
        durations = [stage["Completion Time"] - stage["Submission Time"] for stage in stages]
        place = durations.index(max(durations))
        return Moment(place, durations[place] / 2_000)

    def _read_lines(self) -> list[str]:
        new = set(self._folder.iterdir()) - self._before
        return [line for file in new for line in file.open(errors="replace", encoding="utf-8")]


def package_project(folder: Path) -> tuple[Path, Path]:
    """Package the project; return the folder of the installed wheel, and the shipped zip."""
    shutil.rmtree(ROOT / "build/lib", ignore_errors=True)
    kedro = [sys.executable, "-m", "kedro", "package"]
    subprocess.run(kedro, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = (ROOT / "dist").glob(f"sparkify-{__version__}-*.whl")
    target = ["--no-deps", "--no-index", "--target", str(folder / "installed")]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", *target, str(wheel)]
    subprocess.run(pip, check=True)
    return folder / "installed", Path(shutil.copy(wheel, folder / "sparkify.zip"))


def list_default_pipelines() -> list[str]:
    """Return the names of the pipelines in the default pipeline."""
    pipelines = register_pipelines()
    nodes = set(pipelines.pop("__default__").nodes)
    return [name for name, pipeline in pipelines.items() if set(pipeline.nodes) <= nodes]


def run(
    project: ProjectCopy, cluster: Cluster, pipeline: str, kill_at: Moment | None = None
) -> tuple[dict[str, Any], EventLog]:
    """Run a pipeline on the cluster; kill a worker at a moment."""
    log = EventLog(project.data / "event_log")
    reached: list[float] = []
    killed: list[int] = []

    def watch() -> None:
        if kill_at is None or killed:
            return
        completed = log.count(f'"{STAGE_DONE}"')
        if completed >= kill_at.stages and log.count(JOB_STARTED):
            reached.append(time.monotonic())
            if reached[-1] - reached[0] >= kill_at.seconds:
                killed.append(completed)
                cluster.kill_worker()

    figures = {"seconds": project.run(pipeline, watch=watch), **log.summarize()}
    if killed:
        figures["stages_before_kill"] = killed[0]
    print_progress(f"{project.folder.name}, {pipeline}: {figures}")
    return figures, log


def main(arguments: list[str] | None = None) -> None:
    """Run the comparison."""
    options = parse_options(__doc__, "cluster", arguments)
    installed, shipped = package_project(options.folder)
    cluster = Cluster(options.folder / "spark")
    try:
        cluster.require_workers()
        address = {"spark.master": cluster.address, "spark.submit.pyFiles": str(shipped)}
        settings = {**SETTINGS, **address}
        report = compare(options.folder, cluster, settings, installed, options.users)
    finally:
        cluster.stop()
    save_results(options.results / "cluster.json", report)
    partitions = MODELLING["partitions"]
    different = {
        name
        for digits in report["digits"].values()
        for name in list_below_promise(digits, partitions)
    }
    if different:
        names = ", ".join(sorted(different))
        sys.exit(f"Error: results differ from those of one machine: {names}.")


def compare(
    folder: Path, cluster: Cluster, settings: dict[str, Any], installed: Path, users: int
) -> dict[str, Any]:
    """Run on one machine and on the cluster; return run times and the equal digits of results."""
    local_settings = {**LOCAL, "spark.master": "local[2]"}
    undisturbed, disturbed, local = (
        ProjectCopy(folder / name, spark, {"modelling": MODELLING}, installed)
        for name, spark in (
            *(("undisturbed", settings), ("disturbed", settings)),
            ("one_machine", local_settings),
        )
    )
    undisturbed.run("simulation", "--params", f"simulation.users={users},simulation.files=4")
    for project in (local, disturbed):
        project.link_log(undisturbed.log)
    one_machine = local.run("__default__")
    print_progress(f"one machine: {one_machine} s")
    runs: dict[str, dict[str, Any]] = {"undisturbed": {}, "disturbed": {}}
    for name in list_default_pipelines():
        runs["undisturbed"][name], log = run(undisturbed, cluster, name)
        middle = log.find_longest_stage() if log.count(JOB_STARTED) else None
        runs["disturbed"][name], _ = run(disturbed, cluster, name, middle)
        cluster.require_workers()
    expected = read_results(local.data)
    return {
        "users": users,
        "workers": WORKERS,
        "modelling": MODELLING,
        "one_machine_seconds": one_machine,
        "runs": runs,
        "digits": {
            project.folder.name: compare_results(expected, read_results(project.data))
            for project in (undisturbed, disturbed)
        },
    }


if __name__ == "__main__":
    main()
