"""Runs of conf/examples on logs in each service's format, with a known signal."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from kedro.framework.session import KedroSession
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.hooks.parameter_check import find_invalid_values
from sparkify.pipelines.modelling.inputs import list_inputs
from sparkify.settings import CONFIG_LOADER_ARGS
from tests.preset_logs import SERVICES, USERS

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "conf" / "examples"
PAGE = ROOT / "docs" / "sources.md"
BLOCK = re.compile(r"^```yaml\n# (conf/examples/\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
PRESETS = sorted(folder.name for folder in EXAMPLES.iterdir())
FORECAST = ["segment"]  # run up to the metrics in every test run; `make presets` runs all
READ = ["amplitude", "eventsim_topics"]  # run up to the features: archives, several sources
CHEAP_MODELLING = {
    "candidates": {
        "logistic_regression": {"regParam": [0.1], "tol": [0.0001]},
        "random_forest": None,
        "gradient_boosted_trees": None,
        "xgboost": None,
    },
    "calibrations": ["none"],
    "folds": 2,
}
FEW_RESAMPLES = {"bootstrap_resamples": 200}


def load_settings(preset: str, file: str) -> dict[str, Any]:
    return yaml.safe_load((EXAMPLES / preset / file).read_text())


def run(
    project: Any,
    preset: str,
    monkeypatch: pytest.MonkeyPatch,
    *pipelines: str,
    users: int = USERS,
) -> Any:
    """Run pipelines in a preset's environment on a log in its format; return the catalog."""
    global_settings = load_settings(preset, "globals.yml")
    log = project.folder / global_settings["raw_log"]
    global_settings |= {"raw_log": str(log), "data_root": str(project.folder / "data")}
    (project.conf / "examples" / preset / "globals.yml").write_text(yaml.safe_dump(global_settings))
    SERVICES[preset].write_log(log, users)
    monkeypatch.setenv("KEDRO_ENV", f"examples/{preset}")
    project.run(*pipelines, params={"modelling": CHEAP_MODELLING, "evaluation": FEW_RESAMPLES})
    return project.catalog()


def list_varying(rows: DataFrame, columns: list[str]) -> list[str]:
    """Return the columns with more than one value."""
    counts = rows.agg(*(F.count_distinct(name).alias(name) for name in columns)).first()
    return [name for name in columns if counts and counts[name] > 1]


def require_accepted(catalog: Any) -> None:
    quality = catalog.load("data_quality")
    assert quality["accepted"] >= 0.95 * quality["lines"] > 2_000


def require_signal(catalog: Any, record_property: Callable[[str, object], None]) -> None:
    """Require that four inputs vary and that the AUC's interval is above 0.5."""
    require_accepted(catalog)
    model = catalog.load("churn_model")
    varying_inputs = list_varying(model.transform(catalog.load("train")), list_inputs(model))
    auc = catalog.load("metrics")["holdout"]["auc"]
    record_property("auc", auc)
    record_property("inputs", varying_inputs)
    assert len(varying_inputs) >= 4
    assert auc["ci95"][0] > 0.5


@pytest.mark.parametrize("preset", FORECAST)
def test_a_preset_predicts_the_signal_of_its_log(
    preset: str, project: Any, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    pipelines = ("data_processing", "feature_engineering", "modelling", "evaluation")
    require_signal(run(project, preset, monkeypatch, *pipelines), record_property)


@pytest.mark.presets
@pytest.mark.parametrize("preset", PRESETS)
def test_the_default_run_of_a_preset_predicts_the_signal_and_reports(
    preset: str, project: Any, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    catalog = run(project, preset, monkeypatch, "__default__")
    require_signal(catalog, record_property)
    assert catalog.load("report")["text"].startswith("# ")


@pytest.mark.parametrize("preset", READ)
def test_a_preset_reads_its_service_s_log(
    preset: str, project: Any, interpreted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = run(project, preset, monkeypatch, "data_processing", "feature_engineering", users=100)
    require_accepted(catalog)
    features = catalog.load("features")
    assert len(list_varying(features, features.columns)) >= 10
    assert catalog.load("snapshots").where("churned").count() > 10


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_s_parameters_are_valid(preset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_ENV", f"examples/{preset}")
    with KedroSession.create(project_path=ROOT, save_on_close=False) as session:
        assert list(find_invalid_values(session.load_context().config_loader["parameters"])) == []


def test_presets_load_from_packaged_settings(tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "conf-sparkify"), "gztar", ROOT, "conf")
    for preset in PRESETS:
        loader = OmegaConfigLoader(archive, f"examples/{preset}", **CONFIG_LOADER_ARGS)
        expected = load_settings(preset, "globals.yml")["raw_log"]
        assert loader["globals"]["raw_log"] == expected
        assert loader["globals"]["environment"] == preset


def test_presets_have_separate_environments() -> None:
    assert [load_settings(preset, "globals.yml")["environment"] for preset in PRESETS] == PRESETS


def test_the_docs_show_the_settings() -> None:
    blocks = dict(BLOCK.findall(PAGE.read_text()))
    files = {str(path.relative_to(ROOT)): path.read_text() for path in EXAMPLES.rglob("*.yml")}
    assert blocks == files


def test_every_tested_service_has_a_preset() -> None:
    assert sorted(SERVICES) == PRESETS
