"""The project's `kedro run`: errors that are the user's to mend come as one sentence."""

import logging
import traceback as tracebacks
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.session.abstract_session import KedroSessionError
from kedro.io.core import DatasetError
from kedro.validation.exceptions import ParameterValidationError
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from sparkify.errors import UserError, spark_errors
from sparkify.errors.os_errors import refusal
from sparkify.java import require_java

TRACEBACK = click.Option(["--traceback"], is_flag=True, help="Show where an error came from.")
# Errors of the user's settings or files. Kedro raises plain ValueErrors for others.
USER_ERRORS = (
    UserError,
    DatasetError,
    KedroSessionError,
    MissingConfigException,
    OmegaConfBaseException,
    ParameterValidationError,
    YAMLError,
)


@click.group(name="sparkify")
def cli() -> None:
    """Churn forecasts from an event log."""


@cli.command(params=[*kedro_run.params, TRACEBACK], help=kedro_run.help)
@click.pass_context
def run(context: click.Context, /, traceback: bool, **options: Any) -> Any:
    """Run pipelines."""
    if not traceback:
        logging.getLogger().addFilter(spark_errors.is_news)
    try:
        require_java()
        return context.invoke(kedro_run, **options)
    except Exception as error:
        message = _user_message(error)
        if traceback or message is None:
            raise
        raise click.ClickException(message) from error


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
