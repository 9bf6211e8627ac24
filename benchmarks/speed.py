"""Ourselves and our peers on the same logs, in turn: wall time, CPU seconds and peak memory.

`python -m benchmarks.speed --sizes mini 1GB` simulates the logs that are missing under
`build/bench`, runs every subject `--repeats` times in turn (those of `--once` in the first turn
only), checks that the features are equal, and writes `speed.json` and `speed.png` to `--results`.
What `speed.json` says of other sizes stays.
"""

import argparse
import json
import math
import os
import platform
import re
import shlex
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from matplotlib.figure import Figure

from benchmarks.measure import Taken, measure
from benchmarks.peers.equal import differences
from benchmarks.saving import save_results
from sparkify.pipeline_registry import register_pipelines

ROOT = Path(__file__).parents[1]
# Environment and simulation parameters of each log.
SIZES: dict[str, tuple[str, dict[str, Any]]] = {
    "mini": ("mini", {}),
    "1GB": ("full", {"users": 2_230, "files": 8}),
    "3GB": ("full", {"users": 5_575, "files": 16}),
    "12GB": ("full", {}),
}
TO_FEATURES = "data_processing,feature_engineering"
FEATURE_NODES = {
    node.name for name in TO_FEATURES.split(",") for node in register_pipelines()[name].nodes
}
OURS = "this project"
PEERS = {
    "DuckDB": "benchmarks.peers.duckdb_peer",
    "Polars": "benchmarks.peers.polars_peer",
    "notebook": "benchmarks.peers.notebook",
    "floor": "benchmarks.peers.floor",
}
COMPARED = ("DuckDB", "Polars")
GIGABYTE = 1e9
NODE = re.compile(r"\d+/\d+ +(\S+) +([\d.]+) s$", re.MULTILINE)  # as a run logs its nodes
ONE_CORE = ("taskset", "--cpu-list", "0")  # Linux


class Log:
    """A log of some size, with a copy of the project's settings that point at it."""

    def __init__(self, size: str, folder: Path, simulation: dict[str, Any]) -> None:
        self.size, self.folder = size, folder / size
        self.env, settings = SIZES[size]
        self._simulation = {**settings, **simulation}
        self.conf, self.path = self.folder / "conf", self.folder / "log.json"
        shutil.copytree(ROOT / "conf", self.conf, dirs_exist_ok=True)
        own = self.conf / self.env / "globals.yml"
        moved = {"raw_log": str(self.path), "data_root": str(self.folder / "data")}
        settings = yaml.safe_load(own.read_text(encoding="utf-8")) | moved
        own.write_text(yaml.safe_dump(settings), encoding="utf-8")

    def require(self) -> None:
        """Simulate the log if it is not there; its record makes the run compare digests."""
        if self.path.exists():
            return
        told(f"{self.size}: simulating the log")
        params = ",".join(f"simulation.{key}={value}" for key, value in self._simulation.items())
        options = ["--params", params] if params else []
        self.kedro("--pipelines", "simulation", *options)

    def layer(self, name: str) -> Path:
        """Return the folder of a layer."""
        return self.folder / "data" / name / self.env

    def kedro(self, *options: str, bound: Sequence[str] = ()) -> Taken:
        """Measure `kedro run` on this log, by a command that binds it to some cores if given."""
        command = [*bound, sys.executable, "-m", "sparkify", "--conf-source", str(self.conf)]
        return measured([*command, "--env", self.env, *options], self.folder)

    def timings(self) -> list[dict[str, Any]]:
        """Return what each node of the run that made the forecast took; None for no rows."""
        timings = pd.read_csv(self.layer("08_reporting") / "run_timings.csv")
        return list(json.loads(timings.to_json(orient="records")))

    def bytes(self) -> int:
        """Return the size of the log."""
        return sum(part.stat().st_size for part in self.path.glob("part-*"))


def told(text: str) -> None:
    """Say how far the benchmark is."""
    print(text, file=sys.stderr, flush=True)


def measured(command: list[str], folder: Path) -> Taken:
    """Measure a Python program that finds the project and the benchmarks."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return measure(command, folder, {**os.environ, "PYTHONPATH": path})


def figures(taken: Taken, model_seconds: float, phases: dict[str, float]) -> dict[str, Any]:
    """Return a run's figures; to the features is what is left without the model."""
    return {
        "features_seconds": round(taken.wall_seconds - model_seconds, 2),
        "wall_seconds": taken.wall_seconds,
        "cpu_seconds": taken.cpu_seconds,
        "peak_bytes": taken.peak_bytes,
        "phases": phases,
    }


def run_ours(log: Log) -> dict[str, Any]:
    """Run the project, to its report; what comes after the features counts as the model."""
    taken = log.kedro()
    nodes = log.timings()
    model = sum(row["seconds"] for row in nodes if row["node"] not in FEATURE_NODES)
    phases = {row["node"]: row["seconds"] for row in nodes}
    return {**figures(taken, model, phases), "nodes": nodes}


def run_peer(name: str, log: Log) -> dict[str, Any]:
    """Run a peer in a process of its own."""
    folder = log.folder / name
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", PEERS[name], str(log.path), str(folder)]
    taken = measured(command, folder)
    phases = json.loads(taken.output.strip().splitlines()[-1])
    if name in COMPARED:
        apart = differences(log.layer("04_feature") / "features", folder / "features.parquet")
        assert not apart, f"{name} and this project differ in features: {apart}"
    return figures(taken, phases.get("model", 0), phases)


def medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum up the runs of one subject on one log."""
    names = ["features_seconds", "wall_seconds", "cpu_seconds", "peak_bytes"]
    return {name: statistics.median(run[name] for run in runs) for name in names}


def compare(log: Log, subjects: list[str], repeats: int, once: list[str]) -> dict[str, Any]:
    """Run all subjects in turn, several times; those of `once` in the first turn only."""
    log.require()
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in subjects}
    for turn in range(1, repeats + 1):
        for name in subjects:
            if turn > 1 and name in once:
                continue
            taken = run_ours(log) if name == OURS else run_peer(name, log)
            runs[name].append(taken)
            told(
                f"{log.size}, turn {turn} of {repeats}, {name}: {taken['features_seconds']:.1f} s "
                f"to features, {taken['wall_seconds']:.1f} s in all, "
                f"{taken['cpu_seconds']:.0f} CPU s, {taken['peak_bytes'] / GIGABYTE:.1f} GB"
            )
    return {
        "log_bytes": log.bytes(),
        "subjects": {
            name: {"median": medians(taken), "runs": taken} for name, taken in runs.items()
        },
    }


def on_one_core(log: Log) -> dict[str, Any]:
    """Run the project to its features on one core, compiler and collector included, and on all."""
    log.require()
    found: dict[str, Any] = {}
    for name, bound in {"one_core": ONE_CORE, "all_cores": ()}.items():
        taken = log.kedro("--pipelines", TO_FEATURES, bound=bound)
        nodes = [
            {"node": node, "seconds": float(text)} for node, text in NODE.findall(taken.output)
        ]
        found[name] = {"features_seconds": taken.wall_seconds, "nodes": nodes}
        told(f"{log.size}, {name.replace('_', ' ')}: {taken.wall_seconds:.1f} s to features")
    return found


def drawn(results: dict[str, Any]) -> Figure:
    """Draw seconds to the features and to the end, by subject, a panel per log of a size."""
    sizes = results["sizes"]
    across = min(len(sizes), 2)
    down = math.ceil(len(sizes) / across)
    figure = Figure(figsize=(4.2 * across + 0.6, 2.6 * down + 0.6), dpi=120, layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for unused in panels[len(sizes) :]:
        unused.remove()
    figure.suptitle("From the log to features, and to a judged model", x=0.02, ha="left")
    in_order = sorted(sizes.values(), key=lambda found: found["log_bytes"])
    for axes, found in zip(panels[: len(sizes)], in_order, strict=True):
        subjects = found["subjects"]
        wall = [subject["median"]["wall_seconds"] for subject in subjects.values()]
        features = [subject["median"]["features_seconds"] for subject in subjects.values()]
        axes.barh(list(subjects), wall, color="#b8cbe3", label="model")
        bars = axes.barh(list(subjects), features, color="#1f5fa8", label="features")
        texts = [f" {a:,.0f} s, {b:,.0f} s" for a, b in zip(features, wall, strict=True)]
        for bar, text, width in zip(bars, texts, wall, strict=True):
            axes.text(width, bar.get_y() + bar.get_height() / 2, text, va="center", fontsize=8)
        axes.invert_yaxis()
        axes.margins(x=0.45)
        axes.set_xlim(left=0)
        axes.set_title(f"{found['log_bytes'] / GIGABYTE:.2f} GB", loc="left", fontsize=9)
        axes.set_xlabel("Seconds, median")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["mini", "1GB"])
    parser.add_argument("--subjects", nargs="+", choices=[OURS, *PEERS], default=[OURS, *PEERS])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--once", nargs="*", choices=[OURS, *PEERS], default=[])
    parser.add_argument("--one-core", nargs="*", choices=SIZES, default=[])
    parser.add_argument("--logs", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results")
    parser.add_argument("--users", type=int, help="simulate this many users instead")
    options = parser.parse_args(arguments)
    file = options.results / "speed.json"
    nothing = '{"sizes": {}, "one_core": {}}'
    results = json.loads(file.read_text(encoding="utf-8") if file.exists() else nothing)
    how = {
        "command": shlex.join(["python", "-m", "benchmarks.speed", *(arguments or sys.argv[1:])]),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    simulation = {"users": options.users} if options.users else {}
    for size in options.sizes:
        log = Log(size, options.logs.resolve(), simulation)
        results["sizes"][size] = {
            **how,
            **compare(log, options.subjects, options.repeats, options.once),
        }
    for size in options.one_core:
        log = Log(size, options.logs.resolve(), simulation)
        results["one_core"][size] = {**how, **on_one_core(log)}
    save_results(file, results)
    drawn(results).savefig(options.results / "speed.png")
    told(f"Results: {options.results}/speed.json and speed.png")


if __name__ == "__main__":
    main()
