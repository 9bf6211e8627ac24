import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io.core import DatasetError

from sparkify.hooks.run_lock import RunInProgressError, RunLockHooks

LOCKED = "data/02_intermediate/mini"
HOLDER = """
import fcntl, os, sys
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
os.write(lock, f"process {os.getpid()}, since noon".encode())
print("held", flush=True)
sys.stdin.read()
"""


def make_hooks(project: Path, data_root: str = "data") -> RunLockHooks:
    """Return hooks for the data of an environment."""
    settings = {"raw_log": "logs/log.json", "data_root": data_root, "environment": "mini"}
    made = RunLockHooks()
    context: Any = SimpleNamespace(project_path=project, config_loader={"globals": settings})
    made.after_context_created(context)
    return made


@pytest.fixture
def holder(tmp_path: Path) -> Any:
    """Return another process that holds the lock."""
    (tmp_path / LOCKED).mkdir(parents=True)
    command = [sys.executable, "-c", HOLDER, str(tmp_path / LOCKED / ".run.lock")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_with_the_first_one_s_process(tmp_path: Path, holder: Any) -> None:
    with pytest.raises(RunInProgressError) as logged:
        make_hooks(tmp_path).before_pipeline_run()
    assert str(logged.value) == (
        f"another run (process {holder.pid}, since noon) is using {tmp_path}/{LOCKED} and the "
        f"same folder of other layers: wait until it ends, or run in another environment (--env)."
    )


def test_a_second_run_removes_nothing(tmp_path: Path, holder: Any) -> None:
    (tmp_path / LOCKED / ".table.writing").mkdir()
    with pytest.raises(RunInProgressError):
        make_hooks(tmp_path).before_pipeline_run()
    assert (tmp_path / LOCKED / ".table.writing").exists()


def test_a_killed_run_holds_no_lock(tmp_path: Path, holder: Any) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    make_hooks(tmp_path).before_pipeline_run()


@pytest.mark.parametrize("end", ["after_pipeline_run", "on_pipeline_error"])
def test_the_next_run_may_start_once_one_has_ended(tmp_path: Path, end: str) -> None:
    first, second = make_hooks(tmp_path), make_hooks(tmp_path)
    first.before_pipeline_run()
    with pytest.raises(RunInProgressError, match=rf"process {os.getpid()}, since 20"):
        second.before_pipeline_run()
    getattr(first, end)()
    second.before_pipeline_run()
    first.before_pipeline_run.__self__._release()


def test_a_refused_run_can_be_repeated(tmp_path: Path) -> None:
    refused = make_hooks(tmp_path)  # Kedro calls no hook for the end of a run that did not start
    refused.before_pipeline_run()
    refused.before_pipeline_run()


def test_incomplete_files_of_a_killed_run_are_removed_and_logged(
    tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data/01_raw/mini/.table.writing").mkdir(parents=True)
    (tmp_path / "logs" / ".log.json.unconfirmed").mkdir(parents=True)
    (tmp_path / "logs" / "deep" / ".other.writing").mkdir(parents=True)
    make_hooks(tmp_path).before_pipeline_run()
    assert not (tmp_path / "data/01_raw/mini/.table.writing").exists()
    assert logged.messages == [
        f"Removed incomplete files of {tmp_path}/data/01_raw/mini/table",
    ]
    # Other files next to a log are not the project's.
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["deep"]


def test_remote_data_are_not_locked(tmp_path: Path) -> None:
    remote = make_hooks(tmp_path, "s3://bucket/data")
    remote.before_pipeline_run()
    remote.after_pipeline_run()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_write_permission_gives_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, flags: int, mode: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(DatasetError) as logged:
        make_hooks(tmp_path).before_pipeline_run()
    assert str(logged.value) == (
        f"{tmp_path}/{LOCKED} cannot be written to: this user may not write there; grant this "
        f"user write access, or set another folder in conf/<env>/globals.yml."
    )
