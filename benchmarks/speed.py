"""Wall time, CPU seconds and peak memory of this project and other tools on the same logs.

`python -m benchmarks.speed --sizes mini 1GB` simulates missing logs under `build/bench` and runs
every subject `--repeats` times in turn. It checks that the features are equal and writes
`speed.json` and `speed.png` to `--results`. Results of other sizes in `speed.json` are kept.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from matplotlib.figure import Figure

from benchmarks.measure import Measurement, measure
from benchmarks.peers.equal import list_differences
from benchmarks.program import RESULTS, ROOT, describe_run, print_progress, save_results
from sparkify.figure_style import MODEL, PALE, TEXT_SIZE, add_legend, create_figure
from sparkify.pipeline_registry import register_pipelines

# Environment and simulation parameters of each log.
SIZES: dict[str, tuple[str, dict[str, Any]]] = {
    "mini": ("mini", {}),
    "1GB": ("full", {"users": 2_230, "files": 8}),
    "3GB": ("full", {"users": 5_575, "files": 16}),
    "12GB": ("full", {}),
}
FEATURE_NODES = {
    node.name
    for name in ("data_processing", "feature_engineering")
    for node in register_pipelines()[name].nodes
}
OURS = "this project"
PEERS = {
    "DuckDB": "benchmarks.peers.duckdb_peer",
    "Polars": "benchmarks.peers.polars_peer",
    "notebook": "benchmarks.peers.notebook",
    "floor": "benchmarks.peers.floor",
}
WITH_FEATURES = ("DuckDB", "Polars")
GIGABYTE = 1e9


class Log:
    """A log of some size, with a copy of conf/ that reads it."""

    def __init__(self, size: str, folder: Path, simulation: dict[str, Any]) -> None:
        self.size, self.folder = size, folder / size
        self.env, sized = SIZES[size]
        self._simulation = {**sized, **simulation}
        self.conf, self.path = self.folder / "conf", self.folder / "log.json"
        shutil.copytree(ROOT / "conf", self.conf, dirs_exist_ok=True)
        file = self.conf / self.env / "globals.yml"
        paths = {"raw_log": str(self.path), "data_root": str(self.folder / "data")}
        settings = yaml.safe_load(file.read_text(encoding="utf-8")) | paths
        file.write_text(yaml.safe_dump(settings), encoding="utf-8")

    def layer(self, name: str) -> Path:
        """Return the folder of a layer of the data."""
        return self.folder / "data" / name / self.env

    def require(self) -> None:
        """Simulate the log if it is missing, with the record that a run checks."""
        if not self.path.exists():
            print_progress(f"{self.size}: simulating the log")
            self.kedro("--pipelines", "simulation", *self.simulation_options())

    def simulation_options(self) -> list[str]:
        """Return the options of `kedro run` for this log's simulation."""
        params = ",".join(f"simulation.{key}={value}" for key, value in self._simulation.items())
        return ["--params", params] if params else []

    def kedro(self, *options: str, environment: Mapping[str, str] | None = None) -> Measurement:
        """Measure `kedro run` on this log, with further environment variables."""
        command = [sys.executable, "-m", "sparkify", "--conf-source", str(self.conf)]
        return measure_python([*command, "--env", self.env, *options], self.folder, environment)

    def timings(self) -> list[dict[str, Any]]:
        """Return the run times of the nodes, as the run saved them; None for missing values."""
        timings = pd.read_csv(self.layer("08_reporting") / "run_timings.csv")
        return list(json.loads(timings.to_json(orient="records")))


def measure_python(
    command: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Measurement:
    """Measure a Python program that imports the project and the benchmarks."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return measure(command, folder, {**os.environ, "PYTHONPATH": path, **(environment or {})})


def _list_figures(
    run: Measurement, model_seconds: float, phases: dict[str, float]
) -> dict[str, Any]:
    return {
        "features_seconds": round(run.wall_seconds - model_seconds, 2),
        "wall_seconds": run.wall_seconds,
        "cpu_seconds": run.cpu_seconds,
        "peak_bytes": run.peak_bytes,
        "phases": phases,
    }


def run_ours(log: Log) -> dict[str, Any]:
    """Run the project's default pipeline; all nodes after the features count as the model."""
    run, nodes = log.kedro(), log.timings()
    phases = {row["node"]: row["seconds"] for row in nodes}
    model = sum(seconds for node, seconds in phases.items() if node not in FEATURE_NODES)
    return {**_list_figures(run, model, phases), "nodes": nodes}


def run_peer(name: str, log: Log) -> dict[str, Any]:
    """Run another tool in a process."""
    folder = log.folder / name
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", PEERS[name], str(log.path), str(folder)]
    run = measure_python(command, folder)
    phases = json.loads(run.output.strip().splitlines()[-1])
    if name in WITH_FEATURES:
        different = list_differences(
            log.layer("04_feature") / "features", folder / "features.parquet"
        )
        assert not different, f"{name} and this project differ in features: {different}"
    return _list_figures(run, phases.get("model", 0), phases)


def compare(log: Log, subjects: list[str], repeats: int) -> dict[str, Any]:
    """Run all subjects in turn, several times."""
    log.require()
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in subjects}
    for turn in range(1, repeats + 1):
        for name in subjects:
            run = run_ours(log) if name == OURS else run_peer(name, log)
            runs[name].append(run)
            print_progress(
                f"{log.size}, turn {turn} of {repeats}, {name}: {run['features_seconds']:.1f} s "
                f"to features, {run['wall_seconds']:.1f} s in total, "
                f"{run['cpu_seconds']:.0f} CPU s, {run['peak_bytes'] / GIGABYTE:.1f} GB"
            )
    measures = ["features_seconds", "wall_seconds", "cpu_seconds", "peak_bytes"]
    medians = {
        name: {one: statistics.median(run[one] for run in rows) for one in measures}
        for name, rows in runs.items()
    }
    return {
        "log_bytes": sum(part.stat().st_size for part in log.path.glob("part-*")),
        "subjects": {name: {"median": medians[name], "runs": rows} for name, rows in runs.items()},
    }


def draw(results: dict[str, Any]) -> Figure:
    """Draw the seconds to the features and in total: a panel per log, a bar per subject."""
    sizes = sorted(results["sizes"].values(), key=lambda size: size["log_bytes"])
    subjects = max(len(size["subjects"]) for size in sizes)
    figure, panels = create_figure(
        "Seconds to the features, and to an evaluated model",
        "Medians; less is better. “floor” only reads the log",
        0.4 + (0.6 + 0.32 * subjects) * len(sizes),
        rows=len(sizes),
    )
    for axes, size in zip(panels, sizes, strict=True):
        medians = pd.DataFrame({name: one["median"] for name, one in size["subjects"].items()}).T
        wall, features = medians["wall_seconds"], medians["features_seconds"]
        axes.barh(medians.index, wall, color=PALE, label="to the model")
        axes.barh(medians.index, features, color=MODEL, label="to the features")
        for name in medians.index:
            text = f" {features[name]:,.0f} s, {wall[name]:,.0f} s in total"
            axes.text(wall[name], name, text, va="center", fontsize=TEXT_SIZE)
        axes.margins(x=0.3)
        axes.set(xlim=(0, None), ylim=(len(medians) - 0.4, -0.6))
        axes.set_xlabel(f"Seconds for {size['log_bytes'] / GIGABYTE:.2f} GB of log")
        axes.locator_params(axis="x", nbins=6)
        axes.grid(axis="y", visible=False)
    add_legend(figure, 2)
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes",
        nargs="*",
        choices=SIZES,
        default=["mini", "1GB"],
        help="none: only draw the saved results again",
    )
    parser.add_argument("--subjects", nargs="+", choices=[OURS, *PEERS], default=[OURS, *PEERS])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--logs", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--users", type=int, help="simulate this number of users instead")
    options = parser.parse_args(arguments)
    file = options.results / "speed.json"
    results = {"sizes": {}, "one_core": {}}
    if file.exists():
        results = json.loads(file.read_text(encoding="utf-8"))
    simulation = {"users": options.users} if options.users else {}
    for size in options.sizes:
        log = Log(size, options.logs.resolve(), simulation)
        figures = compare(log, options.subjects, options.repeats)
        results["sizes"][size] = {**describe_run("speed", arguments), **figures}
    save_results(file, results)
    draw(results).savefig(options.results / "speed.png")
    print_progress(f"Results: {options.results}/speed.json and speed.png")


if __name__ == "__main__":
    main()
