"""What a machine refuses a run, in words: room on a disk, a folder to write."""

import errno
import os
from collections.abc import Iterator

ROOM = "make room there and where Spark keeps its own files (TMPDIR), and run again"
ACCESS = "let this user write there, or name another folder in conf/<env>/globals.yml"
REFUSALS = {
    errno.ENOSPC: ("the disk is full", ROOM),
    errno.EDQUOT: ("the disk quota is used up", ROOM),
    errno.EROFS: ("the disk is read-only", ACCESS),
    errno.EACCES: ("this user may not write there", ACCESS),
    errno.EPERM: ("this user may not write there", ACCESS),
}
# Java says what the operating system says, but of a folder that cannot be made only this.
IN_JAVA = {
    **{os.strerror(number): told for number, told in REFUSALS.items()},
    "Mkdirs failed to create": ("no folder can be made there", ACCESS),
}


def refusal(error: BaseException) -> tuple[str, str] | None:
    """Return what the machine refused and what to do about it; None if it refused nothing.

    Looks at the error and at what caused it, in Python and, through Spark, in Java.
    """
    for link in causes(error):
        if isinstance(link, OSError):
            if link.errno in REFUSALS:
                return REFUSALS[link.errno]
            continue
        text = str(link)
        for said, told in IN_JAVA.items():
            if said in text:
                return told
    return None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and what caused it, in turn."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
