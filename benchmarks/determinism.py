"""Compare results of one log on different numbers of cores, partitions and input files.

`python -m benchmarks.determinism` simulates a log, runs the default pipelines on it in several
ways, compares every value of the results, and writes `determinism.json` to `--results`. It ends
with an error if fewer digits agree than promised (docs/deployment.md).
"""

import platform
import random
import sys
from pathlib import Path
from typing import Any

from benchmarks.agreement import MIN_DIGITS, compare_results, list_below_promise, read_results
from benchmarks.program import print_progress, save_results
from benchmarks.project_copy import LOCAL, ProjectCopy, parse_options

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
# Ways by modelling.partitions, which XGBoost needs as many cores for; each is compared with the
# first. benchmarks.cluster compares runs with two partitions.
SERIES = {1: [TWO, ONE, EIGHT, OTHER_FILES], 4: [FOUR, EIGHT]}


def shuffle_log(log: Path, target: Path, files: int = 5) -> None:
    """Write the lines of a log in random order to other files."""
    lines = [line for part in sorted(log.glob("part-*")) for line in part.open(encoding="utf-8")]
    random.Random(1).shuffle(lines)  # noqa: S311 -- no secret
    target.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        file = target / f"lines-{files - number}.json"
        file.write_text("".join(lines[number::files]), encoding="utf-8")


def compare(folder: Path, log: Path, partitions: int, ways: list[str]) -> dict[str, Any]:
    """Run the default pipelines in each way; return the equal digits of each result."""
    # All candidates in two folds instead of five: every fit runs the same code.
    modelling = {"modelling": {"partitions": partitions, "folds": 2}}
    results, agreed = {}, {}
    for place, way in enumerate(ways):
        project = ProjectCopy(folder / f"{partitions}-{place}", {**LOCAL, **WAYS[way]}, modelling)
        project.link_log(log.with_name("shuffled") if SHUFFLED in way else log)
        seconds = project.run("__default__")
        results[way] = read_results(project.data)
        agreed[way] = compare_results(results[ways[0]], results[way])
        print_progress(
            f"modelling.partitions {partitions}, {way}: {seconds} s, {len(agreed[way])} results, "
            f"all to {min(agreed[way].values())} digits"
        )
    return agreed


def main(arguments: list[str] | None = None) -> None:
    """Run the comparison."""
    options = parse_options(__doc__, "determinism", arguments)
    print_progress(f"simulating {options.users} users")
    first = ProjectCopy(options.folder / "log", {**LOCAL, "spark.master": "local[2]"}, {})
    first.run("simulation", "--params", f"simulation.users={options.users},simulation.files=3")
    shuffle_log(first.log, first.log.with_name("shuffled"))
    agreed = {
        partitions: compare(options.folder, first.log, partitions, ways)
        for partitions, ways in SERIES.items()
    }
    report = {
        "users": options.users,
        "python": platform.python_version(),
        "promised_from_the_model_on": MIN_DIGITS,
        "digits_by_modelling_partitions": agreed,
    }
    save_results(options.results / "determinism.json", report)
    different = {
        name
        for partitions, ways in agreed.items()
        for digits in ways.values()
        for name in list_below_promise(digits, partitions)
    }
    if different:
        sys.exit(f"Error: fewer digits agree than promised, see {sorted(different)}.")


if __name__ == "__main__":
    main()
