"""What was tried, how often, what happened, and what was lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.chaos.state import ABSENT, NOT_COMPARED, UNREADABLE, State
from benchmarks.saving import save_results


class Account:
    """Counts what happens in every trial and tells of each as it ends."""

    def __init__(self, minutes: float) -> None:
        self._started, self._minutes = time.time(), minutes
        self._lock = threading.Lock()
        self.trials: list[dict[str, object]] = []
        self.left_out: dict[str, int] = {}  # trials for which there was no time

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.time() - self._started

    def is_time_left(self, tried: str, share: float = 1) -> bool:
        """Whether another trial may start within a share of the time; notes it if not."""
        if self.seconds < self._minutes * 60 * share:
            return True
        with self._lock:
            self.left_out[tried] = self.left_out.get(tried, 0) + 1
        return False

    def tell(self, line: str) -> None:
        """Print a line of progress."""
        with self._lock:
            print(f"{self.seconds // 60:3.0f}:{self.seconds % 60:02.0f}  {line}", flush=True)

    def note(self, tried: str, how: str, happened: str, lost: list[str]) -> None:
        """Note a trial; `lost` says what is not as it should be."""
        trial = {"tried": tried, "how": how, "happened": happened, "lost": lost}
        with self._lock:
            self.trials.append(trial)
        told = f"LOST {'; '.join(lost)}" if lost else "nothing lost"
        self.tell(f"{tried}, {how}: {happened}; {told}")

    @contextmanager
    def trial(self, tried: str, how: str) -> Iterator["Trial"]:
        """Open a trial and note it at its end; one that breaks is a loss."""
        trial = Trial()
        try:
            yield trial
        except Exception as error:
            trial.lost.append(f"the trial itself: {type(error).__name__}: {error}")
        self.note(tried, how, trial.happened, trial.lost)

    def table(self) -> str:
        """Return the closing table in Markdown."""
        kinds = list(dict.fromkeys(str(trial["tried"]) for trial in self.trials))
        lines = ["| what was tried | how often | what happened | lost |", "|---|---|---|---|"]
        for kind in kinds:
            trials = [trial for trial in self.trials if trial["tried"] == kind]
            happened = dict.fromkeys(str(trial["happened"]) for trial in trials)
            shown = "; ".join(happened) if len(happened) < 3 else _summed(trials)
            lost = sum(len(trial["lost"]) for trial in trials)  # type: ignore[arg-type]
            lines.append(f"| {kind} | {len(trials)} | {shown} | {lost or 'nothing'} |")
        left_out = (f"{kind} ({count})" for kind, count in self.left_out.items())
        lines += [f"\nNo time was left for {', '.join(left_out)}."] if self.left_out else []
        return "\n".join(lines)

    def save(self, path: Path, **settings: object) -> None:
        """Save every trial as JSON."""
        told = {**settings, "seconds": round(self.seconds), "left_out": self.left_out}
        told["trials"] = self.trials
        save_results(path, told)

    @property
    def is_lost(self) -> bool:
        """Whether anything was lost."""
        return any(trial["lost"] for trial in self.trials)


class Trial:
    """One trial: what happened, and what was lost by it."""

    def __init__(self) -> None:
        self.happened, self.lost = "", []  # type: ignore[var-annotated]

    def expect(self, condition: bool, loss: str) -> None:
        """Note a loss unless the condition holds."""
        if not condition:
            self.lost.append(loss)

    def expect_equal(self, found: State, wanted: State) -> None:
        """Note every dataset that differs from the wanted one, or does not load."""
        self.lost += [
            f"{name} differs: {found[name]} for {wanted[name]}"
            for name in wanted
            if found[name] != wanted[name]
            and (name not in NOT_COMPARED or found[name].startswith(UNREADABLE))
        ]

    def count_old_and_new(self, found: State, old: State, new: State) -> tuple[int, int]:
        """Return how many datasets are still the old ones and how many the new ones.

        What is neither is lost; it may only be absent if it was.
        """
        is_old = is_new = 0
        for name, digest in found.items():
            if digest.startswith(UNREADABLE) or (
                name not in NOT_COMPARED and digest not in (old[name], new[name])
            ):
                self.lost.append(f"{name} is neither old nor new: {digest}")
            elif digest == new[name] != old[name]:
                is_new += 1
            elif digest != ABSENT:
                is_old += 1
        return is_old, is_new


def _summed(trials: list[dict[str, object]]) -> str:
    return "; ".join(
        f"{count} {what}"
        for what, count in _counts(str(trial["happened"]).split("; ")[-1] for trial in trials)
    )


def _counts(words: Iterator[str]) -> list[tuple[str, int]]:
    counted: dict[str, int] = {}
    for word in words:
        counted[word] = counted.get(word, 0) + 1
    return sorted(counted.items(), key=lambda pair: -pair[1])
