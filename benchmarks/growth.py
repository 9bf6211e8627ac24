"""Driver memory and seconds per node, for logs of more and more customers with little history.

`python -m benchmarks.growth --users 22000 220000 1000000` packages the project and starts a
standalone Spark cluster on this machine. For each number of users it simulates a log on the
cluster, runs the default pipelines and monitoring, and measures:

- the peak resident memory of the driver's Python process;
- the live heap of the driver's JVM after full collections, which are made every few seconds;
- the seconds of every node, which contain these collections.

`--max-rows` bounds all that the driver collects, so that even the smallest log exceeds it. Nodes
whose seconds grow faster than the log are listed. Writes `growth.json` to `--results`.
"""

import argparse
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from benchmarks.cluster import MODELLING, SETTINGS, list_default_pipelines, package_project
from benchmarks.program import RESULTS, ROOT, describe_run, print_progress, save_results
from benchmarks.project_copy import ENV, ProjectCopy
from benchmarks.standalone import Cluster

# Songs last days instead of minutes, so a user has some 17 events in 61 days. Cancellations are
# then too rare for a small sample: the outcome is inactivity, of about 3 % of customers.
SIMULATION = {
    "song_seconds_mean": 400_000,
    "song_seconds_sd": 80_000,
    "page_gap_seconds": 200_000,
    "session_gap_days": 3,
    "cohorts": {"accordion": 0, "tuba": 1, "zither": 1, "xylophone": 0},
}
SIZES = [22_000, 220_000, 1_000_000]
USERS_PER_FILE = 20_000  # of the log: some 160 MB
GC_SECONDS = 5
FULL_COLLECTION = re.compile(r"Pause Full .*?\d+M->(\d+)M\(")
MEGABYTE = 1_000_000
# Nodes that take less at the largest log are mostly start-up, compilation and planning.
MIN_SECONDS = 10
MAX_EXPONENT = 1.1  # of the growth of seconds with events; more is faster than the log
PIPELINES = [*list_default_pipelines(), "monitoring"]


def describe_bounds(max_rows: int) -> dict[str, Any]:
    """Return the parameters of the runs: everything that the driver collects is bounded."""
    return {
        "feature_engineering": {"outcome": "inactivity"},
        "modelling": {**MODELLING, "max_training_rows": max_rows},
        "evaluation": {"max_customers": max_rows},
        "scoring": {"max_contacts": max_rows},
        "reference": {"max_customers": max_rows},
        "data_processing": {"max_song_seconds": 10 * SIMULATION["song_seconds_mean"]},
        "simulation": SIMULATION,
    }


class DriverMemory:
    """The peak resident memory of a run's Python process."""

    def __init__(self) -> None:
        self.peak_bytes = 0

    def sample(self) -> None:
        """Update the peak; the run is the only child of this process that is `sparkify`."""
        for process in psutil.Process().children():
            try:
                if "sparkify" in process.cmdline():
                    self.peak_bytes = max(self.peak_bytes, process.memory_info().rss)
            except psutil.Error:
                continue  # it has just ended


def read_live_heap(gc_log: Path) -> list[int]:
    """Return the megabytes of the heap in use after every full collection, in order."""
    return [
        int(megabytes) for megabytes in FULL_COLLECTION.findall(gc_log.read_text(encoding="utf-8"))
    ]


def measure(
    users: int, folder: Path, cluster: Cluster, installed: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Simulate a log and run the pipelines on it; return memory, and seconds per node."""
    gc_log = folder / "gc.log"
    settings = {
        **SETTINGS,
        "spark.master": cluster.address,
        "spark.submit.pyFiles": str(options.folder / "sparkify.zip"),
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": f"-Xlog:gc:file={gc_log}:uptime:filecount=0",
        "spark.cleaner.periodicGC.interval": f"{GC_SECONDS}s",
        "spark.executor.memory": options.worker_memory,
        "spark.sql.files.maxPartitionBytes": "64m",
        "spark.sql.shuffle.partitions": 16,
        "spark.eventLog.enabled": False,
    }
    parameters, rows = describe_bounds(options.max_rows), {"max_csv_rows": options.max_rows}
    project = ProjectCopy(folder, settings, parameters, installed, rows)
    files = math.ceil(users / USERS_PER_FILE)
    size = f"simulation.users={users},simulation.files={files}"
    simulated = project.run("simulation", "--params", size)
    print_progress(f"{users:,} users simulated: {simulated} s")
    gc_log.unlink()
    memory = DriverMemory()
    seconds = project.run(",".join(PIPELINES), watch=memory.sample)
    nodes = pd.read_csv(project.data / "08_reporting" / ENV / "run_timings.csv")
    heap = read_live_heap(gc_log)
    summary, quality, task = (
        json.loads((project.data / layer / ENV / f"{name}.json").read_text(encoding="utf-8"))
        for layer, name in (
            ("08_reporting", "score_summary"),
            ("02_intermediate", "data_quality"),
            ("05_model_input", "prediction_task"),
        )
    )
    log = project.log
    result = {
        "users": users,
        "customers": summary["customers"],
        "events": quality["accepted"],
        "log_bytes": sum(file.stat().st_size for file in [log, *log.glob("*")] if file.is_file()),
        "simulation_seconds": simulated,
        "seconds": seconds,
        "python_peak_bytes": memory.peak_bytes,
        "jvm_live_bytes_peak": max(heap) * MEGABYTE,
        "jvm_live_bytes_end": heap[-1] * MEGABYTE,
        "full_collections": len(heap),
        "samples": task.get("samples", {}),
        "nodes": nodes.set_index("node")["seconds"].to_dict(),
    }
    figures = {name: value for name, value in result.items() if name != "nodes"}
    print_progress(f"{users:,} users: {figures}")
    return result


def list_fast_growing(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Return nodes whose seconds grow faster than the log, with the exponent of their growth.

    The exponent compares the two largest logs: 1 means in proportion to the events. Empty for one
    log.
    """
    if len(runs) < 2:
        return {}
    before, after = sorted(runs, key=lambda run: run["users"])[-2:]
    growth = math.log(after["events"] / before["events"])
    exponents = {
        node: math.log(seconds / max(before["nodes"][node], 0.01)) / growth
        for node, seconds in after["nodes"].items()
        if seconds >= MIN_SECONDS
    }
    return {node: round(value, 2) for node, value in exponents.items() if value > MAX_EXPONENT}


def format_table(runs: list[dict[str, Any]]) -> str:
    """Format runs: a line for each size, then a line for each of the longest nodes."""
    lines = [f"{'users':>10}{'events':>12}{'seconds':>9}{'Python MB':>11}{'JVM MB':>8}"]
    lines += [
        f"{run['users']:>10,}{run['events']:>12,}{run['seconds']:>9,.0f}"
        f"{run['python_peak_bytes'] / MEGABYTE:>11,.0f}"
        f"{run['jvm_live_bytes_peak'] / MEGABYTE:>8,.0f}"
        for run in runs
    ]
    nodes = pd.DataFrame({run["users"]: run["nodes"] for run in runs})
    longest = nodes.sort_values(nodes.columns[-1], ascending=False).head(20)
    return "\n".join([*lines, "", longest.round(1).to_string()])


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line, and empty the folder of the runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, nargs="+", default=SIZES)
    parser.add_argument("--max-rows", type=int, default=15_000)
    parser.add_argument("--worker-memory", default="3g", help="of each of the two workers")
    parser.add_argument("--keep", action="store_true", help="keep logs and tables of all sizes")
    parser.add_argument("--folder", type=Path, default=ROOT / "build/growth")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    options.folder = options.folder.resolve()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark."""
    options = parse_arguments(arguments)
    installed, _ = package_project(options.folder)
    cluster = Cluster(options.folder / "spark", options.worker_memory)
    runs: list[dict[str, Any]] = []
    results: dict[str, Any] = {
        **describe_run("growth", arguments),
        "max_rows": options.max_rows,
        "simulation": SIMULATION,
    }
    try:
        cluster.require_workers()
        for users in sorted(options.users):
            folder = options.folder / str(users)
            runs.append(measure(users, folder, cluster, installed, options))
            results |= {"faster_than_the_log": list_fast_growing(runs), "runs": runs}
            save_results(options.results / "growth.json", results)
            if not options.keep:
                shutil.rmtree(folder)
    finally:
        cluster.stop()
    print(f"{format_table(runs)}\n\nFaster than the log: {results['faster_than_the_log']}")


if __name__ == "__main__":
    main()
