"""Trials: what was tried, what happened, and what was lost."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.chaos.project import ChaosProject, FinishedRun
from benchmarks.chaos.state import ABSENT, NOT_COMPARED, UNREADABLE, State
from benchmarks.program import save_results


class Trial:
    """One trial: what happened, and what was lost by it."""

    def __init__(self) -> None:
        self.happened = ""
        self.lost: list[str] = []

    def expect(self, condition: bool, loss: str) -> None:
        """Record a loss unless the condition holds."""
        if not condition:
            self.lost.append(loss)

    def expect_success(self, run: FinishedRun, name: str = "it") -> None:
        """Record a loss if a run failed."""
        self.expect(run.code == 0, f"{name} failed: {run.output[-300:]}")

    def expect_message(self, run: FinishedRun, words: str = "") -> None:
        """Record a loss unless a run ended with one message to the user that has these words."""
        self.expect(run.is_one_message, f"it ended with {run.code}: {run.output[-600:]}")
        self.expect(words in " ".join(run.errors), f"it says {run.errors}")

    def expect_no_leftovers(self, project: ChaosProject) -> None:
        """Record every unfinished file or folder as a loss."""
        self.lost += [f"left behind: {path}" for path in project.list_leftovers()]

    def expect_equal(self, state: State, expected: State) -> None:
        """Record every dataset that differs from the expected one, or does not load."""
        self.lost += [
            f"{name} differs: {state[name]} for {expected[name]}"
            for name in expected
            if state[name] != expected[name]
            and (name not in NOT_COMPARED or state[name].startswith(UNREADABLE))
        ]

    def count_old_and_new(self, state: State, old: State, new: State) -> tuple[int, int]:
        """Return how many datasets are still the old ones, and how many are the new ones.

        All others are lost. A dataset may only be absent if it was before.
        """
        old_count = new_count = 0
        for name, digest in state.items():
            if digest.startswith(UNREADABLE) or (
                name not in NOT_COMPARED and digest not in (old[name], new[name])
            ):
                self.lost.append(f"{name} is neither old nor new: {digest}")
            elif digest == new[name] != old[name]:
                new_count += 1
            elif digest != ABSENT:
                old_count += 1
        return old_count, new_count


class Trials:
    """The results of all trials; prints a line for each."""

    def __init__(self, minutes: float) -> None:
        self._started, self._minutes = time.time(), minutes
        self._lock = threading.Lock()
        self.trials: list[dict[str, Any]] = []
        self.left_out: dict[str, int] = {}  # trials for which no time was left

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.time() - self._started

    @property
    def has_losses(self) -> bool:
        """Whether anything was lost."""
        return any(trial["lost"] for trial in self.trials)

    def is_time_left(self, tried: str, share: float = 1) -> bool:
        """Return whether a trial may still start, within a share of the time; record it if not."""
        if self.seconds < self._minutes * 60 * share:
            return True
        with self._lock:
            self.left_out[tried] = self.left_out.get(tried, 0) + 1
        return False

    def print_progress(self, line: str) -> None:
        """Print a line with the time since the start."""
        with self._lock:
            print(f"{self.seconds // 60:3.0f}:{self.seconds % 60:02.0f}  {line}", flush=True)

    def record(self, tried: str, how: str, happened: str, lost: list[str]) -> None:
        """Keep and print the result of a trial."""
        with self._lock:
            trial = {"tried": tried, "how": how, "happened": happened, "lost": lost}
            self.trials.append(trial)
        losses = f"LOST {'; '.join(lost)}" if lost else "nothing lost"
        self.print_progress(f"{tried}, {how}: {happened}; {losses}")

    @contextmanager
    def trial(self, tried: str, how: str) -> Iterator[Trial]:
        """Open a trial and record it at its end; an exception is a loss."""
        trial = Trial()
        try:
            yield trial
        except Exception as error:
            trial.lost.append(f"the trial itself: {type(error).__name__}: {error}")
        self.record(tried, how, trial.happened, trial.lost)

    def table(self) -> str:
        """Return the closing table in Markdown."""
        lines = ["| what was tried | how often | what happened | lost |", "|---|---|---|---|"]
        for kind in dict.fromkeys(trial["tried"] for trial in self.trials):
            trials = [trial for trial in self.trials if trial["tried"] == kind]
            texts = list(dict.fromkeys(trial["happened"] for trial in trials))
            if len(texts) > 2:
                ends = Counter(trial["happened"].split("; ")[-1] for trial in trials)
                texts = [f"{count} {text}" for text, count in ends.most_common()]
            lost = sum(len(trial["lost"]) for trial in trials)
            lines.append(f"| {kind} | {len(trials)} | {'; '.join(texts)} | {lost or 'nothing'} |")
        if self.left_out:
            left_out = ", ".join(f"{kind} ({count})" for kind, count in self.left_out.items())
            lines.append(f"\nNo time was left for {left_out}.")
        return "\n".join(lines)

    def save(self, path: Path, **settings: object) -> None:
        """Save every trial as JSON."""
        totals = {"seconds": round(self.seconds), "left_out": self.left_out}
        save_results(path, {**settings, **totals, "trials": self.trials})
