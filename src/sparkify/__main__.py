"""`python -m sparkify`: run the packaged project, or inspect a log."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run the pipelines named on the command line, as `kedro run` does, or `inspect LOG`.

    Kedro is imported only for a run: it takes longer than an inspection.
    """
    if sys.argv[1:2] == ["inspect"]:
        from sparkify.inspection.command import inspect  # noqa: PLC0415

        inspect(sys.argv[2:], prog_name="sparkify inspect")
        return
    # Kedro reads this when it is imported; a package without its sources has no other logging.
    os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(Path(__file__).with_name("logging.yml")))

    from kedro.framework.project import configure_project  # noqa: PLC0415

    from sparkify.cli import run  # noqa: PLC0415

    configure_project(Path(__file__).parent.name)
    run()


if __name__ == "__main__":
    main()
