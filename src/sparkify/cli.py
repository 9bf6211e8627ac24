"""The project's `kedro run`: errors that are the user's to mend come as one sentence."""

import contextlib
import logging
import os
import re
import sys
import traceback as tracebacks
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import yaml
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import LOGGING
from kedro.framework.session.abstract_session import KedroSessionError
from kedro.io.core import DatasetError
from kedro.utils import find_config_file, find_kedro_project, load_obj
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sparkify.errors import UserError, spark_errors
from sparkify.errors.os_errors import refusal
from sparkify.spark.java_check import require_java

TRACEBACK = click.Option(["--traceback"], is_flag=True, help="Show where an error came from.")
# Errors of the user's settings or files. Kedro raises plain ValueErrors for others.
USER_ERRORS = (
    UserError,
    DatasetError,
    KedroSessionError,
    MissingConfigException,
    OmegaConfBaseException,
    YAMLError,
)


@click.group(name="sparkify")
def cli() -> None:
    """Churn forecasts from an event log."""


class RunCommand(click.Command):
    """A command that refuses a value of `--params` that is no YAML in one sentence."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """Parse the command line.

        Raises:
            UsageError: if Kedro cannot read a value of `--params`.
        """
        try:
            return super().parse_args(context, arguments)
        except (YAMLError, OmegaConfBaseException) as error:
            reason = getattr(error, "problem", error)
            raise click.UsageError(f"--params has a value that is no YAML: {reason}.") from error


@cli.command(cls=RunCommand, params=[*kedro_run.params, TRACEBACK], help=kedro_run.help)
@click.pass_context
def run(context: click.Context, /, traceback: bool, **options: Any) -> Any:
    """Run pipelines."""
    restart_in_utf8_mode()
    if not traceback:
        logging.getLogger().addFilter(spark_errors.is_news)
    try:
        require_java()
        require_runner(options["runner"])
        with working_in_project() as project:
            require_readable_path(project, options["conf_source"])
            return context.invoke(kedro_run, **options)
    except Exception as error:
        message = _user_message(error)
        if traceback or message is None:
            raise
        raise click.ClickException(message) from error


class RunnerNameError(UserError):
    """There is no runner of that name."""


class ProjectPathError(UserError):
    """A folder's path has characters that Kedro or Python reads as something else."""


def restart_in_utf8_mode() -> None:
    """Start this command again in Python's UTF-8 mode, where the locale has another encoding.

    Names of files in conf/ are UTF-8, and Kedro and fsspec open text as the locale says.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def require_runner(name: str | None) -> None:
    """Raise a RunnerNameError if neither Kedro nor an installed package has the runner."""
    try:
        load_obj(name or "SequentialRunner", "kedro.runner")
    except (AttributeError, ImportError) as error:
        raise RunnerNameError(
            f"there is no runner {name}: use SequentialRunner (the default), ThreadRunner, or "
            f"the full name of a class, such as package.module.Runner."
        ) from error


@contextlib.contextmanager
def working_in_project() -> Iterator[Path]:
    """Work in the project's folder, with its logging, from wherever in it a run is started."""
    project = find_kedro_project(Path.cwd()) or Path.cwd()
    if project == Path.cwd():
        yield project
        return
    with contextlib.chdir(project):
        config = find_config_file("conf/logging")
        if config and "KEDRO_LOGGING_CONFIG" not in os.environ:
            LOGGING.configure(yaml.safe_load(config.read_text(encoding="utf-8")))
        yield project


def require_readable_path(project: Path, conf_source: str | None) -> None:
    """Raise a ProjectPathError if the settings or the sources are in a folder that cannot be read.

    Kedro looks for the settings by patterns. Python's search path, by which Spark's workers find
    the sources, is separated by colons.
    """
    conf = Path(conf_source or project / "conf")
    wildcards = re.findall(r"[*?[]", str(conf))
    if conf.is_dir() and wildcards:
        raise ProjectPathError(
            f"the folder of the settings, {conf}, has {wildcards[0]} in its path, which Kedro "
            f"reads as a pattern. Rename that folder, or keep conf/ elsewhere and name it by "
            f"--conf-source."
        )
    if os.pathsep in str(project) and (project / "src").is_dir():
        raise ProjectPathError(
            f"the project's folder, {project}, has {os.pathsep} in its path, at which Python "
            f"splits its search path. Rename that folder."
        )


def _user_message(error: Exception) -> str | None:
    """Return the message for an error that the user can correct; None for an error of the code."""
    refused = refusal(error)
    if refused and not isinstance(error, DatasetError):  # a dataset has said it with its path
        return "The run stopped: {}; {}.".format(*refused)
    of_spark = None if refused else spark_errors.told(error)
    is_for_user = isinstance(error, USER_ERRORS) or _is_raised_by_kedro(error)
    if of_spark or not is_for_user or _is_failed_save(error):
        return of_spark
    return " ".join([str(error), *getattr(error, "__notes__", [])])


def _is_raised_by_kedro(error: Exception) -> bool:
    """Return whether Kedro itself raised a ValueError, such as for an unknown node name."""
    *_, (frame, _) = tracebacks.walk_tb(error.__traceback__)
    module = frame.f_globals.get("__name__", "")
    return isinstance(error, ValueError) and module.startswith("kedro.")


def _is_failed_save(error: Exception) -> bool:
    """Return whether the code made something that a dataset cannot save.

    Kedro wraps every error in a DatasetError, so the cause decides.
    """
    cause = error.__cause__
    is_wrapped = isinstance(error, DatasetError) and str(error).startswith("Failed while saving")
    return is_wrapped and not isinstance(cause, OSError | UserError | DatasetError | None)
