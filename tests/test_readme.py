"""Commands and links of README and docs; commands stop before their work."""

import argparse
import functools
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from kedro.framework.cli.cli import KedroCLI
from kedro.runner import AbstractRunner

from sparkify import __version__, cli
from sparkify.hooks.candidate_check import CandidateCheckHooks
from sparkify.hooks.run_lock import RunLockHooks
from sparkify.hooks.spark_session import SparkSessionHooks
from sparkify.inspection.command import inspect

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = ("make ", "kedro run", "python -m ", "PYTHONPATH=src python -m ")


class WorkBeginsError(BaseException):
    """Stops a command before its work."""


def list_quoted(page: Path) -> Iterator[str]:
    """Yield the commands of a page, in its text or in a code block."""
    text = page.read_text()
    for line in (*re.findall(r"`([^`\n]+)`", text), *text.splitlines()):
        if line.startswith(PROGRAMS):
            yield line


def list_code_lines(page: Path) -> Iterator[str]:
    """Yield every line of the code list_code_lines of a page."""
    for block in re.findall(r"^```\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE):
        yield from filter(None, block.splitlines())


def list_commands() -> list[str]:
    """Return the commands of all pages, each once."""
    return list(
        dict.fromkeys(
            [*list_code_lines(README), *(line for page in PAGES for line in list_quoted(page))]
        )
    )


def stop(*_: Any, **__: Any) -> None:
    raise WorkBeginsError


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@functools.cache
def load_command_line() -> KedroCLI:
    """Return the commands of Kedro and of this project, loaded once."""
    return KedroCLI(ROOT)


def try_make(*targets: str) -> None:
    command = ["make", "--dry-run", *targets]
    subprocess.run(command, check=True, capture_output=True, text=True)


def try_kedro(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Go as far as Kedro does before the first node: pipelines, nodes, catalog, parameters."""
    for hooks in (
        RunLockHooks,
        SparkSessionHooks,
        CandidateCheckHooks,
    ):  # would lock the data, ask for a log and start Spark
        monkeypatch.delattr(hooks, "before_pipeline_run")
    monkeypatch.setattr(AbstractRunner, "run", stop)
    with pytest.raises(WorkBeginsError):
        CliRunner().invoke(load_command_line(), arguments, catch_exceptions=False)


def try_module(monkeypatch: pytest.MonkeyPatch, module: str, *arguments: str) -> None:
    """Run a program until it has parsed its arguments."""
    parse = argparse.ArgumentParser.parse_args

    def parse_only(parser: argparse.ArgumentParser, arguments: list[str] | None = None) -> None:
        parse(parser, arguments)
        raise WorkBeginsError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(WorkBeginsError):
        runpy.run_module(module, run_name="__main__", alter_sys=False)


@pytest.mark.parametrize("command", list_commands())
def test_every_command_works(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    match shlex.split(command, comments=True):
        case ["make", *targets]:
            try_make(*targets)
        case ["kedro", "run", *arguments]:
            try_kedro(monkeypatch, "run", *arguments)
        case ["python", "-m", "sparkify", *arguments]:
            cli.run.make_parser(click.Context(cli.run)).parse_args(arguments)
        case ["PYTHONPATH=src", "python", "-m", "sparkify", "inspect", *arguments]:
            inspect.make_context("sparkify inspect", arguments)
        case ["PYTHONPATH=src", "python", "-m", module, *arguments]:
            try_module(monkeypatch, module, *arguments)
        case ["python", "-m", "pytest", *places]:
            assert all((ROOT / place).exists() for place in places)
        case [".", ".venv/bin/activate"]:
            assert "-m venv .venv" in (ROOT / "Makefile").read_text()
        case _:
            pytest.fail(f"this test cannot try `{command}`")


@pytest.mark.parametrize(
    "command",
    ["run --pipelines modeling", "run --from-nodes nowhere", "run --params modelling.fold=10"],
)
def test_a_command_that_does_not_work_fails(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        try_kedro(monkeypatch, *command.split())


def test_a_missing_target_fails() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        try_make("nothing")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_changelog_has_this_version_as_its_newest_release() -> None:
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert releases[0] == __version__
