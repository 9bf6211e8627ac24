"""User messages for errors inside Spark."""

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark import SparkContext
from pyspark.errors import AnalysisException, PySparkException

from sparkify.errors.os_errors import list_causes

# Types of Spark's runtime failures; an AnalysisException is a bug.
SPARK_ERRORS = (Py4JError, PySparkException, ConnectionError)
UNREADABLE_FILE = re.compile(r"FAILED_READ_FILE\S* .*?reading file (?:file://)?(\S+?)\.?\s")
OUT_OF_MEMORY = ("java.lang.OutOfMemoryError", "java.lang.StackOverflowError")
MORE_MEMORY = (
    "Raise spark.driver.memory in conf/<env>/spark.yml, or look for an extremely long line in the "
    "event log."
)
# Java unpacks the library that compresses Parquet when it is first used.
NO_LIBRARY = "no snappyjava in java.library.path"


def is_not_py4j(record: logging.LogRecord) -> bool:
    """Return whether a log record comes from anywhere but py4j, which also raises what it logs."""
    return "/py4j/" not in record.pathname


def describe_spark_error(error: BaseException) -> str | None:
    """Return what failed in Spark or its JVM and what to do; None for an error from elsewhere."""
    chain = list(list_causes(error))
    spark_error = next((cause for cause in chain if isinstance(cause, SPARK_ERRORS)), None)
    if spark_error is None or any(isinstance(cause, AnalysisException) for cause in chain):
        return None
    try:
        java_errors = list(_list_java_errors(spark_error))
    except (Py4JError, OSError):
        java_errors = []
    if not java_errors:
        return f"Spark's JVM ended during the run. {MORE_MEMORY}"
    kind, message = java_errors[-1]
    if kind in OUT_OF_MEMORY:
        return f"Spark ran out of memory ({message or kind}). {MORE_MEMORY}"
    reason = f"{kind.rpartition('.')[2]}: {message}" if message else kind
    if any(NO_LIBRARY in text for _, text in java_errors):
        return (
            "Spark cannot unpack a library into the folder of temporary files (TMPDIR): the disk "
            "is full, or programs may not run there. Free space, or set TMPDIR to another folder."
        )
    for _, text in java_errors:
        file = UNREADABLE_FILE.search(text + " ")
        if file:
            return (
                f"{unquote(file[1])} cannot be read to its end ({reason}). "
                f"It is truncated or damaged: replace it."
            )
    return f"Spark failed ({reason}). `kedro run --traceback` shows where."


def _list_java_errors(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield class and first line of the JVM's error and its causes; fails if the JVM has ended."""
    if isinstance(error, Py4JNetworkError | ConnectionError):
        return
    if isinstance(error, Py4JJavaError):
        throwable: Any = error.java_exception
    else:
        throwable = getattr(error, "_origin", None)
        if throwable is None:
            if SparkContext._jvm is not None:  # any call shows whether the JVM is still there
                SparkContext._jvm.java.lang.System.nanoTime()
            yield type(error).__name__, _get_first_line(str(error))
    while throwable is not None:
        yield throwable.getClass().getName(), _get_first_line(throwable.getMessage())
        throwable = throwable.getCause()


def _get_first_line(message: str | None) -> str:
    return (message or "").strip().partition("\n")[0]
