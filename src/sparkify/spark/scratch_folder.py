"""Where Spark keeps its own files while it runs, so that those of a killed run are found."""

import fcntl
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

PREFIX = "sparkify-scratch-"


@cache
def scratch_folder() -> Path:
    """Return this process's own folder below the machine's temporary one (TMPDIR).

    It is locked for as long as the process lives, however it ends; those that no process
    holds any more are removed first.
    """
    parent = Path(tempfile.gettempdir())
    for left in parent.glob(f"{PREFIX}*"):
        _remove_unless_held(left)
    made = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
    _locked(made)
    # Renamed once it is locked, so that no other process takes it for one that was left.
    return made.rename(parent / made.name[1:])


def _locked(folder: Path) -> int | None:
    """Return the lock on a folder; None if a process holds it, or the folder is another's."""
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _remove_unless_held(folder: Path) -> None:
    lock = _locked(folder)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
