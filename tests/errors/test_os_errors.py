import errno
import os

import pytest

from sparkify.errors.os_errors import refusal


class JavaError(Exception):
    """Stands for Py4J's, which tells Java's trace as text."""


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "this user may not write there"),
    ],
)
def test_a_refusal_is_told_in_words_whether_python_or_java_met_it(number: int, told: str) -> None:
    text = os.strerror(number)
    java = JavaError(f"org.apache.spark.SparkException: Task failed\n  Caused by: {text}\n  at x")
    for error in (OSError(number, text), java):
        found = refusal(error)
        assert found is not None
        assert found[0] == told


def test_a_refusal_is_found_below_the_errors_that_it_caused() -> None:
    outer = ValueError("a table was not saved")
    outer.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert refusal(outer) == refusal(outer.__cause__)


def test_a_folder_that_spark_cannot_make_is_a_refusal() -> None:
    found = refusal(JavaError("java.io.IOException: Mkdirs failed to create file:/data/x"))
    assert found is not None
    assert found[0] == "no folder can be made there"


@pytest.mark.parametrize("error", [ValueError("no"), FileNotFoundError(errno.ENOENT, "no")])
def test_another_error_is_no_refusal(error: Exception) -> None:
    assert refusal(error) is None
