import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not here")


def list_kedro_commands(tmp_path: Path, *variables: str, cwd: Path = ROOT) -> list[str]:
    """Return the Kedro commands that `make run` runs."""
    commands = tmp_path / "commands"
    kedro = tmp_path / "kedro"
    kedro.write_text(f'#!/bin/sh\necho "$@" >> "{commands}"\n')
    kedro.chmod(0o755)
    make = ["make", "--assume-old=.venv/ready", "run", f"BIN={tmp_path}", *variables]
    environment = {name: set_to for name, set_to in os.environ.items() if name != "MAKEFLAGS"}
    subprocess.run(make, cwd=cwd, check=True, capture_output=True, env=environment)
    return commands.read_text().splitlines()


def test_without_a_log_one_is_simulated_before_the_run(tmp_path: Path) -> None:
    commands = list_kedro_commands(tmp_path, f"LOG={tmp_path}/log.json")
    assert commands == ["run --env mini --pipelines simulation", "run --env mini"]


def test_no_log_is_simulated_for_other_environments(tmp_path: Path) -> None:
    commands = list_kedro_commands(tmp_path, f"LOG={tmp_path}/log.csv", "ENV=examples/shop")
    assert commands == ["run --env examples/shop"]


@pytest.mark.parametrize("name", ["log.json", "log.json.gz", "log.json.bz2"])
def test_an_existing_log_is_not_simulated_again(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert list_kedro_commands(tmp_path, f"LOG={tmp_path}/log.json") == ["run --env mini"]


def test_the_path_of_the_log_comes_from_the_environment(tmp_path: Path) -> None:
    project = tmp_path / "my clone"
    name = 'it\'s my log [2018] "x" `a` #1.json'
    for environment in ("base", "mini"):
        (project / "conf" / environment).mkdir(parents=True)
    settings = {"root": "data", "raw_log": f"${{root}}/{name}"}
    (project / "conf" / "base" / "globals.yml").write_text(yaml.safe_dump(settings))
    (project / "data").mkdir()
    (project / "data" / name).touch()
    shutil.copy(ROOT / "Makefile", project)
    (project / ".venv").mkdir()
    (project / ".venv" / "ready").touch()
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "python").chmod(0o755)
    assert list_kedro_commands(tmp_path, cwd=project) == ["run --env mini"]
