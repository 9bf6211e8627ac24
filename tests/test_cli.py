import ast
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import LOGGING
from kedro.io.core import DatasetError
from sklearn.metrics import roc_curve

from sparkify import __main__, cli
from sparkify.datasets import JSONDataset
from sparkify.errors import UserError
from sparkify.errors.spark_errors import is_not_py4j
from tests import bad_logs

ROOT = Path(__file__).parents[1]


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))


def kedro(*arguments: str) -> Result:
    """Run a command of the project as Kedro's command line does."""
    return CliRunner().invoke(cli.cli, arguments)


def run(project: Any, *arguments: str) -> Result:
    return kedro("run", "--conf-source", str(project.conf), *arguments)


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_without_java_a_run_ends_with_one_sentence(no_java: None) -> None:
    result = kedro("run")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: Spark needs Java 17 or 21 and there is no Java here")
    assert result.stderr.count("\n") == 1


def test_without_java_kedro_does_not_start(no_java: None, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[dict[str, Any]] = []
    monkeypatch.setattr(kedro_run, "callback", lambda **options: started.append(options))
    kedro("run")
    assert started == []


@pytest.mark.parametrize("command", [["-m", "kedro", "run"], ["-m", "sparkify"]])
def test_without_java_every_way_to_run_prints_the_sentence_alone(
    tmp_path: Path, command: list[str]
) -> None:
    environment = {**os.environ, "JAVA_HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.run(
        [sys.executable, *command],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith("Error: Spark needs Java 17 or 21 and there is no Java here")
    assert process.stderr.count("\n") == 1


def test_a_missing_log_gives_one_message(project: Any) -> None:
    result = run(project)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    errors = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert f"there is no event log at {project.log}. Put yours there" in errors[0]
    assert "Traceback" not in result.output


def test_a_simulation_over_an_existing_log_stops_before_any_work(project: Any) -> None:
    project.log.parent.mkdir(parents=True)
    project.log.write_text("{}\n")
    result = run(project, "--pipelines", "simulation")
    assert result.exit_code == 1
    assert f"Error: there is an event log at {project.log} already" in result.output
    assert "Traceback" not in result.output
    assert list(project.folder.rglob("*.parquet")) == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("cutof=2018-11-15", "cutof is not a parameter; did you mean cutoff?"),
        ("modeling.folds=10", "modeling is not a parameter; did you mean modelling?"),
        ("modelling.fold=10", "modelling.fold is not a parameter; did you mean modelling.folds?"),
        ("modelling.folds=1", "modelling.folds is 1; allowed: an integer of at least 2."),
        ("modelling.folds=ten", 'modelling.folds is "ten"; allowed: an integer of at least 2.'),
        (
            "modelling.folds=null,simulation.users=-1",
            "modelling.folds is null; allowed: an integer of at least 2.\n"
            "simulation.users is -1; allowed: an integer above 0.",
        ),
        ("cutoff=soon", 'scoring.cutoff is "soon"; allowed: a date such as 2018-11-15, or null.'),
    ],
)
def test_each_wrong_parameter_is_one_sentence_and_printed_once(
    project: Any, params: str, message: str
) -> None:
    result = run(project, "--pipelines", "simulation", "--params", params)
    assert result.exit_code == 1
    assert result.output == f"Error: {message}\n"
    assert list(project.folder.rglob("*.parquet")) == []


def test_invalid_yaml_in_params_gives_one_message() -> None:
    result = kedro("run", "--params", "evaluation.groups={new: 1")
    assert result.exit_code == 2
    assert result.output.splitlines()[-1] == (
        "Error: --params has a value that is not YAML: expected ',' or '}', but got '<stream end>'."
    )


def test_the_packaged_project_refuses_parameters_as_kedro_run_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sparkify", "--params", "cutof=2018-11-15"])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Error: cutof is not a parameter; did you mean cutoff?\n"


def test_an_unknown_pipeline_is_named(project: Any) -> None:
    result = run(project, "--pipelines", "nonesuch")
    assert result.exit_code == 1
    assert "Error: Failed to find the pipeline named 'nonesuch'." in result.output
    assert "Traceback" not in result.output


def test_an_incomplete_table_gives_a_message_with_a_remedy(project: Any) -> None:
    result = run(project, "--pipelines", "feature_engineering")
    assert result.exit_code == 1
    assert "there is no complete table at" in result.output
    assert "run the pipeline that creates it." in result.output


@pytest.mark.parametrize("name", ["UTF-16", "half-written gzip", "impossible years"])
def test_a_bad_log_gives_one_message(project: Any, name: str) -> None:
    logs = {**bad_logs.REFUSED, **bad_logs.DAMAGED, **bad_logs.WITHOUT_EVENTS}
    write, words = logs[name]
    project.log.parent.mkdir(parents=True)
    write(project.log)
    result = run(project, "--pipelines", "data_processing")
    assert result.exit_code == 1
    *_, last = result.stderr.splitlines()
    assert last.startswith("Error: ")
    assert words.replace("log.json", project.log.name) in last
    for trace in ("Traceback", "\tat ", "java.", "py4j"):
        assert trace not in last
    assert "Traceback" not in result.output


def test_the_option_traceback_shows_the_traceback(project: Any) -> None:
    result = run(project, "--traceback", "--pipelines", "data_processing")
    assert isinstance(result.exception, DatasetError)
    assert result.exit_code == 1


@pytest.mark.parametrize("has_option", [True, False])
def test_py4j_traces_are_hidden_without_the_option_traceback(
    monkeypatch: pytest.MonkeyPatch, has_option: bool
) -> None:
    monkeypatch.setattr(kedro_run, "callback", lambda **options: None)
    monkeypatch.setattr(logging.getLogger(), "filters", [])
    assert kedro("run", *["--traceback"] * has_option).exit_code == 0
    assert (is_not_py4j in logging.getLogger().filters) is not has_option


def test_an_error_in_the_code_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**options: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(kedro_run, "callback", broken)
    assert isinstance(kedro("run").exception, ZeroDivisionError)


def test_options_are_passed_to_kedro(monkeypatch: pytest.MonkeyPatch) -> None:
    passed: dict[str, Any] = {}
    monkeypatch.setattr(kedro_run, "callback", lambda **options: passed.update(options))
    result = kedro("run", "--env", "full", "--pipelines", "modelling", "--params", "a.b=3")
    assert result.exit_code == 0
    assert passed["env"] == "full"
    assert list(passed["pipelines"]) == ["modelling"]
    assert passed["params"] == {"a": {"b": 3}}
    assert set(passed) == {option.name for option in kedro_run.params if option.name != "help"}


def test_the_command_has_all_options_of_kedro_run() -> None:
    ours = {name for option in cli.run.params for name in option.opts}
    kedros = {name for option in kedro_run.params for name in option.opts}
    assert ours - kedros == {"--traceback"}
    assert kedros <= ours
    assert isinstance(cli.cli, click.Group)


def test_the_packaged_project_has_the_same_command(
    no_java: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["sparkify", "--env", "mini"])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("Error: Spark needs Java 17 or 21")


@pytest.mark.parametrize("name", ["churn [v2]", "churn*", "churn?"])
def test_a_settings_path_with_wildcards_is_refused(tmp_path: Path, name: str) -> None:
    conf = tmp_path / name / "conf"
    conf.mkdir(parents=True)
    result = kedro("run", "--conf-source", str(conf))
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: the folder of the settings, {conf}, has {name.strip('churn v2]')} in its path, "
        f"which Kedro reads as a pattern. Rename that folder, or move conf/ and set "
        f"--conf-source.\n"
    )


def test_an_archive_of_settings_may_be_in_any_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kedro_run, "callback", lambda **options: None)
    packed = tmp_path / "churn [v2]" / "conf-sparkify.tar.gz"
    packed.parent.mkdir()
    packed.touch()
    assert kedro("run", "--conf-source", str(packed)).exit_code == 0


def test_a_project_path_with_a_colon_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = tmp_path / "churn:v2"
    (project / "src").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", project)
    monkeypatch.chdir(project)
    result = kedro("run")
    assert result.stderr == (
        f"Error: the project's folder, {project}, has : in its path. Python splits its search "
        f"path there. Rename that folder.\n"
    )


def test_a_run_in_a_subfolder_uses_the_folder_and_logging_of_the_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[tuple[Path, Any]] = []

    def look(**options: Any) -> None:
        calls.append((Path.cwd(), LOGGING.data["formatters"]))

    monkeypatch.setattr(kedro_run, "callback", look)
    monkeypatch.setattr(LOGGING, "data", {"version": 1, "formatters": {}})
    monkeypatch.delenv("KEDRO_LOGGING_CONFIG", raising=False)
    monkeypatch.chdir(ROOT / "docs")
    assert CliRunner().invoke(cli.cli, ["run"]).exit_code == 0
    formatters = yaml.safe_load((ROOT / "conf" / "logging.yml").read_text())["formatters"]
    assert calls == [(ROOT, formatters)]
    assert Path.cwd() == ROOT / "docs"


def test_an_unknown_runner_gives_one_message() -> None:
    result = kedro("run", "--runner", "Sequential")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: there is no runner Sequential: use SequentialRunner")


def test_settings_are_utf_8_in_any_locale(project: Any, tmp_path: Path) -> None:
    log = tmp_path / "größer" / "ünï.json"
    settings = project.conf / "mini" / "globals.yml"
    moved = yaml.safe_load(settings.read_text()) | {"raw_log": str(log)}
    settings.write_text(yaml.safe_dump(moved, allow_unicode=True), encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.run(
        [sys.executable, "-m", "kedro", "run", "--conf-source", str(project.conf)],
        env=os.environ | ascii_only,
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert f"Error: there is no event log at {log}. Put yours there" in process.stderr.decode()
    assert "Traceback" not in process.stderr.decode()


def test_an_unknown_environment_gives_one_message() -> None:
    result = kedro("run", "--env", "nonesuch")
    assert result.exit_code == 1
    assert "nonesuch" in result.output
    assert "Traceback" not in result.output


def run_that_raises(monkeypatch: pytest.MonkeyPatch, work: Any) -> Result:
    monkeypatch.setattr(kedro_run, "callback", lambda **options: work())
    return kedro("run")


@pytest.mark.parametrize(
    "work",
    [
        lambda: pd.concat([]),  # "No objects to concatenate"
        lambda: roc_curve([0, 1], [0.5]),
        lambda: np.zeros(2).reshape(3),
        lambda: int("one"),
    ],
)
def test_a_value_error_of_a_library_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, work: Any
) -> None:
    result = run_that_raises(monkeypatch, work)
    assert isinstance(result.exception, ValueError)


def test_an_unserialisable_result_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dataset = JSONDataset(filepath=str(tmp_path / "file.json"))
    result = run_that_raises(monkeypatch, lambda: dataset.save({"moment": object()}))
    assert isinstance(result.exception, DatasetError)


def test_a_damaged_file_gives_a_message_with_its_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file.json").write_text("{")
    dataset = JSONDataset(filepath=str(tmp_path / "file.json"))
    result = run_that_raises(monkeypatch, dataset.load)
    assert isinstance(result.exception, SystemExit)
    assert "Error: Failed while loading data from dataset" in result.output
    assert str(tmp_path / "file.json") in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from-nodes", "modelling.nonesuch"], "modelling.nonesuch"),
        (["--tags", "nonesuch"], "Pipeline contains no nodes"),
    ],
)
def test_an_unknown_node_or_tag_gives_one_message(arguments: list[str], message: str) -> None:
    result = kedro("run", *arguments)
    assert result.exit_code != 0
    assert isinstance(result.exception, SystemExit)
    assert message in result.output


def test_every_error_class_is_a_user_error() -> None:
    """Bugs raise built-in errors, which are not for users."""
    defined = [
        (path, node.name)
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
        if not {ast.unparse(base) for base in node.bases} & {"UserError", "TooLittleDataError"}
        if node.name != "UserError"
    ]
    assert defined == []


def test_notes_of_an_error_are_part_of_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    error = UserError("events span 3 days.")
    error.add_note("72% of the log's lines were rejected: 9 no ts.")

    def stop() -> None:
        raise error

    result = run_that_raises(monkeypatch, stop)
    assert "Error: events span 3 days. 72% of the log's lines were rejected" in result.output
