import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sparkify.spark.scratch_folder import get_scratch_folder

ROOT = Path(__file__).parents[2]
TAKEN = (
    "from sparkify.spark.scratch_folder import get_scratch_folder; "
    "print(get_scratch_folder(), flush=True); {then}"
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a temporary folder that is the machine's as long as the test runs."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def process(then: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", TAKEN.format(then=then)]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_process_has_one_folder(temporary: Path) -> None:
    folder = get_scratch_folder.__wrapped__()
    assert list(temporary.iterdir()) == [folder]
    assert get_scratch_folder() == get_scratch_folder()


def test_only_folders_of_ended_processes_are_removed(temporary: Path) -> None:
    killed = process("import os; os.mkdir(get_scratch_folder() / 'x'); os.kill(os.getpid(), 9)")
    left = Path(killed.communicate()[0].strip())
    assert (left / "x").is_dir()
    living = process("input()")
    assert living.stdout is not None
    used = Path(living.stdout.readline().strip())
    mine = get_scratch_folder.__wrapped__()
    assert sorted(temporary.iterdir()) == sorted([used, mine])
    living.communicate("\n")
