"""README's commands and links: every one is tried, up to where it would begin to work."""

import argparse
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
from kedro.framework.startup import bootstrap_project
from kedro.runner import SequentialRunner

from sparkify import cli
from sparkify.hooks.candidate_check import CandidateCheckHooks
from sparkify.hooks.run_lock import RunLockHooks
from sparkify.hooks.spark_session import SparkSessionHooks
from sparkify.inspection.command import inspect

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAMS = ("make ", "kedro run", "python -m ", "PYTHONPATH=src python -m ")


class WouldWork(BaseException):
    """Stops a command that has come to where its work begins."""


def quoted(page: Path) -> Iterator[str]:
    """Find the commands that a page quotes, in its text or in a block of their own."""
    text = page.read_text()
    for found in (*re.findall(r"`([^`\n]+)`", text), *text.splitlines()):
        if found.startswith(PROGRAMS):
            yield found


def blocks(page: Path) -> Iterator[str]:
    """Find every line of a page's fenced blocks."""
    for block in re.findall(r"^```\n(.*?)^```$", page.read_text(), flags=re.DOTALL | re.MULTILINE):
        yield from filter(None, block.splitlines())


def told() -> list[str]:
    """List each command that the pages tell once."""
    return list(dict.fromkeys([*blocks(README), *(one for page in PAGES for one in quoted(page))]))


def would_work(*_: Any, **__: Any) -> None:
    raise WouldWork


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    bootstrap_project(ROOT)


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
    monkeypatch.setattr(SequentialRunner, "run", would_work)
    with pytest.raises(WouldWork):
        CliRunner().invoke(KedroCLI(ROOT), arguments, catch_exceptions=False)


def try_module(monkeypatch: pytest.MonkeyPatch, module: str, *arguments: str) -> None:
    """Go as far as a program does before it has read its arguments."""
    parse = argparse.ArgumentParser.parse_args

    def parse_alone(parser: argparse.ArgumentParser, given: list[str] | None = None) -> None:
        parse(parser, given)
        raise WouldWork

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_alone)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(WouldWork):
        runpy.run_module(module, run_name="__main__", alter_sys=False)


@pytest.mark.parametrize("command", told())
def test_every_command_is_one_that_works(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
            pytest.fail(f"nothing here knows how to try `{command}`")


@pytest.mark.parametrize(
    "command",
    ["run --pipelines modeling", "run --from-nodes nowhere", "run --params modelling.fold=10"],
)
def test_a_command_that_does_not_work_is_found(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        try_kedro(monkeypatch, *command.split())


def test_a_target_that_is_not_there_is_found() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        try_make("nothing")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
