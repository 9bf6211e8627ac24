"""Seconds of a run after a new day, of sixty days one by one, and of logs in many files.

`python -m benchmarks.refresh --size 12GB` simulates missing logs split by day under `build/bench`
and measures, by `--parts`:

- refresh: a first run on all days but the last; then, with the last day, a run without and a run
  with training, beside DuckDB's and Polars' whole pass to the features. Both check that features
  are equal. `--earlier` also runs the features of another checkout of the project on the log.
- growth: CPU seconds of data processing and feature engineering for each of 60 days.
- files: CPU seconds of data processing for a log in 8 files, by day and by hour.

Writes `refresh.json` to `--results`; results of other sizes and parts in it are kept.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import Measurement, measure
from benchmarks.program import RESULTS, ROOT, describe_run, print_progress, save_results
from benchmarks.speed import FEATURE_NODES, SIZES, WITH_FEATURES, Log, run_peer

TO_FEATURES = "data_processing,feature_engineering"
WITH_TRAINING = "__default__,monitoring"
# Options and environment of `kedro run`: as `make daily`, and with training.
RUNS = {
    "without training": (
        ["--pipelines", "daily", "--runner", "ThreadRunner"],
        {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"},
    ),
    "with training": (["--pipelines", WITH_TRAINING, "--runner", "ThreadRunner"], {}),
}
DAYS, NEW_DAYS = 61, 60  # of the published log; added one by one
FIRST_DAYS = 18  # the shortest log with a forecast: a history, a horizon and a day
LARGE_FILES, HOURS = 8, 24


class DailyLog(Log):
    """A log with a file per day, of which some days may be held back."""

    def __init__(self, size: str, folder: Path, days: int, simulation: dict[str, Any]) -> None:
        further = {"files": days, "days": min(days, DAYS), "further_days": max(days - DAYS, 0)}
        super().__init__(size, folder, {**simulation, **further})
        self._held_back = self.folder / "held_back"

    def require(self) -> None:
        """Simulate the log if it is missing; put all days back."""
        if self._held_back.exists():
            self.release(len(self._list_held_back()))
        super().require()

    def hold_back(self, days: int) -> None:
        """Move the last days out of the log."""
        self._held_back.mkdir(exist_ok=True)
        for part in sorted(self.path.glob("part-*"))[-days:]:
            part.rename(self._held_back / part.name)

    def release(self, days: int = 1) -> int:
        """Move the first days that are held back into the log; return their bytes."""
        parts = self._list_held_back()[:days]
        for part in parts:
            part.rename(self.path / part.name)
        return sum((self.path / part.name).stat().st_size for part in parts)

    def _list_held_back(self) -> list[Path]:
        return sorted(self._held_back.glob("part-*"))

    @property
    def results(self) -> list[Path]:
        """The folders of all layers that runs write."""
        return sorted((self.folder / "data").glob("0[2-8]_*"))

    def remove_results(self) -> None:
        """Remove what runs have written."""
        for layer in self.results:
            shutil.rmtree(layer)

    def save_results(self) -> Callable[[], None]:
        """Copy what runs have written; return a function that restores it."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        for layer in self.results:
            shutil.copytree(layer, copy / layer.name)

        def restore() -> None:
            self.remove_results()
            for layer in copy.iterdir():
                shutil.copytree(layer, self.folder / "data" / layer.name)

        return restore


def describe(run: Measurement) -> dict[str, float]:
    """Return the figures of a run."""
    return {
        "wall_seconds": run.wall_seconds,
        "cpu_seconds": run.cpu_seconds,
        "peak_bytes": run.peak_bytes,
    }


def measure_refresh(log: DailyLog, repeats: int, earlier: Path | None) -> dict[str, Any]:
    """Measure a first run, runs with a new day, and the whole pass of other tools."""
    log.require()
    log.remove_results()
    log.hold_back(1)
    figures: dict[str, Any] = {"history_bytes": sum(p.stat().st_size for p in _list_parts(log))}
    if earlier:
        figures["earlier_first_run"] = describe(_run_earlier(log, earlier))
        log.remove_results()
    figures["first_run"] = describe(log.kedro("--pipelines", TO_FEATURES))
    figures["first_run_nodes"] = _read_nodes(log.folder / "output.txt")
    print_progress(f"{log.size}: first run to features {figures['first_run']['wall_seconds']} s")
    log.kedro("--pipelines", WITH_TRAINING)
    restore = log.save_results()
    figures["new_day_bytes"] = log.release()
    runs: dict[str, list[dict[str, float]]] = {}
    for turn in range(1, repeats + 1):
        for name, (options, environment) in RUNS.items():
            restore()
            run = log.kedro(*options, environment=environment)
            nodes = _read_nodes(log.folder / "output.txt")
            runs.setdefault(name, []).append({**describe(run), "nodes": nodes})
            print_progress(f"{log.size}, turn {turn}, {name}: {run.wall_seconds} s")
        for name in WITH_FEATURES:
            peer = run_peer(name, log)
            runs.setdefault(name, []).append(peer)
            print_progress(f"{log.size}, turn {turn}, {name}: {peer['features_seconds']:.1f} s")
    medians = {
        name: statistics.median(
            run["features_seconds" if name in WITH_FEATURES else "wall_seconds"] for run in one
        )
        for name, one in runs.items()
    }
    return {**figures, "median_seconds": medians, "runs": runs}


def _list_parts(log: Log) -> list[Path]:
    return sorted(log.path.glob("part-*"))


def _read_nodes(output: Path) -> dict[str, float]:
    """Return the seconds of the nodes of a run from its output."""
    words = (line.split() for line in output.read_text(encoding="utf-8").splitlines())
    return {line[2]: float(line[3]) for line in words if len(line) == 5 and line[4] == "s"}


def _run_earlier(log: Log, checkout: Path) -> Measurement:
    """Run another checkout of the project to the features, with its own settings."""
    conf = log.folder / "earlier_conf"
    shutil.copytree(checkout / "conf", conf, dirs_exist_ok=True)
    shutil.copy(log.conf / log.env / "globals.yml", conf / log.env)
    command = [sys.executable, "-m", "sparkify", "--conf-source", str(conf), "--env", log.env]
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    return measure([*command, "--pipelines", TO_FEATURES], log.folder, environment)


def measure_growth(log: DailyLog) -> dict[str, Any]:
    """Measure the runs to the features for days that are added one by one."""
    log.require()
    log.remove_results()
    log.hold_back(NEW_DAYS)
    log.kedro("--pipelines", TO_FEATURES)
    days = []
    for day in range(1, NEW_DAYS + 1):
        log.release()
        run = log.kedro("--pipelines", TO_FEATURES)
        seconds = sum(
            value
            for name, value in _read_nodes(log.folder / "output.txt").items()
            if name in FEATURE_NODES
        )
        days.append({**describe(run), "node_seconds": round(seconds, 1)})
        print_progress(f"{log.size}, day {day} of {NEW_DAYS}: {run.cpu_seconds} CPU s")
    # The median of five days: single runs differ by a tenth.
    first, last = (
        statistics.median(day["cpu_seconds"] for day in some) for some in (days[:5], days[-5:])
    )
    return {"first_cpu_seconds": first, "last_cpu_seconds": last, "days": days}


def measure_files(log: DailyLog) -> dict[str, Any]:
    """Measure data processing of one log in few, daily and hourly files."""
    log.require()
    daily = _list_parts(log)
    figures = {}
    for name, pieces in {"8 files": None, "by day": 1, "by hour": HOURS}.items():
        other = DailyLog(f"{log.size}", log.folder / "files" / name.replace(" ", "_"), DAYS, {})
        other.path.mkdir(parents=True, exist_ok=True)
        if pieces is None:
            for number in range(LARGE_FILES):
                _join(daily[number::LARGE_FILES], other.path / f"part-{number}.json")
        else:
            for part in daily:
                _split(part, other.path, pieces)
        other.remove_results()
        run = other.kedro("--pipelines", "data_processing")
        figures[name] = {"files": len(_list_parts(other)), **describe(run)}
        print_progress(f"{log.size}, {name}: {run.cpu_seconds} CPU s")
        shutil.rmtree(other.path)
    return figures


def _join(parts: list[Path], target: Path) -> None:
    with target.open("wb") as file:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, file)


def _split(part: Path, folder: Path, pieces: int) -> None:
    """Write the lines of a file to several files of the same number of lines."""
    with part.open("rb") as file:
        lines = file.readlines()
    size = -(-len(lines) // pieces)
    for number in range(pieces):
        target = folder / f"{part.stem}-{number:02}.json"
        target.write_bytes(b"".join(lines[number * size : (number + 1) * size]))


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="1GB")
    parts = ["refresh", "growth", "files"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--earlier", type=Path, help="a checkout of an earlier version")
    parser.add_argument("--logs", type=Path, default=ROOT / "build/bench/refresh")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--users", type=int, help="simulate this number of users instead")
    options = parser.parse_args(arguments)
    simulation = {"users": options.users} if options.users else {}
    logs = options.logs.resolve()

    def open_log(days: int) -> DailyLog:
        return DailyLog(options.size, logs / f"{days}_days", days, simulation)

    measurements: dict[str, Callable[[], dict[str, Any]]] = {
        "refresh": lambda: measure_refresh(open_log(DAYS + 1), options.repeats, options.earlier),
        "growth": lambda: measure_growth(open_log(FIRST_DAYS + NEW_DAYS)),
        "files": lambda: measure_files(open_log(DAYS)),
    }
    file = options.results / "refresh.json"
    results = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for part in options.parts:
        figures = {**describe_run("refresh", arguments), **measurements[part]()}
        results.setdefault(options.size, {})[part] = figures
        save_results(file, results)
    print_progress(f"Results: {file}")


if __name__ == "__main__":
    main()
