import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkify.spark.java_check import JavaError, main, require_java

OPENJDK = 'openjdk version "{}" 2025-04-15\nOpenJDK Runtime Environment (build {})'
Install = Callable[[Path, str], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that installs a Java with a version; the machine has none."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    def install_java(home: Path, output: str) -> Path:
        program = home / "bin" / "java"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!/bin/sh\n[ \"$1\" = -version ] && echo '{output}' >&2\n")
        program.chmod(0o755)
        return program

    return install_java


def refusal() -> str:
    with pytest.raises(JavaError) as output:
        require_java()
    return str(output.value)


@pytest.mark.parametrize(
    "output",
    [
        OPENJDK.format("17.0.15", "17.0.15+6-Debian-1deb12u1"),
        OPENJDK.format("17", "17+35"),
        OPENJDK.format("21.0.7", "21.0.7+6-LTS"),
        OPENJDK.format("21-ea", "21-ea+2"),
        'java version "17.0.11" 2024-04-16 LTS',
        "Picked up JAVA_TOOL_OPTIONS: -Xmx2g\n" + OPENJDK.format("17.0.15", "17.0.15+6"),
    ],
)
def test_java_17_and_21_are_accepted(install: Install, tmp_path: Path, output: str) -> None:
    install(tmp_path, output)
    require_java()


@pytest.mark.parametrize(
    ("output", "version"),
    [
        (OPENJDK.format("1.8.0_402", "1.8.0_402-b06"), "8"),
        (OPENJDK.format("11.0.22", "11.0.22+7"), "11"),
        (OPENJDK.format("25", "25+36"), "25"),
        (OPENJDK.format("117", "117"), "117"),
    ],
)
def test_another_version_is_refused_by_its_number_and_path(
    install: Install, tmp_path: Path, output: str, version: str
) -> None:
    program = install(tmp_path, output)
    assert f"Spark needs Java 17 or 21 and {program} is Java {version}: install" in refusal()


@pytest.mark.parametrize("output", ["", "Unable to locate a Java Runtime.", "version 17"])
def test_java_without_a_version_is_refused(install: Install, tmp_path: Path, output: str) -> None:
    # macOS has a /usr/bin/java without Java.
    program = install(tmp_path, output)
    assert f"and `{program} -version` prints no version: install" in refusal()


def test_missing_java_is_refused(install: Install) -> None:
    assert "Spark needs Java 17 or 21 and there is no Java here: install" in refusal()


def test_java_home_comes_before_the_path(install: Install, tmp_path: Path, monkeypatch) -> None:
    install(tmp_path, OPENJDK.format("17.0.15", "17.0.15+6"))
    other = install(tmp_path / "jdk-25", OPENJDK.format("25", "25+36"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk-25"))
    assert f"{other} is Java 25" in refusal()


def test_a_java_home_without_java_is_refused_despite_java_on_the_path(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Spark starts $JAVA_HOME/bin/java wherever JAVA_HOME is set.
    install(tmp_path, OPENJDK.format("17.0.15", "17.0.15+6"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    assert "there is no Java here" in refusal()


def test_an_empty_java_home_is_ignored(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, OPENJDK.format("17.0.15", "17.0.15+6"))
    monkeypatch.setenv("JAVA_HOME", "")
    require_java()


@pytest.mark.parametrize("output", [None, "", OPENJDK.format("11.0.22", "11.0.22+7")])
def test_every_refusal_is_one_sentence_with_the_package_to_install(
    install: Install, tmp_path: Path, output: str | None
) -> None:
    if output is not None:
        install(tmp_path, output)
    sentence = refusal()
    assert "\n" not in sentence
    assert "`apt-get install openjdk-17-jre-headless`" in sentence
    assert "`brew install openjdk@17`" in sentence
    assert "JAVA_HOME" in sentence
    assert sentence.endswith(".")


def test_the_program_exits_with_the_message(install: Install) -> None:
    with pytest.raises(SystemExit) as ended:
        main()
    assert str(ended.value).startswith("Error: Spark needs Java 17 or 21 and there is no Java")


def test_the_program_prints_nothing_with_a_supported_java(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path, OPENJDK.format("17.0.15", "17.0.15+6"))
    main()
    assert capsys.readouterr() == ("", "")


def test_the_module_runs_before_anything_is_installed(tmp_path: Path) -> None:
    sources = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-m",
            "sparkify.spark.java_check",
        ],  # -S: without install_java packages
        env={"PATH": str(tmp_path), "PYTHONPATH": str(sources)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: Spark needs Java 17 or 21 and there is no Java here")
    assert done.stderr.count("\n") == 1
