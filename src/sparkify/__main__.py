"""`python -m sparkify`: run the packaged project."""

import os
from pathlib import Path

# Kedro looks for it as it is imported, and where there are no sources there is no other.
os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(Path(__file__).with_name("logging.yml")))

from kedro.framework.project import configure_project

from sparkify.cli import run


def main() -> None:
    """Run the pipelines named on the command line, as `kedro run` does."""
    configure_project(Path(__file__).parent.name)
    run()


if __name__ == "__main__":
    main()
