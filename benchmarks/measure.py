"""Run a command and measure its time and memory."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.5


class CommandFailedError(RuntimeError):
    """A measured command ended with an error."""


@dataclass(frozen=True)
class Measurement:
    """Time and memory of a command with its child processes, and its output.

    `peak_bytes` is the proportional set size of all processes together. CPU time and memory are
    sampled every half second.
    """

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


def measure(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Measurement:
    """Run a command and measure it; its output goes to a file in the folder.

    Raises:
        CommandFailedError: with the last lines of the output.
    """
    started, peak, cpu = time.perf_counter(), 0, {}
    log = folder / "output.txt"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        while process.poll() is None:
            resident = 0
            for member in _list_processes(process.pid):
                try:
                    times = member.cpu_times()
                    cpu[member.pid] = times.user + times.system
                    resident += member.memory_full_info().pss
                except psutil.Error:
                    continue  # it has just ended
            peak = max(peak, resident)
            time.sleep(SAMPLE_SECONDS)
    wall = time.perf_counter() - started
    text = log.read_text(encoding="utf-8")
    if process.returncode:
        raise CommandFailedError(f"{' '.join(command)} failed:\n{text[-3000:]}")
    return Measurement(round(wall, 2), round(sum(cpu.values()), 2), peak, text)


def _list_processes(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []
