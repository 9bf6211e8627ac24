"""Whether the same log and parameters give the same answer on other cores, partitions and files.

`python -m benchmarks.determinism` simulates a log, runs the default pipelines on it in one way,
then in other ways, compares every value that the runs left, and writes `determinism.json` to
`--results`. It ends with an error if less agrees than is promised.
"""

import platform
import random
import sys
from pathlib import Path
from typing import Any

from benchmarks.agreement import FROM_THE_MODEL_ON, agreement, broken, results
from benchmarks.elsewhere import Elsewhere, asked
from benchmarks.saving import save_results

LOCAL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
    "spark.submit.pyFiles": None,
    "spark.pyspark.python": None,
    "spark.executor.extraJavaOptions": None,
    "spark.eventLog.enabled": False,
}
ADAPTIVE, SHUFFLE = "spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions"
SPLITS = "spark.sql.files.maxPartitionBytes"
SHUFFLED = "shuffled lines"
ONE, TWO, FOUR, EIGHT, OTHER_FILES = (
    "1 core, 7 shuffle partitions",
    "2 cores, 1 shuffle partition",
    "4 cores, 3 shuffle partitions",
    "8 cores, 200 shuffle partitions, planned anew after every stage",
    f"2 cores, 33 shuffle partitions, {SHUFFLED} in other files",
)
WAYS: dict[str, dict[str, Any]] = {
    ONE: {"spark.master": "local[1]", SHUFFLE: 7, ADAPTIVE: False},
    TWO: {"spark.master": "local[2]", SHUFFLE: 1, ADAPTIVE: False},
    FOUR: {"spark.master": "local[4]", SHUFFLE: 3, ADAPTIVE: False},
    EIGHT: {"spark.master": "local[8]", SHUFFLE: 200, ADAPTIVE: True, SPLITS: "8m"},
    OTHER_FILES: {"spark.master": "local[2]", SHUFFLE: 33, ADAPTIVE: False, SPLITS: "3m"},
}
# By modelling.partitions, each with as many cores at least: XGBoost needs them. The first way is
# what the others are compared with. Two partitions are compared on a cluster (benchmarks.cluster).
SERIES = {1: [TWO, ONE, EIGHT, OTHER_FILES], 4: [FOUR, EIGHT]}


def told(text: str) -> None:
    """Say how far the comparison is."""
    print(text, file=sys.stderr, flush=True)


def shuffled_log(log: Path, target: Path, files: int = 5) -> None:
    """Write a log's lines in another order, in other files."""
    lines = [line for part in sorted(log.glob("part-*")) for line in part.open(encoding="utf-8")]
    random.Random(1).shuffle(lines)  # noqa: S311 -- no secret
    target.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        (target / f"lines-{files - number}.json").write_text(
            "".join(lines[number::files]), encoding="utf-8"
        )


def compare(folder: Path, log: Path, partitions: int, ways: list[str]) -> dict[str, Any]:
    """Run the default pipelines in each way; say to how many digits each result agrees."""
    # Every candidate in two folds: what differs in one fit of five differs in one of two.
    modelling = {"modelling": {"partitions": partitions, "folds": 2}}
    found, agreed = {}, {}
    for place, name in enumerate(ways):
        there = Elsewhere(folder / f"{partitions}-{place}", {**LOCAL, **WAYS[name]}, modelling)
        there.take_log(log.with_name("shuffled") if SHUFFLED in name else log)
        seconds = there.run("__default__")
        found[name] = results(there.data)
        agreed[name] = agreement(found[ways[0]], found[name])
        told(
            f"modelling.partitions {partitions}, {name}: {seconds} s, {len(agreed[name])} results, "
            f"all to {min(agreed[name].values())} digits"
        )
    return agreed


def main(arguments: list[str] | None = None) -> None:
    """Compare what the command line asks for."""
    options = asked(__doc__, "determinism", arguments)
    folder = options.folder
    told(f"simulating {options.users} users")
    first = Elsewhere(folder / "log", {**LOCAL, "spark.master": "local[2]"}, {})
    first.run("simulation", "--params", f"simulation.users={options.users},simulation.files=3")
    shuffled_log(first.log, first.log.with_name("shuffled"))
    agreed = {
        partitions: compare(folder, first.log, partitions, names)
        for partitions, names in SERIES.items()
    }
    report = {
        "users": options.users,
        "python": platform.python_version(),
        "promised_from_the_model_on": FROM_THE_MODEL_ON,
        "digits_by_modelling_partitions": agreed,
    }
    save_results(options.results / "determinism.json", report)
    apart = {
        name
        for partitions, ways in agreed.items()
        for found in ways.values()
        for name in broken(found, partitions)
    }
    if apart:
        sys.exit(f"Error: less agrees than promised, see determinism.json: {sorted(apart)}.")


if __name__ == "__main__":
    main()
