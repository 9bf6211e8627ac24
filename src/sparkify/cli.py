"""The project's `kedro run`: errors that are the user's to mend come as one sentence."""

import logging
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.io.core import DatasetError
from kedro.validation.exceptions import ParameterValidationError

from sparkify import spark_errors
from sparkify.faults import refusal
from sparkify.java import JavaError, require_java

TRACEBACK = click.Option(["--traceback"], is_flag=True, help="Show where an error came from.")
MENDABLE = (JavaError, DatasetError, MissingConfigException, ParameterValidationError, ValueError)


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
        told = _told(error)
        if traceback or told is None:
            raise
        raise click.ClickException(told) from error


def _told(error: Exception) -> str | None:
    """Say what the user can mend; None for an error of the code's own."""
    refused = refusal(error)
    if refused and not isinstance(error, DatasetError):  # a dataset has said it with its path
        return "The run stopped: {}; {}.".format(*refused)
    of_spark = None if refused else spark_errors.told(error)
    return of_spark or (str(error) if isinstance(error, MENDABLE) else None)
