"""User messages for operating-system errors: full disk, permissions."""

import errno
import os
from collections.abc import Iterator
from typing import NamedTuple


class Problem(NamedTuple):
    """An operating-system error for the user: what happened, and what to do."""

    cause: str
    remedy: str


FREE_SPACE = "make room there and where Spark keeps its own files (TMPDIR), and run again"
GRANT_ACCESS = "let this user write there, or name another folder in conf/<env>/globals.yml"
NO_PERMISSION = Problem("this user may not write there", GRANT_ACCESS)
PROBLEMS = {
    errno.ENOSPC: Problem("the disk is full", FREE_SPACE),
    errno.EDQUOT: Problem("the disk quota is used up", FREE_SPACE),
    errno.EROFS: Problem("the disk is read-only", GRANT_ACCESS),
    errno.EACCES: NO_PERMISSION,
    errno.EPERM: NO_PERMISSION,
}
# Java repeats the operating system's text, except for a folder that cannot be made.
JAVA_TEXTS = {
    **{os.strerror(number): problem for number, problem in PROBLEMS.items()},
    "Mkdirs failed to create": Problem("no folder can be made there", GRANT_ACCESS),
}


def describe_os_error(error: BaseException) -> Problem | None:
    """Return the cause and the remedy of an operating-system error; None for any other error.

    Looks at the error and its causes, in Python and, through Spark, in Java.
    """
    for cause in list_causes(error):
        if isinstance(cause, OSError):
            if cause.errno in PROBLEMS:
                return PROBLEMS[cause.errno]
            continue
        text = str(cause)
        for java_text, problem in JAVA_TEXTS.items():
            if java_text in text:
                return problem
    return None


def list_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, its cause, the cause's cause and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
