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


def hooks(project: Path, data_root: str = "data") -> RunLockHooks:
    """Return hooks that know where an environment's data are."""
    settings = {"raw_log": "logs/log.json", "data_root": data_root, "environment": "mini"}
    made = RunLockHooks()
    context: Any = SimpleNamespace(project_path=project, config_loader={"globals": settings})
    made.after_context_created(context)
    return made


@pytest.fixture
def holder(tmp_path: Path) -> Any:
    """Return another process that is at work in the data."""
    (tmp_path / LOCKED).mkdir(parents=True)
    command = [sys.executable, "-c", HOLDER, str(tmp_path / LOCKED / ".run.lock")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_with_the_first_one_s_process(tmp_path: Path, holder: Any) -> None:
    with pytest.raises(RunInProgressError) as told:
        hooks(tmp_path).before_pipeline_run()
    assert str(told.value) == (
        f"another run (process {holder.pid}, since noon) works in {tmp_path}/{LOCKED} and the "
        f"same folder of other layers: wait for its end, or run in another environment (--env)."
    )


def test_a_second_run_removes_nothing(tmp_path: Path, holder: Any) -> None:
    (tmp_path / LOCKED / ".table.writing").mkdir()
    with pytest.raises(RunInProgressError):
        hooks(tmp_path).before_pipeline_run()
    assert (tmp_path / LOCKED / ".table.writing").exists()


def test_a_killed_run_holds_no_lock(tmp_path: Path, holder: Any) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    hooks(tmp_path).before_pipeline_run()


@pytest.mark.parametrize("end", ["after_pipeline_run", "on_pipeline_error"])
def test_the_next_run_may_start_once_one_has_ended(tmp_path: Path, end: str) -> None:
    first, second = hooks(tmp_path), hooks(tmp_path)
    first.before_pipeline_run()
    with pytest.raises(RunInProgressError, match=rf"process {os.getpid()}, since 20"):
        second.before_pipeline_run()
    getattr(first, end)()
    second.before_pipeline_run()
    first.before_pipeline_run.__self__._release()


def test_a_run_that_another_hook_refused_can_be_repeated(tmp_path: Path) -> None:
    refused = hooks(tmp_path)  # Kedro calls no hook for the end of a run that did not start
    refused.before_pipeline_run()
    refused.before_pipeline_run()


def test_what_a_killed_run_left_is_removed_and_logged(
    tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data/01_raw/mini/.table.writing").mkdir(parents=True)
    (tmp_path / "logs" / ".log.json.unconfirmed").mkdir(parents=True)
    (tmp_path / "logs" / "deep" / ".other.writing").mkdir(parents=True)
    hooks(tmp_path).before_pipeline_run()
    assert not (tmp_path / "data/01_raw/mini/.table.writing").exists()
    assert told.messages == [
        f"Removed what an interrupted run left of {tmp_path}/data/01_raw/mini/table",
    ]
    # Beside a log may lie what is not ours.
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["deep"]


def test_remote_data_are_not_locked(tmp_path: Path) -> None:
    remote = hooks(tmp_path, "s3://bucket/data")
    remote.before_pipeline_run()
    remote.after_pipeline_run()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_permission_ends_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, flags: int, mode: int) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(DatasetError) as told:
        hooks(tmp_path).before_pipeline_run()
    assert str(told.value) == (
        f"{tmp_path}/{LOCKED} cannot be written to: this user may not write there; let this "
        f"user write there, or name another folder in conf/<env>/globals.yml."
    )
