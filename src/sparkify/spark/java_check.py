"""The Java that Spark runs on."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sparkify.errors import UserError

SUPPORTED = (17, 21)  # Spark 4
ADVICE = (
    "install it with `apt-get install openjdk-17-jre-headless` (Debian, Ubuntu) or "
    "`brew install openjdk@17` (macOS), and let JAVA_HOME name it if several are installed."
)


class JavaError(UserError):
    """No Java that Spark can run on."""


def require_java() -> None:
    """Make sure that the Java that Spark will start is one it runs on.

    Raises:
        JavaError: in one sentence, with the package to install.
    """
    found = _java()
    if found is None:
        raise JavaError(f"Spark needs Java 17 or 21 and there is no Java here: {ADVICE}")
    version = re.search(r'version "(?:1\.)?(\d+)', _told(found))
    if version is None:
        raise JavaError(f"Spark needs Java 17 or 21 and `{found} -version` names none: {ADVICE}")
    if int(version[1]) not in SUPPORTED:
        raise JavaError(f"Spark needs Java 17 or 21 and {found} is Java {version[1]}: {ADVICE}")


def _told(java: str) -> str:
    try:
        run = subprocess.run([java, "-version"], capture_output=True, check=False)  # noqa: S603
    except OSError:
        return ""
    return run.stderr.decode(errors="replace")


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    if home:
        program = Path(home) / "bin" / "java"
        return str(program) if program.exists() else None
    return shutil.which("java")


def main() -> None:
    """End with the one sentence, and nothing else, if there is no fitting Java."""
    try:
        require_java()
    except JavaError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
