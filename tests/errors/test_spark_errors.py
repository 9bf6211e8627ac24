import logging
from pathlib import Path

import pytest
from kedro.io.core import DatasetError
from py4j import java_gateway
from py4j.protocol import Py4JError, Py4JNetworkError
from pyspark import SparkContext
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sparkify.datasets import EventLogDataset, ParquetTableDataset
from sparkify.errors import spark_errors
from sparkify.errors.spark_errors import describe_spark_error, is_not_py4j
from tests import bad_logs


def raised(action: object) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 -- whatever Spark raises
        action()  # type: ignore[operator]
    return caught.value


@pytest.mark.parametrize("name", bad_logs.DAMAGED)
def test_a_damaged_file_is_named_by_its_path(
    spark: SparkSession, tmp_path: Path, name: str
) -> None:
    write, file = bad_logs.DAMAGED[name]
    write(tmp_path / "log.json")
    lines = EventLogDataset(filepath=str(tmp_path / "log.json")).load().read_all()
    message = describe_spark_error(raised(lines.agg(F.max("value")).collect)) or ""
    assert message.startswith(f"{tmp_path}/{file} cannot be read to its end (")
    assert message.endswith("It is truncated or damaged: replace it.")
    assert "\n" not in message


def test_a_failed_save_is_described_without_the_jvm_s_trace(
    spark: SparkSession, tmp_path: Path
) -> None:
    table = ParquetTableDataset(filepath=str(tmp_path / "table"))
    broken = spark.range(3).select(F.raise_error(F.lit("out of luck")).cast("int").alias("x"))
    error = raised(lambda: table.save(broken))
    assert isinstance(error, DatasetError)
    message = describe_spark_error(error) or ""
    assert "out of luck" in message
    assert message.endswith("`kedro run --traceback` shows where.")
    assert "\n" not in message


def test_an_overflow_is_described(spark: SparkSession) -> None:
    numbers = spark.createDataFrame([(2**62,), (2**62,)], "x bigint")
    message = describe_spark_error(raised(numbers.agg(F.sum("x")).collect)) or ""
    assert message.startswith("Spark failed (")
    assert "overflow" in message


def test_a_library_that_cannot_be_unpacked_is_described_with_what_to_do(
    spark: SparkSession,
) -> None:
    error = PySparkException(
        "Exception java.lang.UnsatisfiedLinkError: no snappyjava in java.library.path: /usr/lib"
    )
    message = describe_spark_error(error) or ""
    assert "(TMPDIR): the disk is full" in message
    assert "\n" not in message


@pytest.mark.parametrize("error", [Py4JNetworkError("gone"), ConnectionRefusedError(111, "gone")])
def test_a_jvm_that_has_ended_is_described_with_what_to_do(error: BaseException) -> None:
    message = describe_spark_error(error) or ""
    assert message.startswith("Spark's JVM ended during the run.")
    assert "spark.driver.memory in conf/<env>/spark.yml" in message


class Gone:
    """A JVM that was killed: py4j raises its own error for every name."""

    @property
    def java(self) -> None:
        raise Py4JError("java does not exist in the JVM")


def test_a_jvm_that_has_ended_is_noticed_by_a_call(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = Py4JError("org.apache.spark.sql.classic.SparkSession$ does not exist in the JVM")
    assert (describe_spark_error(error) or "").startswith(
        "Spark failed (Py4JError: org.apache.spark"
    )
    monkeypatch.setattr(SparkContext, "_jvm", Gone())
    assert (describe_spark_error(error) or "").startswith("Spark's JVM ended during")


def test_log_records_of_py4j_are_filtered() -> None:
    of_py4j = logging.makeLogRecord({"pathname": java_gateway.__file__})
    assert not is_not_py4j(of_py4j)
    assert is_not_py4j(logging.makeLogRecord({"pathname": spark_errors.__file__}))


def test_out_of_memory_is_described_with_a_remedy(spark: SparkSession) -> None:
    jvm = spark.sparkContext._jvm
    error = Py4JError("failed")
    error._origin = jvm.java.lang.OutOfMemoryError("Java heap space")  # type: ignore[attr-defined]
    message = describe_spark_error(DatasetError("Failed while saving")) or ""
    assert message == ""
    try:
        raise DatasetError("Failed while saving") from error
    except DatasetError as wrapped:
        message = describe_spark_error(wrapped) or ""
    assert message.startswith("Spark ran out of memory (Java heap space). Raise")


def test_errors_outside_spark_are_not_described(spark: SparkSession) -> None:
    assert describe_spark_error(ValueError("no")) is None
    error = raised(lambda: spark.range(1).select("nonesuch"))
    assert isinstance(error, AnalysisException)
    assert describe_spark_error(error) is None
