"""Folder for the temporary files of Spark, so that those of a killed run can be removed."""

import fcntl
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

PREFIX = "sparkify-scratch-"


@cache
def scratch_folder() -> Path:
    """Return this process's scratch folder below the temporary folder (TMPDIR).

    The folder is locked until the process ends, however it ends. Folders of processes that have
    ended are removed first.
    """
    parent = Path(tempfile.gettempdir())
    for folder in parent.glob(f"{PREFIX}*"):
        _remove_unless_locked(folder)
    new = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
    _lock(new)
    # Renamed once it is locked, so that no other process removes it.
    return new.rename(parent / new.name[1:])


def _lock(folder: Path) -> int | None:
    """Lock a folder; return None if a process holds the lock or another user owns the folder."""
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


def _remove_unless_locked(folder: Path) -> None:
    lock = _lock(folder)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
