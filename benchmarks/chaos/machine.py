"""What a machine may refuse: room, permission, the only place. Mounts need root."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.chaos.account import Account, Trial
from benchmarks.chaos.kills import Undisturbed
from benchmarks.chaos.project import ENVIRONMENT, ROOT, ChaosProject, Ended
from benchmarks.chaos.state import State, state

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

SCRATCH = "no room for Spark's own files"
SHARES = (0.1, 0.5, 0.95)  # of what a run writes: of the first table, in the middle, at the end
LAYERS = ("", "06_models")  # that may not be written; "" stands for all


def may_mount() -> bool:
    """Whether this user may mount file systems."""
    return os.geteuid() == 0 and shutil.which("mount") is not None


class MachineFaults:
    """Runs on a machine that refuses something, in a copy of a finished project."""

    def __init__(
        self, finished: ChaosProject, folder: Path, undisturbed: Undisturbed, account: Account
    ) -> None:
        self._finished, self._folder = finished, folder
        self._undisturbed, self._account = undisturbed, account

    def all(self) -> list[tuple[str, Callable[[], None]]]:
        """List the trials, by what is tried; those that mount disks only where that is allowed."""
        trials: list[tuple[str, Callable[[], None]]] = [
            ("two runs at once", self.two_at_once),
            (SCRATCH, self.full_scratch),
            *(("disk full", partial(self.full_disk, share)) for share in SHARES),
            ("raw folder read-only", self.read_only_raw),
            ("data folder read-only", self.read_only_data),
            *(("no permission to write", partial(self.no_permission, one)) for one in LAYERS),
        ]
        if may_mount():
            return trials
        self._account.tell("Full disks and closed folders are left out: mounting needs root.")
        return trials[:1]

    def full_disk(self, share: float) -> None:
        """Run on a disk with room for a share of what a run writes, then on one with room."""
        project = self._with_log_elsewhere(f"full-{share:.2f}")
        size = _size(self._finished.data) - _size(self._finished.data / "01_raw")
        how = f"room for {share:.0%} of what a run writes"
        with self._account.trial("disk full", how) as trial:
            with tmpfs(project.data, int(size * share)):
                ended = project.run()
                self._expect_refusal(trial, ended, "disk is full")
                self._expect_old_or_new(trial, project, self._undisturbed.absent())
                remount(project.data, f"size={size * 3}")
                again = project.run()
                trial.expect(again.code == 0, f"with room it failed: {again.output[-300:]}")
                self._expect_whole(trial, project)
            trial.happened = (
                f"after {ended.last_node}; one sentence, with room the next run equals an "
                f"undisturbed one"
            )

    def full_scratch(self) -> None:
        """Run where Spark has no room for its own files."""
        project = self._copy("scratch")
        scratch = project.folder / "scratch"
        scratch.mkdir()
        with self._account.trial(SCRATCH, "64 kB") as trial:
            with tmpfs(scratch, 65536):
                ended = project.run(environment={"TMPDIR": str(scratch)})
            self._expect_refusal(trial, ended, "disk is full")
            self._expect_whole(trial, project)
            trial.happened = f"after {ended.last_node}; one sentence, all stands as it was"

    def read_only_data(self) -> None:
        """Run where the data are on a disk that has become read-only."""
        project = self._copy("read-only")
        with self._account.trial("data folder read-only", "the whole of it") as trial:
            with tmpfs(project.data, 500_000_000):
                shutil.copytree(self._finished.data, project.data, dirs_exist_ok=True)
                remount(project.data, "ro")
                ended = project.run()
                self._expect_refusal(trial, ended, "disk is read-only")
                self._expect_whole(trial, project)
            trial.happened = "one sentence, all stands as it was"

    def no_permission(self, layer: str) -> None:
        """Run as a user who may not write one layer, or none."""
        project = self._copy(f"denied-{layer or 'all'}")
        for path in [project.folder, *project.folder.rglob("*")]:
            os.chown(path, 65534, 65534)
        for path in (project.data / layer).rglob("*"):
            os.chown(path, 0, 0)
            path.chmod(0o755 if path.is_dir() else 0o644)
        home = {"HOME": str(project.folder), "TMPDIR": str(project.folder)}
        with self._account.trial("no permission to write", layer or "every layer") as trial:
            ended = project.run(prefix=NOBODY, environment=home)
            self._expect_refusal(trial, ended, "may not write")
            self._expect_whole(trial, project)
            trial.happened = f"after {ended.last_node}; one sentence, all stands as it was"

    def read_only_raw(self) -> None:
        """Run where nothing may be written beside the log."""
        project = self._copy("raw")
        raw = project.data / "01_raw"
        with self._account.trial("raw folder read-only", "a bind mount") as trial:
            mount("--bind", str(raw), str(raw))
            try:
                remount(raw, "bind,ro")
                project.set("B")
                ended = project.run()
            finally:
                umount(raw)
            trial.expect(ended.code == 0, f"it failed: {ended.output[-300:]}")
            found = state(project, self._undisturbed.customers)
            trial.expect_equal(found, self._undisturbed.states["B"])
            trial.happened = "the run equals an undisturbed one"

    def two_at_once(self) -> None:
        """Start a second run while one is at work."""
        project = self._copy("two")
        lock = project.data / "02_intermediate" / "mini" / ".run.lock"
        lock.unlink()
        with self._account.trial("two runs at once", "the second 3 s after the first") as trial:
            first = project.start()
            first.wait_until(lambda: lock.exists() and lock.stat().st_size > 0)
            second = project.run()
            self._expect_refusal(trial, second, "another run (process")
            ended = first.end()
            trial.expect(ended.code == 0, f"the first failed: {ended.output[-300:]}")
            self._expect_whole(trial, project)
            trial.happened = "the second is told in one sentence, the first is not disturbed"

    def _copy(self, name: str) -> ChaosProject:
        return self._finished.copied(self._folder / name)

    def _with_log_elsewhere(self, name: str) -> ChaosProject:
        """Return a project without data that reads the finished one's raw layer."""
        project = ChaosProject(self._folder / name)
        record = Path("01_raw", "mini")
        shutil.copytree(self._finished.data / record, project.data / record)
        settings = project.conf / ENVIRONMENT / "globals.yml"
        own, finished = (str(one.data / "01_raw") for one in (project, self._finished))
        settings.write_text(
            settings.read_text(encoding="utf-8").replace(own, finished), encoding="utf-8"
        )
        return project

    def _expect_refusal(self, trial: Trial, ended: Ended, words: str) -> None:
        trial.expect(ended.is_a_sentence, f"it ended with {ended.code}: {ended.output[-600:]}")
        trial.expect(words in " ".join(ended.errors), f"it says {ended.errors}")

    def _expect_old_or_new(self, trial: Trial, project: ChaosProject, old: State) -> None:
        found = state(project, self._undisturbed.customers)
        trial.count_old_and_new(found, old, self._undisturbed.states["A"])

    def _expect_whole(self, trial: Trial, project: ChaosProject) -> None:
        found = state(project, self._undisturbed.customers)
        trial.expect_equal(found, self._undisturbed.states["A"])
        trial.lost += [f"left behind: {path}" for path in project.left_aside()]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def mount(*arguments: str) -> None:
    """Mount a file system."""
    subprocess.run(["mount", *arguments], check=True, cwd=ROOT)  # noqa: S607


def umount(folder: Path) -> None:
    """Unmount a file system, once nobody is there any more."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True, cwd=ROOT)  # noqa: S607


def remount(folder: Path, options: str) -> None:
    """Mount a file system with other options."""
    mount("-o", f"remount,{options}", str(folder))


@contextmanager
def tmpfs(folder: Path, size: int) -> Iterator[None]:
    """Mount a small disk in memory; `size` in bytes."""
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        yield
    finally:
        umount(folder)
