import copy
import fcntl
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pyspark.sql import SparkSession

from sparkify.hooks.parameter_check import find_invalid_values
from sparkify.spark.jvm_options import format_submit_arguments, prepare_environment

# PySpark collects timestamps in the machine's time zone.
os.environ["TZ"] = "UTC"
time.tzset()
ROOT = Path(__file__).parents[1]
SMALL_SIMULATION = {"users": 90, "days": 61, "songs": 500, "artists": 50, "seed": 24}
SMALL_MODELLING = {
    "candidates": {
        "logistic_regression": {"regParam": [0.3]},
        "random_forest": {"numTrees": [3], "maxDepth": [2]},
        "gradient_boosted_trees": None,
        "xgboost": None,
    },
    "folds": 2,
    "min_train_churned": 4,
    "min_holdout_churned": 1,
}
SMALL_VALIDATION = {
    "learning_curve_users": [60],
    "learning_curve_repeats": 1,
    "label_shuffles": 2,
    "curve_days": [7, 30],
    "leakage": {"folds": 2},
}
SMALL = {
    "simulation": SMALL_SIMULATION,
    "modelling": SMALL_MODELLING,
    "evaluation": {"bootstrap_resamples": 20},
    "validation": SMALL_VALIDATION,
}


@pytest.fixture(scope="session", autouse=True)
def configured() -> None:
    """Configure Kedro once: each time, dynaconf inspects the whole stack of calls."""
    bootstrap_project(ROOT)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One small session for the whole suite: starting Spark takes longer than most tests."""
    settings = {
        "spark.master": "local[1]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
        "spark.hadoop.parquet.hadoop.vectored.io.enabled": False,
        "spark.python.sql.dataFrameDebugging.enabled": False,
        "spark.sql.adaptive.enabled": False,
        "spark.sql.execution.arrow.pyspark.enabled": True,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": 1,
        "spark.ui.enabled": False,
        "spark.ui.showConsoleProgress": False,
    }
    prepare_environment()
    os.environ["PYSPARK_SUBMIT_ARGS"] = format_submit_arguments(settings)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(ROOT / "src")  # for Spark's Python workers
    session = SparkSession.builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def layers() -> list[str]:
    """Return the layers of the data, in the order of the data flow."""
    return [
        "01_raw",
        "02_intermediate",
        "03_primary",
        "04_feature",
        "05_model_input",
        "06_models",
        "07_model_output",
        "08_reporting",
    ]


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of genuine logs; they are not part of the project."""
    folder = ROOT.parent / "shared" / "data" / "real"
    if not folder.exists():
        pytest.skip("the genuine logs are not here")
    return folder


@pytest.fixture(scope="session")
def parameters() -> dict[str, Any]:
    """Return the parameters of the mini environment as nodes get them."""
    with KedroSession.create(project_path=ROOT, save_on_close=False) as session:
        return session.load_context().params


# Names with characters that are special in Spark, Hadoop, Python or a shell.
ODD_NAMES = [
    "my log",
    "a[1]",
    "a{b}",
    "a{b",
    "a*",
    "a?",
    "a\\b",
    "a,b",
    "a%20b",
    "a#b",
    "ünï",
    "a'b",
]


@pytest.fixture(scope="session")
def parameters_as_loaded() -> dict[str, Any]:
    """Return the parameters of the mini environment before Kedro validates them."""
    with KedroSession.create(project_path=ROOT, save_on_close=False) as session:
        loaded: dict[str, Any] = session.load_context().config_loader["parameters"]
        return loaded


@pytest.fixture
def raw_parameters(parameters_as_loaded: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the mini environment, for a test that changes them."""
    return copy.deepcopy(parameters_as_loaded)


@pytest.fixture(scope="session")
def refusals(parameters_as_loaded: dict[str, Any]) -> Callable[..., list[str]]:
    """Return a function that lists what is wrong once a parameter is changed."""

    def refused(name: str, value: Any) -> list[str]:
        changed = copy.deepcopy(parameters_as_loaded)
        *sections, last = name.split(".")
        reduce(dict.__getitem__, sections, changed)[last] = value
        return list(find_invalid_values(changed))

    return refused


class Project:
    """A copy of the project's settings, with data in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.params = folder, SMALL
        self._catalog: Any = None
        self.conf = folder / "conf"
        if not self.conf.exists():
            self._copy_settings()
        self.log = Path(yaml.safe_load((self.conf / "mini" / "globals.yml").read_text())["raw_log"])

    def _copy_settings(self) -> None:
        shutil.copytree(ROOT / "conf", self.conf)
        shutil.copy(ROOT / "pyproject.toml", self.folder)  # Kedro-Viz requires it
        settings = self.conf / "mini" / "globals.yml"
        mini = yaml.safe_load(settings.read_text())
        moved = {
            "raw_log": str(self.folder / mini["raw_log"]),
            "data_root": str(self.folder / "data"),
        }
        settings.write_text(yaml.safe_dump(mini | moved))

    def copy_to(self, folder: Path) -> "Project":
        """Return a project with the same data, for a test that changes them."""
        other = Project(folder)
        shutil.copytree(self.folder / "data", folder / "data")
        return other

    def run(self, *pipelines: str, **options: Any) -> dict[str, Any]:
        """Run pipelines as `kedro run --pipelines` does."""
        self._catalog = None
        runtime_params = options.pop("params", {})
        with KedroSession.create(
            project_path=self.folder,
            conf_source=str(self.conf),
            runtime_params=runtime_params,
            save_on_close=False,
        ) as session:
            return session.run(pipeline_names=list(pipelines), **options)

    def catalog(self) -> Any:
        """Return the project's catalog, the same until the next run."""
        if self._catalog is None:
            with KedroSession.create(
                project_path=self.folder, conf_source=str(self.conf), save_on_close=False
            ) as session:
                self._catalog = session.load_context().catalog
        return self._catalog


@pytest.fixture(scope="session")
def finished(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project in which a small log was simulated and the default pipeline has run.

    The first worker of pytest-xdist that needs it makes it, and all of them read it.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "finished"
    folder.mkdir(exist_ok=True)
    complete = folder / "complete"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        project = Project(folder)
        if not complete.exists():
            shutil.rmtree(folder / "data", ignore_errors=True)
            project.run("simulation", params=SMALL)
            project.run("__default__", params=SMALL)
            complete.touch()
    return project


@pytest.fixture
def project(spark: SparkSession, tmp_path: Path) -> Project:
    """Return a project without any data."""
    return Project(tmp_path)


@pytest.fixture
def interpreted(spark: SparkSession) -> Iterator[None]:
    """Let Spark interpret expressions: for a few rows, compiling takes most of the time."""
    changed = {
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    }
    earlier = {name: spark.conf.get(name) for name in changed}
    for name, value in changed.items():
        spark.conf.set(name, value)
    yield
    for name, value in earlier.items():
        spark.conf.set(name, value)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Return a headless Chromium, one for the whole suite: Playwright runs once in a process."""
    picture = pytest.importorskip("docs.picture")
    if picture.CHROMIUM is None:
        pytest.skip("there is no Chromium here")
    with picture.start_chromium() as opened:
        yield opened


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a small disk with space for 64 kB."""
    if os.geteuid():
        pytest.skip("mounting a disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Return the log records of the project."""
    caplog.set_level(logging.INFO, "sparkify")
    return caplog
