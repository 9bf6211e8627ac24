"""Check that Spark finds a Java version that it supports."""

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
    """Java is missing or of a version that Spark does not support."""


def require_java() -> None:
    """Raise a JavaError, with the package to install, unless Spark will start a supported Java."""
    java = _find_java()
    if java is None:
        raise JavaError(f"Spark needs Java 17 or 21 and there is no Java here: {ADVICE}")
    version = re.search(r'version "(?:1\.)?(\d+)', _read_version(java))
    if version is None:
        raise JavaError(f"Spark needs Java 17 or 21 and `{java} -version` names none: {ADVICE}")
    if int(version[1]) not in SUPPORTED:
        raise JavaError(f"Spark needs Java 17 or 21 and {java} is Java {version[1]}: {ADVICE}")


def _read_version(java: str) -> str:
    try:
        run = subprocess.run([java, "-version"], capture_output=True, check=False)  # noqa: S603
    except OSError:
        return ""
    return run.stderr.decode(errors="replace")


def _find_java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    if home:
        program = Path(home) / "bin" / "java"
        return str(program) if program.exists() else None
    return shutil.which("java")


def main() -> None:
    """Exit with the error message if there is no supported Java."""
    try:
        require_java()
    except JavaError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
