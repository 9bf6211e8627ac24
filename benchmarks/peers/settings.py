"""The project's parameters for the other tools, and the program that runs one of them."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

CONF = Path(__file__).parents[2] / "conf"
COLUMNS = {
    "ts": ("ts", "double"),
    "userId": ("user_id", "text"),
    "sessionId": ("session_id", "whole"),
    "page": ("page", "text"),
    "level": ("level", "text"),
    "itemInSession": ("item_in_session", "whole"),
    "registration": ("registration", "double"),
    "gender": ("gender", "text"),
    "length": ("length", "double"),
}


def _read(file: str) -> dict[str, Any]:
    return yaml.safe_load((CONF / file).read_text(encoding="utf-8"))


FEATURES = _read("base/parameters/feature_engineering.yml")["feature_engineering"]
PAGES: dict[str, str] = FEATURES["pages"]
BY_LEVEL: list[str] = FEATURES["by_level"]
MODELLING = _read("base/parameters/modelling.yml")["modelling"]
INPUTS = _read("base/parameters/modelling.yml")["inputs"]
# The other tools use rates as inputs and have no segments.
RATES = {**INPUTS["segments"]["rates"], **INPUTS["rates"]}
CANDIDATES = _read("base/globals.yml")["sizes"]["large"]["candidates"]
HORIZON: int = FEATURES["horizon_days"]
CANCELLATION: str = FEATURES["cancellation_page"]
SONG: str = PAGES["next_song"]
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000  # 2000 and 2100
SUMMED = [
    *[*PAGES, "other_pages", "sessions", "listening_ms", "active_days"],
    *[f"{level}_{name}" for name in BY_LEVEL for level in ("free", "paid")],
]
# Sums over the last days before the cutoff: (column, days) by the name of the sum.
RECENT: dict[str, tuple[str, int]] = {
    f"{name}_{days}d": (name, days)
    for name in FEATURES["windowed"]
    for days in FEATURES["windows_days"]
}


class Phases:
    """Seconds by phase, printed at the end of each phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure the time of a block."""
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 2)
        print(f"{name} {self.seconds[name]} s", file=sys.stderr, flush=True)


def main(run: Callable[[Path, Path, Phases], None]) -> None:
    """Run a tool on the log and folder of the command line; print its phases as JSON."""
    log, folder = map(Path, sys.argv[1:3])
    folder.mkdir(parents=True, exist_ok=True)
    phases = Phases()
    run(log, folder, phases)
    print(json.dumps(phases.seconds))


def part_files(log: Path) -> list[str]:
    """Return the files of a log that is a file or a directory of part files."""
    return [str(part) for part in sorted(log.glob("part-*"))] if log.is_dir() else [str(log)]


def list_cutoffs(first_day: date, log_end: date) -> list[date]:
    """List the cutoffs, weekly backwards from the hold-out."""
    earliest = first_day + timedelta(days=FEATURES["min_history_days"])
    holdout = log_end - timedelta(days=HORIZON)
    steps = (holdout - earliest).days // FEATURES["cutoff_step_days"]
    return [holdout - timedelta(days=n * FEATURES["cutoff_step_days"]) for n in range(steps + 1)]
