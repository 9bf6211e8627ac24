"""No pickles, no injected SQL, no personal data, no credentials, no paths of a machine."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import yaml
from kedro_viz.launchers.cli.run import run as viz_run
from pydantic import TypeAdapter, ValidationError

from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.schemas.table import ColumnName

ROOT = Path(__file__).parents[1]
PICKLES = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
# Pickles of protocol 2 and later, and module names in older ones.
PICKLED = re.compile(rb"^\x80[\x02-\x05]|cloudpickle|c__builtin__|ccopy_reg")
PERSONAL = {"firstname", "lastname", "location", "useragent", "name", "email"}
SECRET_KEYS = re.compile(r"password|passwd|secret|token|access_?key|credential|private_?key", re.I)
SECRET_VALUES = re.compile(r"AKIA[0-9A-Z]{16}|-----BEGIN|://[^/\s:]+:[^/\s@]+@|gh[pousr]_\w{30}")
MACHINE_PATH = re.compile(
    r"(?<![\w./:>-])(?:/(?:tmp|root|home|work|Users|private|var|mnt|opt)/|[A-Z]:\\\\?Users)[^\s\"`)]*"
)
INJECTED = "x FROM __THIS__; DROP TABLE y --"


def list_imports(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_nothing_is_pickled_evaluated_or_run_in_a_shell() -> None:
    sources = sorted((ROOT / "src").rglob("*.py"))
    assert len(sources) > 40
    for source in sources:
        assert not PICKLES & set(list_imports(source)), source
        text = source.read_text()
        for call in ("eval(", "exec(", "os.system(", "shell=True", "read_pickle", "yaml.load("):
            assert not re.search(rf"(?<![\w.]){re.escape(call)}", text), (source, call)


def test_a_saved_model_holds_no_pickle(finished: Any) -> None:
    folder = finished.folder / "data" / "06_models"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".parquet" for path in files)
    for path in files:
        assert not PICKLED.search(path.read_bytes()), path
        assert path.suffix not in {".pkl", ".pickle", ".joblib"}, path


def test_personal_data_stays_in_the_raw_layer(finished: Any) -> None:
    raw = finished.folder / "data" / "01_raw"
    data = finished.folder / "data"
    files = [path for path in data.rglob("*.parquet") if path.is_file()]
    later = [path for path in files if raw not in path.parents]
    assert {path.relative_to(data).parts[0] for path in later} >= {
        *("02_intermediate", "03_primary", "04_feature", "05_model_input", "07_model_output")
    }
    for path in later:
        columns = pyarrow.parquet.read_schema(path).names
        assert not PERSONAL & {name.lower().replace("_", "") for name in columns}, path


def test_reports_have_no_locations_and_no_browsers(finished: Any) -> None:
    users = finished.catalog().load("simulated_users")
    places = {row["location"] for row in users.select("location").distinct().collect()}
    reports = [
        path
        for path in (finished.folder / "data").rglob("*")
        if path.suffix in {".json", ".csv", ".html", ".md", ".txt"} and "01_raw" not in path.parts
    ]
    assert len(reports) > 3
    for path in reports:
        text = path.read_text() if path.is_file() else ""
        assert "Mozilla" not in text, path
        assert not [place for place in places if place in text], path


@pytest.mark.parametrize(
    "name", [INJECTED, "", "Next Song", "a.b", "a`b", "../x", "1st", "x" * 101, "näme", "a\n"]
)
def test_a_column_name_is_an_identifier(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ColumnName).validate_python(name)


@pytest.mark.parametrize(
    "names",
    [
        {"rates": {INJECTED: {"count": "a", "per": "b", "prior": 1, "group": "g"}}},
        {"rates": {"x": {"count": INJECTED, "per": "b", "prior": 1, "group": "g"}}},
        {"rates": {"x": {"count": "a", "per": INJECTED, "prior": 1, "group": "g"}}},
        {"plain": {INJECTED: {"group": "g"}}},
    ],
)
def test_input_names_cannot_inject_sql(names: dict[str, Any]) -> None:
    complete = {"rates": {}, "plain": {}, "moderator": None, **names}
    with pytest.raises(ValidationError, match="String should match pattern"):
        InputParameters.model_validate(complete)


def test_page_and_baseline_names_cannot_inject_sql(
    parameters: dict[str, Any],
) -> None:
    engineering = parameters["feature_engineering"].model_dump()
    pages = {**engineering["pages"], INJECTED: "Home"}
    with pytest.raises(ValidationError, match="String should match pattern"):
        FeatureEngineeringParameters.model_validate({**engineering, "pages": pages})
    evaluation = parameters["evaluation"].model_dump()
    with pytest.raises(ValidationError, match="String should match pattern"):
        EvaluationParameters.model_validate({**evaluation, "baselines": {"most": INJECTED}})


def entries(config: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a configuration with its dotted key."""
    pairs = config.items() if isinstance(config, dict) else enumerate(config or [])
    for key, value in pairs:
        here = f"{path}.{key}"
        yield here, value
        if isinstance(value, dict | list):
            yield from entries(value, here)


def test_conf_has_no_credentials() -> None:
    files = [path for path in (ROOT / "conf").rglob("*") if path.is_file()]
    shared = [path for path in files if "local" not in path.relative_to(ROOT).parts]
    assert len(shared) > 10
    for path in shared:
        text = path.read_text()
        assert not SECRET_VALUES.search(text), path
        for key, value in entries(yaml.safe_load(text) if path.suffix == ".yml" else {}):
            assert not (SECRET_KEYS.search(key) and isinstance(value, str)), (path, key)


@pytest.mark.parametrize(
    "path",
    [
        "conf/local/credentials.yml",
        "conf/local/spark.yml",
        "conf/base/credentials.yml",
        "conf/full/s3_credentials.yaml",
        ".env",
        "key.pem",
        "data/01_raw/log.json",
        "data/08_reporting/mini/metrics.json",
    ],
)
def test_credentials_and_logs_stay_out_of_git(tmp_path: Path, path: str) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not here")
    subprocess.run([git, "init", "--quiet", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    result = subprocess.run([git, "-C", tmp_path, "check-ignore", "--quiet", path], check=False)
    assert result.returncode == 0


@pytest.mark.parametrize(
    "text",
    ["--logs /work/main/build", 'File "/root/x.py"', "(/tmp/a)", "C:\\Users\\me", "=/home/me/x"],
)
def test_paths_of_a_machine_are_detected(text: str) -> None:
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize("text", ["https://x.org/home/a", "data/tmp/x", "and/or", "conf/work/x"])
def test_other_paths_are_allowed(text: str) -> None:
    assert not MACHINE_PATH.search(text)


def test_results_and_pages_have_no_path_of_a_machine() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/*.ipynb")]
    results = [*ROOT.glob("benchmarks/results/*.json")]
    assert len(pages) > 10
    assert len(results) > 5
    paths_by_file = {
        str(file.relative_to(ROOT)): MACHINE_PATH.findall(file.read_text())
        for file in [*pages, *results]
    }
    assert {name: paths for name, paths in paths_by_file.items() if paths} == {}


def test_kedro_viz_listens_on_the_loopback_address() -> None:
    (host,) = [option for option in viz_run.params if option.name == "host"]
    assert host.default == "127.0.0.1"
    commands = re.findall(r"^\t.*kedro viz.*$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert commands
    hosts = [host for command in commands for host in re.findall(r"--host (\S+)", command)]
    assert set(hosts) <= {"127.0.0.1"}


def test_spark_listens_on_the_loopback_address() -> None:
    settings = yaml.safe_load((ROOT / "conf" / "base" / "spark.yml").read_text())
    assert settings["spark.driver.host"] == "127.0.0.1"
    assert settings["spark.driver.bindAddress"] == "127.0.0.1"
    assert settings["spark.ui.enabled"] is False
