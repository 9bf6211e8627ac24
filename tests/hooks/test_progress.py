import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from kedro.pipeline import Node, Pipeline
from pyspark.sql import SparkSession

from sparkify.hooks import progress
from sparkify.hooks.progress import ProgressHooks, SparkTasksColumn


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def work(*inputs: Any) -> None:
    """Stub of a node function; the hook uses only names."""


FIRST, SECOND = (Node(work, [], name, name=f"make_{name}") for name in ("first", "second"))


@contextmanager
def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """Yield a standard output that is a terminal, with the log's handler."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm")
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def test_a_terminal_has_a_bar_with_the_running_node_below_the_log(
    monkeypatch: pytest.MonkeyPatch, spark: SparkSession
) -> None:
    with open_terminal(monkeypatch) as terminal:
        hooks = ProgressHooks()
        hooks.before_pipeline_run(Pipeline([FIRST, SECOND]))
        hooks.before_node_run(FIRST)
        assert sys.stdout is not terminal  # so that the log is written above the bar
        logging.getLogger().warning("a line of the log")
        hooks.before_node_run(SECOND)
        hooks.after_pipeline_run()
        shown = terminal.getvalue()
        for text in ("0/2", "make_second", "a line of the log"):
            assert text in shown
        assert sys.stdout is terminal
        logging.getLogger().warning("after the run")
        assert terminal.getvalue().endswith("after the run\n")


def test_an_error_removes_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_terminal(monkeypatch) as terminal:
        hooks = ProgressHooks()
        hooks.before_pipeline_run(Pipeline([FIRST]))
        hooks.before_node_run(FIRST)
        hooks.on_pipeline_error()
        assert sys.stdout is terminal


def test_a_file_has_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    hooks = ProgressHooks()
    hooks.before_pipeline_run(Pipeline([FIRST]))
    hooks.before_node_run(FIRST)
    hooks.after_pipeline_run()
    assert capsys.readouterr().out == ""


def test_only_a_long_node_is_announced(
    monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
) -> None:
    hooks = ProgressHooks()
    hooks.before_node_run(FIRST)
    monkeypatch.setattr(progress, "LONG_NODE_SECONDS", 0)
    hooks.before_node_run(SECOND)
    assert hooks._timer
    hooks._timer.join()
    hooks.after_pipeline_run()
    assert logged.messages == ["  ...  make_second"]


def test_a_node_is_not_announced_after_its_last_result_is_saved(
    logged: pytest.LogCaptureFixture,
) -> None:
    node = Node(work, [], ["model", "card"], name="fit")
    hooks = ProgressHooks()
    hooks.before_node_run(node)
    hooks.after_dataset_saved("model", node)
    assert hooks._timer
    assert hooks._timer.is_alive()
    hooks.after_dataset_saved("card", node)
    hooks._timer.join(1)
    assert not hooks._timer.is_alive()
    assert logged.messages == []


def test_an_idle_spark_has_no_tasks(spark: SparkSession) -> None:
    assert str(SparkTasksColumn().render(None)) == ""  # type: ignore[arg-type]
