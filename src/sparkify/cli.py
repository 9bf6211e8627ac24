"""The project's `kedro run`: errors that are the user's to mend come as one sentence."""

from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.io.core import DatasetError
from kedro.validation.exceptions import ParameterValidationError

from sparkify.java import JavaError, require_java


@click.group(name="sparkify")
def cli() -> None:
    """Churn forecasts from an event log."""


@cli.command(params=kedro_run.params, help=kedro_run.help)
@click.pass_context
def run(context: click.Context, /, **_: Any) -> Any:
    """Run pipelines."""
    try:
        require_java()
        return context.forward(kedro_run)
    except (JavaError, DatasetError, ParameterValidationError, ValueError) as error:
        if context.obj and getattr(context.obj, "verbose", False):
            raise
        raise click.ClickException(str(error)) from error
