"""One run at a time in an environment's data, and what a killed one left is cleared away."""

import fcntl
import logging
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io.core import DatasetError, get_protocol_and_path

from sparkify.datasets.atomic_write import recover, recover_folder
from sparkify.errors import UserError
from sparkify.errors.os_errors import ACCESS, refusal

logger = logging.getLogger(__name__)
LOCK = ".run.lock"
LOCKED_LAYER = "intermediate"  # the first that every environment writes and nobody else does


class RunInProgressError(UserError):
    """Another run is at work in the same data."""


class OneRunHooks:
    """Holds a lock on an environment's data for as long as a run lasts.

    The operating system frees the lock when the process ends, however it ends. Data that are
    not on this machine's file systems are not locked: there the scheduler keeps runs apart.
    """

    def __init__(self) -> None:
        self._folders: dict[str, Path] = {}
        self._log: Path | None = None
        self._lock: int | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Note where the environment's data are."""
        settings = context.config_loader["globals"]
        folders = {layer: _local(context, path) for layer, path in settings["folder"].items()}
        self._folders = {layer: folder for layer, folder in folders.items() if folder}
        self._log = _local(context, settings["raw_log"])

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self) -> None:
        """Take the lock, and clear away what a killed run left.

        Raises:
            RunInProgressError: if another run holds the lock.
        """
        self._release()
        if LOCKED_LAYER not in self._folders:
            return
        self._lock = _taken(self._folders[LOCKED_LAYER] / LOCK)
        filesystem = LocalFileSystem()
        for folder in self._folders.values():
            for path in recover_folder(filesystem, folder):
                logger.info("Cleared away what an interrupted run left of %s", path)
        if self._log:
            with suppress(OSError):  # where nothing is to be written, nothing is to be mended
                recover(filesystem, str(self._log))

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Free the lock."""
        self._release()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Free the lock."""
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _local(context: KedroContext, path: str) -> Path | None:
    protocol, found = get_protocol_and_path(path)
    return context.project_path / found if protocol == "file" else None


def _taken(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        what, remedy = refusal(error) or (error.strerror, ACCESS)
        raise DatasetError(f"{path.parent} is not to be written: {what}; {remedy}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 200).decode() or "another process"
        os.close(lock)
        raise RunInProgressError(
            f"another run ({holder}) is at work in {path.parent} and its sister folders: wait "
            f"for its end, or run in another environment (--env)."
        ) from None
    os.truncate(lock, 0)
    os.write(
        lock, f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC".encode()
    )
    return lock
