"""What the benchmark programs share: results, progress, and their Spark session."""

import json
import os
import platform
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from sparkify.spark.jvm_options import submit_arguments

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
ABSOLUTE_PATH = re.compile(r"(?<![\w./:<>])(?:/[\w.@+~-]+)+/?")  # but not a part of a URL


def print_progress(text: str) -> None:
    """Print a line to the standard error."""
    print(text, file=sys.stderr, flush=True)


def describe_run(name: str, arguments: Sequence[str] | None) -> dict[str, Any]:
    """Return the command of a benchmark, the number of cores and the version of Python."""
    command = ["python", "-m", f"benchmarks.{name}", *(arguments or sys.argv[1:])]
    return {
        "command": shlex.join(command),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def save_results(file: Path, results: dict[str, Any]) -> None:
    """Write results as JSON; paths in the project become relative, all others `<path>`."""
    text = json.dumps(results, indent=1, ensure_ascii=False)
    relative = text.replace(f"{ROOT}/", "").replace(str(ROOT), "<path>")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(ABSOLUTE_PATH.sub("<path>", relative) + "\n", encoding="utf-8")


def start_spark(settings: Mapping[str, Any]) -> SparkSession:
    """Start Spark with these settings; its Python workers find the project and the benchmarks."""
    os.environ["PYSPARK_SUBMIT_ARGS"] = submit_arguments(settings)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return SparkSession.builder.getOrCreate()
