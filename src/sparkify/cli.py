"""`kedro run` of the project: errors that the user can correct are shown as one sentence."""

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

from sparkify.errors import UserError
from sparkify.errors.os_errors import describe_os_error
from sparkify.errors.spark_errors import describe_spark_error, is_not_py4j
from sparkify.spark.java_check import require_java

TRACEBACK = click.Option(["--traceback"], is_flag=True, help="Show the traceback of an error.")
# Errors in the user's settings or files; Kedro raises some others as plain ValueErrors.
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
    """A command that reports a value of `--params` that is not YAML in one sentence."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """Parse the command line.

        Raises:
            UsageError: if Kedro cannot read a value of `--params`.
        """
        try:
            return super().parse_args(context, arguments)
        except (YAMLError, OmegaConfBaseException) as error:
            reason = getattr(error, "problem", error)
            raise click.UsageError(f"--params has a value that is not YAML: {reason}.") from error


@cli.command(cls=RunCommand, params=[*kedro_run.params, TRACEBACK], help=kedro_run.help)
@click.pass_context
def run(context: click.Context, /, traceback: bool, **options: Any) -> Any:
    """Run pipelines."""
    restart_in_utf8_mode()
    if not traceback:
        logging.getLogger().addFilter(is_not_py4j)
    try:
        require_java()
        require_runner(options["runner"])
        with work_in_project() as project:
            require_readable_path(project, options["conf_source"])
            return context.invoke(kedro_run, **options)
    except Exception as error:
        message = _user_message(error)
        if traceback or message is None:
            raise
        raise click.ClickException(message) from error


class RunnerNameError(UserError):
    """A runner that does not exist."""


class ProjectPathError(UserError):
    """A folder whose path Kedro or Python cannot read."""


def restart_in_utf8_mode() -> None:
    """Restart this command in Python's UTF-8 mode if the locale has another encoding.

    File names in conf/ are UTF-8, and Kedro and fsspec open text in the locale's encoding.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def require_runner(name: str | None) -> None:
    """Raise a RunnerNameError if a runner is neither in Kedro nor in an installed package."""
    try:
        load_obj(name or "SequentialRunner", "kedro.runner")
    except (AttributeError, ImportError) as error:
        raise RunnerNameError(
            f"there is no runner {name}: use SequentialRunner (the default), ThreadRunner, or "
            f"the full name of a class, such as package.module.Runner."
        ) from error


@contextlib.contextmanager
def work_in_project() -> Iterator[Path]:
    """Work in the project's folder, with its logging, wherever below it a run is started."""
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
    """Raise a ProjectPathError if the path of conf/ or src/ has a special meaning.

    Kedro finds settings by glob patterns. Python's search path, by which Spark's workers find the
    sources, is split at colons.
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
    """Return the message for an error that the user can correct; None for a bug."""
    problem = describe_os_error(error)
    if problem and not isinstance(error, DatasetError):  # whose message has the path
        return f"The run stopped: {problem.cause}; {problem.remedy}."
    spark_message = None if problem else describe_spark_error(error)
    is_for_user = isinstance(error, USER_ERRORS) or _is_raised_by_kedro(error)
    if spark_message or not is_for_user or _is_failed_save(error):
        return spark_message
    return " ".join([str(error), *getattr(error, "__notes__", [])])


def _is_raised_by_kedro(error: Exception) -> bool:
    """Return whether Kedro itself raised a ValueError, such as for an unknown node name."""
    *_, (frame, _) = tracebacks.walk_tb(error.__traceback__)
    module = frame.f_globals.get("__name__", "")
    return isinstance(error, ValueError) and module.startswith("kedro.")


def _is_failed_save(error: Exception) -> bool:
    """Return whether a bug made a result that its dataset cannot save.

    Kedro wraps every error in a DatasetError, so the cause decides.
    """
    cause = error.__cause__
    is_wrapped = isinstance(error, DatasetError) and str(error).startswith("Failed while saving")
    return is_wrapped and not isinstance(cause, OSError | UserError | DatasetError | None)
