"""Run time of the steps of check_events: read, move to Python, check, write, find duplicates.

`python -m benchmarks.steps LOG` times every step together with the steps before it, `--repeats`
times in turn, with the settings of an environment. The time of a step is the difference of
medians. The first turn compiles Java and does not count.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kedro.config import OmegaConfigLoader
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from benchmarks.program import ROOT, print_progress, start_spark
from sparkify.pipelines.data_processing.nodes import check_records, find_copies
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.settings import CONFIG_LOADER_ARGS
from sparkify.spark.checksums import record_hash

READ, MOVED, CHECKED, WRITTEN, REPEATED = STEPS = (
    "read the lines and hash them",
    "move them to Python and back",
    "check them",
    "write the table",
    "find repeated events",
)


def list_steps(
    lines: DataFrame, parameters: DataProcessingParameters, folder: Path
) -> dict[str, Callable[[], None]]:
    """Return a function for each step that runs it with the steps before it."""
    table = str(folder / "checked_events")
    hashed = lines.select(F.col("value").cast("binary"), record_hash().alias("record_hash"))
    moved = hashed.mapInArrow(lambda batches: batches, hashed.schema)
    checked = check_records(lines, parameters)
    return {
        READ: lambda: compute(hashed),
        MOVED: lambda: compute(moved),
        CHECKED: lambda: compute(checked),
        WRITTEN: lambda: checked.write.mode("overwrite").parquet(table),
        REPEATED: lambda: compute(find_copies(lines.sparkSession.read.parquet(table))),
    }


def compute(rows: DataFrame) -> None:
    """Compute all rows without storing any."""
    rows.write.format("noop").mode("overwrite").save()


def subtract_medians(medians: dict[str, float]) -> dict[str, float]:
    """Return the seconds of every step without those of the steps before it."""
    added = {
        READ: medians[READ],
        MOVED: medians[MOVED] - medians[READ],
        CHECKED: medians[CHECKED] - medians[MOVED],
        WRITTEN: medians[WRITTEN] - medians[CHECKED],
        REPEATED: medians[REPEATED],
    }
    return {name: round(seconds, 2) for name, seconds in added.items()}


def measure_medians(work: dict[str, Callable[[], None]], repeats: int) -> dict[str, float]:
    """Run all steps in turn; return the median seconds of each, without the first turn."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(repeats + 1):
        for name, step in work.items():
            started = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - started)
            print_progress(f"turn {turn} of {repeats}, {name}: {seconds[name][-1]:.1f} s")
    return {name: statistics.median(measured[1:]) for name, measured in seconds.items()}


def main(arguments: list[str] | None = None) -> None:
    """Time the steps and print their seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--env", default="full")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    loader = OmegaConfigLoader(str(ROOT / "conf"), options.env, **CONFIG_LOADER_ARGS)
    spark = start_spark(loader["spark"])
    lines = spark.read.text(str(options.log), recursiveFileLookup=True)
    parameters = DataProcessingParameters.model_validate(loader["parameters"]["data_processing"])
    with tempfile.TemporaryDirectory() as folder:
        medians = measure_medians(list_steps(lines, parameters, Path(folder)), options.repeats)
    print(json.dumps(subtract_medians(medians), indent=1))


if __name__ == "__main__":
    main()
