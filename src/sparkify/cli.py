"""The project's `kedro run`: errors that are the user's to mend come as one sentence."""

from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.io.core import DatasetError
from kedro.validation.exceptions import ParameterValidationError

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
    try:
        require_java()
        return context.invoke(kedro_run, **options)
    except MENDABLE as error:
        if traceback:
            raise
        raise click.ClickException(str(error)) from error
    except Exception as error:
        refused = refusal(error)
        if traceback or refused is None:
            raise
        raise click.ClickException("The run stopped: {}; {}.".format(*refused)) from error
