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
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kedro.config import OmegaConfigLoader
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.speed import ROOT, told
from sparkify.jvm import submit_arguments
from sparkify.log_digest import line_hash
from sparkify.pipelines.data_processing import parsing
from sparkify.pipelines.data_processing.nodes import checked_events, repeated_hashes
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.settings import CONFIG_LOADER_ARGS

READ, HASHED, PARSED, CHECKED, WRITTEN = STEPS = (
    "read the lines",
    "count their hashes",
    "parse them",
    "check them",
    "write the table",
)


def steps(
    lines: DataFrame, parameters: DataProcessingParameters, folder: Path
) -> dict[str, Callable[[], None]]:
    """Return what each step does, with all that it needs."""

    def write() -> None:
        table = checked_events(lines, parameters).write.mode("overwrite")
        table.parquet(str(folder / "checked_events"))

    hashed = lines.select(line_hash().alias("line_hash"))
    parsed = parsing.parsed(F.col("value"), parameters.fields).alias("fields")
    return {
        READ: lambda: nowhere(lines),
        HASHED: lambda: nowhere(repeated_hashes(hashed)),
        PARSED: lambda: nowhere(lines.select(parsed).select("fields.*")),
        CHECKED: lambda: nowhere(checked_events(lines, parameters)),
        WRITTEN: write,
    }


def nowhere(rows: DataFrame) -> None:
    """Compute all rows and keep none."""
    rows.write.format("noop").mode("overwrite").save()


def added(medians: dict[str, float]) -> dict[str, float]:
    """Return what every step adds to those that it builds on: together, the whole."""
    alone = {
        READ: 2 * medians[READ],  # once for the hashes, once for the parsing
        HASHED: medians[HASHED] - medians[READ],
        PARSED: medians[PARSED] - medians[READ],
        CHECKED: medians[CHECKED] - medians[HASHED] - medians[PARSED],
        WRITTEN: medians[WRITTEN] - medians[CHECKED],
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
    spark = SparkSession.builder.getOrCreate()
    lines = spark.read.text(str(options.log), recursiveFileLookup=True)
    asked = loader["parameters"]["data_processing"]
    parameters = DataProcessingParameters.model_validate(asked)
    with tempfile.TemporaryDirectory() as folder:
        medians = timed(steps(lines, parameters, Path(folder)), options.repeats)
    print(json.dumps(added(medians), indent=1))


if __name__ == "__main__":
    main()
