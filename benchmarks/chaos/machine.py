"""Faults of the machine: full disks, missing permissions, a second run. Mounts need root."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.chaos.kills import Undisturbed
from benchmarks.chaos.project import ENVIRONMENT, ChaosProject
from benchmarks.chaos.trials import Trial, Trials

NOBODY_ID = 65534
NOBODY = ("setpriv", f"--reuid={NOBODY_ID}", f"--regid={NOBODY_ID}", "--clear-groups")
SCRATCH = "no space for Spark's temporary files"
SHARES = (0.1, 0.5, 0.95)  # of what a run writes: in the first table, in the middle, at the end
LAYERS = ("", "06_models")  # without permission to write; "" is all layers


class MachineFaults:
    """Runs on a machine with a fault, each in a copy of a finished project."""

    def __init__(
        self, finished: ChaosProject, folder: Path, undisturbed: Undisturbed, trials: Trials
    ) -> None:
        self._finished, self._folder = finished, folder
        self._undisturbed, self._trials = undisturbed, trials

    def list_all(self) -> list[tuple[str, Callable[[], None]]]:
        """List each fault's name and trial; those that mount disks only if mounting is allowed."""
        faults: list[tuple[str, Callable[[], None]]] = [
            ("two runs at once", self.try_two_runs),
            (SCRATCH, self.try_full_scratch),
            *(("disk full", partial(self.try_full_disk, share)) for share in SHARES),
            ("raw folder read-only", self.try_read_only_raw),
            ("data folder read-only", self.try_read_only_data),
            *(
                ("no permission to write", partial(self.try_without_permission, one))
                for one in LAYERS
            ),
        ]
        if os.geteuid() == 0 and shutil.which("mount") is not None:
            return faults
        self._trials.print_progress("Only the second run is tried: mounting disks needs root.")
        return faults[:1]

    def try_full_disk(self, share: float) -> None:
        """Run on a disk with space for a share of what a run writes, then with enough space."""
        project = ChaosProject(self._folder / f"full-{share:.2f}")
        project.data.mkdir()
        settings = project.conf / ENVIRONMENT / "globals.yml"
        logs = [str(one.data / "01_raw") for one in (project, self._finished)]
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(*logs), encoding="utf-8")
        size = _measure_size(self._finished.data) - _measure_size(self._finished.data / "01_raw")
        how = f"space for {share:.0%} of what a run writes"
        with self._trials.trial("disk full", how) as trial:
            with mount_tmpfs(project.data, int(size * share)):
                run = project.run()
                trial.expect_message(run, "disk is full")
                state, other = self._undisturbed.read_state_of(project), self._undisturbed
                trial.count_old_and_new(state, other.before_the_first_run, other.states["A"])
                mount("-o", f"remount,size={size * 3}", str(project.data))
                trial.expect_success(project.run(), "with space it")
                self._expect_undisturbed(trial, project)
            trial.happened = (
                f"after {run.last_node}; one sentence, with space the next run equals an "
                f"undisturbed one"
            )

    def try_full_scratch(self) -> None:
        """Run without disk space for Spark's temporary files."""
        project = self._copy("scratch")
        scratch = project.folder / "scratch"
        scratch.mkdir()
        with self._trials.trial(SCRATCH, "64 kB") as trial:
            with mount_tmpfs(scratch, 65536):
                run = project.run(environment={"TMPDIR": str(scratch)})
            trial.expect_message(run, "disk is full")
            self._expect_undisturbed(trial, project)
            trial.happened = f"after {run.last_node}; one sentence, nothing has changed"

    def try_read_only_data(self) -> None:
        """Run with the data on a disk that has become read-only."""
        project = self._copy("read-only")
        with self._trials.trial("data folder read-only", "the whole of it") as trial:
            with mount_tmpfs(project.data, 500_000_000):
                shutil.copytree(self._finished.data, project.data, dirs_exist_ok=True)
                mount("-o", "remount,ro", str(project.data))
                trial.expect_message(project.run(), "disk is read-only")
                self._expect_undisturbed(trial, project)
            trial.happened = "one sentence, nothing has changed"

    def try_without_permission(self, layer: str) -> None:
        """Run as a user without permission to write one layer, or any."""
        project = self._copy(f"denied-{layer or 'all'}")
        for path in [project.folder, *project.folder.rglob("*")]:
            os.chown(path, NOBODY_ID, NOBODY_ID)
        for path in (project.data / layer).rglob("*"):
            os.chown(path, 0, 0)
            path.chmod(0o755 if path.is_dir() else 0o644)
        home = {"HOME": str(project.folder), "TMPDIR": str(project.folder)}
        with self._trials.trial("no permission to write", layer or "every layer") as trial:
            run = project.run(prefix=NOBODY, environment=home)
            trial.expect_message(run, "may not write")
            self._expect_undisturbed(trial, project)
            trial.happened = f"after {run.last_node}; one sentence, nothing has changed"

    def try_read_only_raw(self) -> None:
        """Run with the folder of the log read-only."""
        project = self._copy("raw")
        raw = str(project.data / "01_raw")
        with self._trials.trial("raw folder read-only", "a bind mount") as trial:
            mount("--bind", raw, raw)
            try:
                mount("-o", "remount,bind,ro", raw)
                project.use("B")
                trial.expect_success(project.run())
            finally:
                umount(raw)
            state = self._undisturbed.read_state_of(project)
            trial.expect_equal(state, self._undisturbed.states["B"])
            trial.happened = "the run equals an undisturbed one"

    def try_two_runs(self) -> None:
        """Start a second run during a run."""
        project = self._copy("two")
        lock = project.data / "02_intermediate" / "mini" / ".run.lock"
        lock.unlink()
        with self._trials.trial("two runs at once", "the second 3 s after the first") as trial:
            first = project.start()
            first.wait_until(lambda: lock.exists() and lock.stat().st_size > 0)
            trial.expect_message(project.run(), "another run (process")
            trial.expect_success(first.wait(), "the first")
            self._expect_undisturbed(trial, project)
            trial.happened = "the second ends with one sentence, the first is not disturbed"

    def _copy(self, name: str) -> ChaosProject:
        return self._finished.copy(self._folder / name)

    def _expect_undisturbed(self, trial: Trial, project: ChaosProject) -> None:
        trial.expect_equal(self._undisturbed.read_state_of(project), self._undisturbed.states["A"])
        trial.expect_no_leftovers(project)


def _measure_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def mount(*arguments: str) -> None:
    """Mount a file system."""
    subprocess.run(["mount", *arguments], check=True)  # noqa: S607


def umount(folder: str) -> None:
    """Unmount a file system when it is no longer in use."""
    subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607


@contextmanager
def mount_tmpfs(folder: Path, size: int) -> Iterator[None]:
    """Mount a disk of `size` bytes in memory."""
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield
    finally:
        umount(str(folder))
