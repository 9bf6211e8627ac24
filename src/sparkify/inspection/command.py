"""`sparkify inspect LOG`: print a draft of the settings for a log."""

import click

from sparkify.errors import UserError
from sparkify.inspection.draft import draft_settings, format_documents


@click.command(name="inspect")
@click.argument("log")
def inspect(log: str) -> None:
    """Print a draft of the settings for LOG, a file or a folder.

    Reads only its beginning, without Spark. Copy each part into the file in its first line, and
    check it.
    """
    try:
        settings = draft_settings(log)
    except UserError as error:
        raise click.ClickException(str(error)) from error
    # Always UTF-8, as the project reads its settings.
    click.echo(format_documents(settings).encode("utf-8", "backslashreplace"), nl=False)
