"""`python -m sparkify`: run the packaged project."""

from pathlib import Path

from kedro.framework.project import configure_project

from sparkify.cli import run


def main() -> None:
    """Run the pipelines named on the command line, as `kedro run` does."""
    configure_project(Path(__file__).parent.name)
    run()


if __name__ == "__main__":
    main()
