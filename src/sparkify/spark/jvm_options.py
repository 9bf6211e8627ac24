"""Options of Spark's JVM: logging, the imported PySpark, and an archive of loaded classes.

A short run mostly waits for Java to read and verify Spark's classes. Java can map them from an
archive instead (class data sharing). `python -m sparkify.spark.jvm_options` writes that archive
into the Python environment, and every run uses it if it exists.
"""

import locale
import logging
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyspark

logger = logging.getLogger(__name__)
# A URI: Log4j splits a plain path at commas and decodes its % signs.
LOGGING = Path(__file__).with_name("log4j2.properties").as_uri()
CLASS_ARCHIVE = Path(sys.prefix) / "spark-classes.jsa"
JAVA_OPTIONS = "spark.driver.extraJavaOptions"
EXECUTOR_OPTIONS = "spark.executor.extraJavaOptions"
# Java would call the machine's BLAS and LAPACK where it finds them; their sums differ.
OWN_ALGEBRA = [f"-Ddev.ludovic.netlib.{name}.allowNative=false" for name in ("blas", "lapack")]
# Java's default if both of its compilers run; with the first one alone 48 MB, which fills up.
CODE_CACHE = "-XX:ReservedCodeCacheSize=240m"
# A small run like the project's; the classes that it loads are archived.
SAMPLE_RUN = """
import sys
from pyspark.ml import Pipeline
from pyspark.ml.classification import GBTClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import SparkSession, Window, functions as F

folder = sys.argv[1]
spark = SparkSession.builder.getOrCreate()
line = F.to_json(F.struct(F.col("id"), (F.col("id") % 3).alias("x"), F.lit("a").alias("page")))
spark.range(200).select(line).write.text(f"{folder}/lines")
lines = spark.read.text(f"{folder}/lines").select("value", F.xxhash64("value").alias("id"))
lines.mapInArrow(lambda batches: batches, lines.schema).write.parquet(f"{folder}/rows")
remainder = (F.col("id") % 3).cast("double")
rows = spark.read.parquet(f"{folder}/rows").select("id", remainder.alias("x"))
place = F.row_number().over(Window.partitionBy("x").orderBy("id"))
table = rows.select("id", "x", (place % 2).alias("label"))
table.groupBy("x").agg(F.sum("label"), F.max(F.struct("id", "x"))).toPandas()
label = table.select("x", F.col("label").cast("double").alias("label")).cache()
inputs = VectorAssembler(inputCols=["x"], outputCol="vector")
scaled = StandardScaler(inputCol="vector", outputCol="features")
for classifier in [
    LogisticRegression(maxIter=2),
    RandomForestClassifier(numTrees=2),
    GBTClassifier(maxIter=1),
]:
    model = Pipeline(stages=[inputs, scaled, classifier]).fit(label)
    model.transform(label).select("probability").toPandas()
    model.save(f"{folder}/{type(classifier).__name__}")
# The JVM ends when its standard input does, and writes the archive as it ends.
process = spark.sparkContext._gateway.proc
spark.stop()
process.stdin.close()
process.wait()
"""


def format_submit_arguments(
    settings: Mapping[str, Any], archive: Path | None = None, scratch: Path | None = None
) -> str:
    """Return Spark settings as PYSPARK_SUBMIT_ARGS, with JVM options added.

    Settings that are None are omitted, so an environment can remove a setting of base. Temporary
    files of Spark and Java go to `scratch`, unless `spark.local.dir` is set.
    """
    # JVM logging is off: it warns of classes that cannot be archived.
    options = ["-Xlog:disable", f"-Dlog4j2.configurationFile={LOGGING}", CODE_CACHE, *OWN_ALGEBRA]
    archive = archive or CLASS_ARCHIVE
    if archive.exists():
        options.append(f"-XX:SharedArchiveFile={archive}")
    if scratch:
        options.append(f"-Djava.io.tmpdir={scratch}")
    added = {JAVA_OPTIONS: options, EXECUTOR_OPTIONS: OWN_ALGEBRA}
    complete = {
        **settings,
        **{
            name: f"{shlex.join(ours)} {settings.get(name) or ''}".strip()
            for name, ours in added.items()
        },
    }
    arguments = [
        f"--conf={name}={format_setting(value)}"
        for name, value in complete.items()
        if value is not None
    ]
    return shlex.join([*arguments, "pyspark-shell"])


def format_setting(value: Any) -> str:
    """Return the value of a setting as Spark writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def prepare_environment() -> None:
    """Make Spark start from the imported PySpark, and Java encode file names in UTF-8.

    PySpark starts the installation in SPARK_HOME, which may have another version. Java encodes
    file names in the locale's encoding.
    """
    package, home = Path(pyspark.__file__).parent, os.environ.get("SPARK_HOME")
    if (package / "jars").is_dir():  # elsewhere if PySpark is part of an installation
        if home and Path(home).resolve() != package.resolve():
            logger.warning("SPARK_HOME=%s is ignored: Spark starts from %s", home, package)
        os.environ["SPARK_HOME"] = str(package)
    if locale.getencoding().upper().replace("-", "") != "UTF8":
        os.environ["LC_ALL"] = "C.UTF-8"


def archive_classes(archive: Path = CLASS_ARCHIVE) -> None:
    """Run SAMPLE_RUN in another process and archive the classes that it loads."""
    archive.unlink(missing_ok=True)
    prepare_environment()
    settings = {
        "spark.master": "local[1]",
        "spark.ui.enabled": False,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": 1,
        JAVA_OPTIONS: shlex.quote(f"-XX:ArchiveClassesAtExit={archive}"),
    }
    environment = {
        **os.environ,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": format_submit_arguments(settings, archive),
    }
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", SAMPLE_RUN, folder]
        subprocess.run(command, env=environment, check=True)  # noqa: S603


if __name__ == "__main__":
    archive_classes()
