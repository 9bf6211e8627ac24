import errno
import os

import pytest

from sparkify.errors.os_errors import describe_os_error


class JavaError(Exception):
    """An error with Java's trace as its text, as Py4J raises it."""


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "this user may not write there"),
    ],
)
def test_an_error_is_described_whether_python_or_java_raised_it(number: int, cause: str) -> None:
    text = os.strerror(number)
    java = JavaError(f"org.apache.spark.SparkException: Task failed\n  Caused by: {text}\n  at x")
    for error in (OSError(number, text), java):
        found = describe_os_error(error)
        assert found is not None
        assert found.cause == cause


def test_an_error_is_found_below_the_errors_that_it_caused() -> None:
    outer = ValueError("a table was not saved")
    outer.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert describe_os_error(outer) == describe_os_error(outer.__cause__)


def test_a_folder_that_spark_cannot_make_is_described() -> None:
    found = describe_os_error(
        JavaError("java.io.IOException: Mkdirs failed to create file:/data/x")
    )
    assert found is not None
    assert found.cause == "no folder can be made there"


@pytest.mark.parametrize("error", [ValueError("no"), FileNotFoundError(errno.ENOENT, "no")])
def test_other_errors_are_not_described(error: Exception) -> None:
    assert describe_os_error(error) is None
