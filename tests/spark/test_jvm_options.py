import locale
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyspark
import pytest

from sparkify.spark import jvm_options as jvm

LOGGING = Path(jvm.__file__).with_name("log4j2.properties")
ALGEBRA = (
    "-Ddev.ludovic.netlib.blas.allowNative=false -Ddev.ludovic.netlib.lapack.allowNative=false"
)
QUIET = (
    f"-Xlog:disable -Dlog4j2.configurationFile={LOGGING.as_uri()} "
    f"-XX:ReservedCodeCacheSize=240m {ALGEBRA}"
)
EXECUTOR = f"--conf=spark.executor.extraJavaOptions={ALGEBRA}"
PRINTED = """
from pyspark.sql import SparkSession
from sparkify.spark.jvm_options import prepare_environment, format_submit_arguments
import os, sys
prepare_environment()
settings = {"spark.master": "local[1]", "spark.ui.enabled": False, "spark.driver.host": "127.0.0.1"}
os.environ["PYSPARK_SUBMIT_ARGS"] = format_submit_arguments(settings, scratch=sys.argv[1])
context = SparkSession.builder.getOrCreate().sparkContext
print(context._jvm.java.lang.System.getProperty("java.io.tmpdir"))
print(context._jvm.java.io.File(sys.argv[1]).exists())
logging = context._jvm.org.apache.logging.log4j.LogManager.getContext(False).getConfiguration()
print(logging.getConfigurationSource())
"""


@pytest.fixture
def no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(jvm, "CLASS_ARCHIVE", tmp_path / "spark-classes.jsa")
    return tmp_path / "spark-classes.jsa"


def test_every_setting_becomes_an_argument(no_archive: Path) -> None:
    settings = {
        "spark.master": "local[*]",
        "spark.app.name": "two words",
        "spark.ui.enabled": False,
        "spark.sql.shuffle.partitions": 1,
    }
    assert shlex.split(jvm.format_submit_arguments(settings)) == [
        "--conf=spark.master=local[*]",
        "--conf=spark.app.name=two words",
        "--conf=spark.ui.enabled=false",
        "--conf=spark.sql.shuffle.partitions=1",
        f"--conf=spark.driver.extraJavaOptions={QUIET}",
        EXECUTOR,
        "pyspark-shell",
    ]


def test_a_setting_that_is_none_is_omitted(no_archive: Path) -> None:
    settings = {"spark.driver.host": None, "spark.driver.extraJavaOptions": None}
    assert shlex.split(jvm.format_submit_arguments(settings)) == [
        f"--conf=spark.driver.extraJavaOptions={QUIET}",
        EXECUTOR,
        "pyspark-shell",
    ]


def test_java_options_of_the_settings_follow_those_of_the_project(no_archive: Path) -> None:
    settings = {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -Dname=value"}
    assert shlex.split(jvm.format_submit_arguments(settings)) == [
        f"--conf=spark.driver.extraJavaOptions={QUIET} -XX:TieredStopAtLevel=1 -Dname=value",
        EXECUTOR,
        "pyspark-shell",
    ]
    assert settings == {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -Dname=value"}


def test_paths_with_blanks_and_quotes_stay_one_option_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / 'it\'s my "clone"'
    folder.mkdir()
    archive = folder / "spark-classes.jsa"
    archive.touch()
    arguments = shlex.split(jvm.format_submit_arguments({}, archive, folder / "scratch"))
    (options,) = (
        one.partition("extraJavaOptions=")[2] for one in arguments if "driver.extraJava" in one
    )
    # Spark's launcher splits the options by the quotes of a shell.
    assert shlex.split(options) == [
        *QUIET.split(),
        f"-XX:SharedArchiveFile={archive}",
        f"-Djava.io.tmpdir={folder}/scratch",
    ]


def test_spark_starts_from_a_folder_with_blanks_in_any_locale(tmp_path: Path) -> None:
    sources = tmp_path / "mein Ordner, 100 % größer"
    package = sources / "sparkify" / "spark"
    package.mkdir(parents=True)
    for name in ("__init__.py", "jvm_options.py", "log4j2.properties"):
        (package / name).write_bytes(Path(jvm.__file__).with_name(name).read_bytes())
    scratch = sources / "tmp [1]"
    scratch.mkdir()
    environment = os.environ | {"PYTHONPATH": str(sources), "LC_ALL": "C"}
    environment |= {"SPARK_HOME": str(tmp_path / "other"), "PYSPARK_DRIVER_PYTHON": "jupyter"}
    command = [sys.executable, "-c", PRINTED, str(scratch)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, check=False
    )  # Spark splits its temporary folder at the comma and makes the rest where it runs
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines() == [
        str(scratch),
        "True",
        str(package / "log4j2.properties"),
    ]


def test_a_spark_home_of_another_installation_is_ignored_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    package = str(Path(pyspark.__file__).parent)
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    jvm.prepare_environment()
    assert os.environ["SPARK_HOME"] == package
    assert logged.messages == [f"SPARK_HOME={tmp_path} is ignored: Spark starts from {package}"]
    jvm.prepare_environment()
    assert len(logged.messages) == 1


def test_pyspark_without_jars_uses_spark_home(
    monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(pyspark, "__file__", str(tmp_path / "python/pyspark/__init__.py"))
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    jvm.prepare_environment()
    assert os.environ["SPARK_HOME"] == str(tmp_path)
    assert logged.messages == []


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("UTF-8", "unchanged"),
        ("utf8", "unchanged"),
        ("ANSI_X3.4-1968", "C.UTF-8"),
        ("ISO-8859-1", "C.UTF-8"),
    ],
)
def test_java_encodes_file_names_in_utf_8_in_any_locale(
    monkeypatch: pytest.MonkeyPatch, encoding: str, expected: str
) -> None:
    monkeypatch.setenv("LC_ALL", "unchanged")
    monkeypatch.setattr(locale, "getencoding", lambda: encoding)
    jvm.prepare_environment()
    assert os.environ["LC_ALL"] == expected


def test_the_class_archive_is_used_if_it_exists(no_archive: Path) -> None:
    assert "SharedArchiveFile" not in jvm.format_submit_arguments({})
    no_archive.touch()
    assert f"-XX:SharedArchiveFile={no_archive}" in jvm.format_submit_arguments({})


def test_the_logging_of_the_jvm_comes_with_the_package() -> None:
    assert "rootLogger.level = error" in LOGGING.read_text()


def test_classes_are_archived_again(no_archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def noted(command: list[str], env: dict[str, str], check: bool) -> None:
        calls.append((command, env))
        assert check

    monkeypatch.setattr(subprocess, "run", noted)
    monkeypatch.setenv("PATH", "/somewhere")
    no_archive.write_text("old")
    jvm.archive_classes(no_archive)
    assert not no_archive.exists()
    ((command, environment),) = calls
    assert environment["PATH"] == "/somewhere"
    arguments = environment["PYSPARK_SUBMIT_ARGS"]
    assert f"-XX:ArchiveClassesAtExit={no_archive}" in arguments
    assert "-XX:SharedArchiveFile" not in arguments
    assert "--conf=spark.ui.enabled=false" in arguments
    assert command[1] == "-c"
    compile(command[2], "rehearsal", "exec")
    assert len(command) == 4  # the last is the folder in which it works


def test_the_session_runs_with_the_arguments(spark: Any) -> None:
    options = spark.conf.get("spark.driver.extraJavaOptions")
    assert QUIET in options
    assert spark.conf.get("spark.sql.shuffle.partitions") == "1"
    assert "pyspark-shell" in os.environ["PYSPARK_SUBMIT_ARGS"]


def test_the_archive_of_an_environment_with_a_blank_in_its_path_is_one_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments: list[dict[str, str]] = []
    monkeypatch.setattr(subprocess, "run", lambda _, env, **__: environments.append(env))
    archive = tmp_path / "my clone" / "spark-classes.jsa"
    jvm.archive_classes(archive)
    arguments = shlex.split(environments[0]["PYSPARK_SUBMIT_ARGS"])
    (options,) = [text for text in arguments if text.startswith(f"--conf={jvm.JAVA_OPTIONS}=")]
    java_options = shlex.split(options.removeprefix(f"--conf={jvm.JAVA_OPTIONS}="))
    assert f"-XX:ArchiveClassesAtExit={archive}" in java_options
