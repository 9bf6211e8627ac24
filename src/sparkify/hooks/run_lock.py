"""Allow one run at a time per environment, and remove the files of a killed run."""

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
from sparkify.errors.os_errors import GRANT_ACCESS, describe_os_error

logger = logging.getLogger(__name__)
LOCK = ".run.lock"
LOCKED_LAYER = "02_intermediate"  # the first layer that every environment writes


class RunInProgressError(UserError):
    """Another run is using the same data."""


class RunLockHooks:
    """Holds a lock on an environment's data for as long as a run lasts.

    The operating system frees the lock when the process ends, however it ends. Data that are not
    on a local file system are not locked: there the scheduler must prevent concurrent runs.
    """

    def __init__(self) -> None:
        self._root: Path | None = None
        self._environment = ""
        self._log: Path | None = None
        self._lock: int | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Store the paths of the environment's data."""
        settings = context.config_loader["globals"]
        self._root = _find_local_path(context, settings["data_root"])
        self._environment = settings["environment"]
        self._log = _find_local_path(context, settings["raw_log"])

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self) -> None:
        """Acquire the lock or raise a RunInProgressError; remove the files of a killed run."""
        self._release()
        if self._root is None:
            return
        self._lock = _lock_file(self._root / LOCKED_LAYER / self._environment / LOCK)
        filesystem = LocalFileSystem()
        for layer in sorted(self._root.iterdir()):
            for path in recover_folder(filesystem, layer / self._environment):
                logger.info("Removed incomplete files of %s", path)
        if self._log:
            with suppress(OSError):  # a read-only folder needs no recovery
                recover(filesystem, str(self._log))

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Release the lock."""
        self._release()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """Release the lock."""
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _find_local_path(context: KedroContext, path: str) -> Path | None:
    protocol, local = get_protocol_and_path(path)
    return context.project_path / local if protocol == "file" else None


def _lock_file(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        cause, remedy = describe_os_error(error) or (error.strerror, GRANT_ACCESS)
        raise DatasetError(f"{path.parent} cannot be written to: {cause}; {remedy}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 200).decode() or "another process"
        os.close(lock)
        raise RunInProgressError(
            f"another run ({holder}) is using {path.parent} and the same folder of other layers: "
            f"wait until it ends, or run in another environment (--env)."
        ) from None
    os.truncate(lock, 0)
    os.write(
        lock, f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC".encode()
    )
    return lock
