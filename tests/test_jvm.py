import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sparkify import jvm

LOGGING = Path(jvm.__file__).with_name("log4j2.properties")
QUIET = f"-Xlog:disable -Dlog4j2.configurationFile={LOGGING}"


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
    assert shlex.split(jvm.submit_arguments(settings)) == [
        "--conf=spark.master=local[*]",
        "--conf=spark.app.name=two words",
        "--conf=spark.ui.enabled=false",
        "--conf=spark.sql.shuffle.partitions=1",
        f"--conf=spark.driver.extraJavaOptions={QUIET}",
        "pyspark-shell",
    ]


def test_a_setting_that_is_none_is_left_to_spark(no_archive: Path) -> None:
    settings = {"spark.driver.host": None, "spark.driver.extraJavaOptions": None}
    assert shlex.split(jvm.submit_arguments(settings)) == [
        f"--conf=spark.driver.extraJavaOptions={QUIET}",
        "pyspark-shell",
    ]


def test_java_options_that_are_set_come_after_the_project_s_own(no_archive: Path) -> None:
    settings = {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -Dname=value"}
    assert shlex.split(jvm.submit_arguments(settings)) == [
        f"--conf=spark.driver.extraJavaOptions={QUIET} -XX:TieredStopAtLevel=1 -Dname=value",
        "pyspark-shell",
    ]
    assert settings == {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -Dname=value"}


def test_the_class_archive_is_used_where_it_is(no_archive: Path) -> None:
    assert "SharedArchiveFile" not in jvm.submit_arguments({})
    no_archive.touch()
    assert f"-XX:SharedArchiveFile={no_archive}" in jvm.submit_arguments({})


def test_the_logging_of_the_jvm_comes_with_the_package() -> None:
    assert "rootLogger.level = error" in LOGGING.read_text()


def test_a_rehearsal_archives_classes_anew(
    no_archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    assert "{folder}" not in command[2]


def test_the_session_runs_with_the_arguments(spark: Any) -> None:
    options = spark.conf.get("spark.driver.extraJavaOptions")
    assert QUIET in options
    assert spark.conf.get("spark.sql.shuffle.partitions") == "1"
    assert "pyspark-shell" in os.environ["PYSPARK_SUBMIT_ARGS"]
