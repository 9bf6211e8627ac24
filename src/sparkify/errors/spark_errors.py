"""What went wrong inside of Spark, in a sentence for the user."""

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark import SparkContext
from pyspark.errors import AnalysisException, PySparkException

from sparkify.errors.os_errors import causes

# Runtime failures come as either; an AnalysisException is an error in the code.
SPARK_ERRORS = (Py4JError, PySparkException, ConnectionError)
READING = re.compile(r"FAILED_READ_FILE\S* .*?reading file (?:file://)?(\S+?)\.?\s")
OUT_OF_MEMORY = ("java.lang.OutOfMemoryError", "java.lang.StackOverflowError")
MORE_MEMORY = (
    "Give it more by spark.driver.memory in conf/<env>/spark.yml, or look for a line of the log "
    "that is far too long."
)


def is_news(record: logging.LogRecord) -> bool:
    """Say whether a record is other than py4j's, which logs as root what it also raises."""
    return "/py4j/" not in record.pathname


def told(error: BaseException) -> str | None:
    """Say what Spark or its JVM failed at and what to do; None where the error was not theirs."""
    chain = list(causes(error))
    theirs = next((cause for cause in chain if isinstance(cause, SPARK_ERRORS)), None)
    if theirs is None or any(isinstance(cause, AnalysisException) for cause in chain):
        return None
    try:
        thrown = list(_thrown(theirs))
    except (Py4JError, OSError):
        thrown = []
    if not thrown:
        return f"Spark's JVM has ended in the middle of its work. {MORE_MEMORY}"
    kind, message = thrown[-1]
    if kind in OUT_OF_MEMORY:
        return f"Spark ran out of memory ({message or kind}). {MORE_MEMORY}"
    reason = f"{kind.rpartition('.')[2]}: {message}" if message else kind
    for _, said in thrown:
        reading = READING.search(said + " ")
        if reading:
            return (
                f"{unquote(reading[1])} cannot be read to its end ({reason}). "
                f"It is cut off or damaged: put a whole one in its place."
            )
    return f"Spark failed ({reason}). `kedro run --traceback` shows where."


def _thrown(error: BaseException) -> Iterator[tuple[str, str]]:
    """Give the class and the first line of what the JVM threw and of what caused it, in order.

    Raises:
        Py4JError or OSError: if there is no JVM left to ask.
    """
    if isinstance(error, Py4JNetworkError | ConnectionError):
        return
    if isinstance(error, Py4JJavaError):
        throwable: Any = error.java_exception
    else:
        throwable = getattr(error, "_origin", None)
        if throwable is None:
            if SparkContext._jvm is not None:  # Python may be the first to notice that it is gone
                SparkContext._jvm.java.lang.System.nanoTime()
            yield type(error).__name__, _first_line(str(error))
    while throwable is not None:
        yield throwable.getClass().getName(), _first_line(throwable.getMessage())
        throwable = throwable.getCause()


def _first_line(message: str | None) -> str:
    return (message or "").strip().partition("\n")[0]
