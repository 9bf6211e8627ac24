"""Where the seconds of check_events go: its steps on a log, each timed without those before it.

`python -m benchmarks.steps LOG` reads the lines, counts their hashes in search of duplicates,
parses them, checks them, and writes the table, `--repeats` times in turn, with an environment's
settings. Every step is timed whole; what one adds to those it builds on is the difference of
medians. The first turn warms Java up and does not count.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kedro.config import OmegaConfigLoader
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.speed import ROOT, told
from sparkify.pipelines.data_processing.nodes import check_events, find_repeated_events
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.settings import CONFIG_LOADER_ARGS
from sparkify.spark.checksums import record_hash
from sparkify.spark.jvm_options import submit_arguments

READ, MOVED, CHECKED, WRITTEN, REPEATED = STEPS = (
    "read the lines and hash them",
    "move them to Python and back",
    "check them",
    "write the table",
    "find repeated events",
)


def steps(
    lines: DataFrame, parameters: DataProcessingParameters, folder: Path
) -> dict[str, Callable[[], None]]:
    """Return what each step does, with all that it needs."""
    table = str(folder / "checked_events")
    hashed = lines.select(F.col("value").cast("binary"), record_hash().alias("record_hash"))

    def write() -> None:
        check_events(lines, parameters).write.mode("overwrite").parquet(table)

    return {
        READ: lambda: nowhere(hashed),
        MOVED: lambda: nowhere(hashed.mapInArrow(lambda batches: batches, hashed.schema)),
        CHECKED: lambda: nowhere(check_events(lines, parameters)),
        WRITTEN: write,
        REPEATED: lambda: nowhere(find_repeated_events(lines.sparkSession.read.parquet(table))),
    }


def nowhere(rows: DataFrame) -> None:
    """Compute all rows and keep none."""
    rows.write.format("noop").mode("overwrite").save()


def added(medians: dict[str, float]) -> dict[str, float]:
    """Return what every step adds to those that it builds on: together, the whole."""
    alone = {
        READ: medians[READ],
        MOVED: medians[MOVED] - medians[READ],
        CHECKED: medians[CHECKED] - medians[MOVED],
        WRITTEN: medians[WRITTEN] - medians[CHECKED],
        REPEATED: medians[REPEATED],
    }
    return {name: round(seconds, 2) for name, seconds in alone.items()}


def timed(work: dict[str, Callable[[], None]], repeats: int) -> dict[str, float]:
    """Do all steps in turn, once more than counts; return each one's median of seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(repeats + 1):
        for name, step in work.items():
            started = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - started)
            told(f"turn {turn} of {repeats}, {name}: {seconds[name][-1]:.1f} s")
    return {name: statistics.median(taken[1:]) for name, taken in seconds.items()}


def main(arguments: list[str] | None = None) -> None:
    """Time the steps on the log that the command line names; print what each adds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--env", default="full")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    loader = OmegaConfigLoader(str(ROOT / "conf"), options.env, **CONFIG_LOADER_ARGS)
    os.environ["PYSPARK_SUBMIT_ARGS"] = submit_arguments(loader["spark"])
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = SparkSession.builder.getOrCreate()
    lines = spark.read.text(str(options.log), recursiveFileLookup=True)
    asked = loader["parameters"]["data_processing"]
    parameters = DataProcessingParameters.model_validate(asked)
    with tempfile.TemporaryDirectory() as folder:
        medians = timed(steps(lines, parameters, Path(folder)), options.repeats)
    print(json.dumps(added(medians), indent=1))


if __name__ == "__main__":
    main()
