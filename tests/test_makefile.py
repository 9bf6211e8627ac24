import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not here")


def kedro_commands(tmp_path: Path, log: Path) -> list[str]:
    """Return what `make run` asks Kedro for where the log is to be found at a path."""
    commands = tmp_path / "commands"
    kedro = tmp_path / "kedro"
    kedro.write_text(f'#!/bin/sh\necho "$@" >> {commands}\n')
    kedro.chmod(0o755)
    make = ["make", "--assume-old=.venv/ready", "run", f"BIN={tmp_path}", f"LOG={log}"]
    environment = {name: set_to for name, set_to in os.environ.items() if name != "MAKEFLAGS"}
    subprocess.run(make, cwd=ROOT, check=True, capture_output=True, env=environment)
    return commands.read_text().splitlines()


def test_without_a_log_one_is_simulated_before_the_run(tmp_path: Path) -> None:
    commands = kedro_commands(tmp_path, tmp_path / "log.json")
    assert commands == ["run --env mini --pipelines simulation", "run --env mini"]


@pytest.mark.parametrize("name", ["log.json", "log.json.gz", "log.json.bz2"])
def test_a_log_that_stands_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert kedro_commands(tmp_path, tmp_path / "log.json") == ["run --env mini"]
