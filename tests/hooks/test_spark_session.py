import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.framework.session import KedroSession
from kedro.io import DataCatalog, SharedMemoryDataCatalog
from kedro.io.core import DatasetError
from kedro.pipeline import Node, Pipeline

from sparkify.datasets import EventLogDataset
from sparkify.hooks.spark_session import RunnerError, SparkSessionHooks

ROOT = Path(__file__).parents[2]


def work(*inputs: Any) -> None:
    """Stub of a node function; the hooks use only names."""


def make_pipeline(*outputs: str) -> Pipeline:
    """Return a pipeline of one node per output."""
    return Pipeline([Node(work, [], name, name=f"make_{name}") for name in outputs])


def test_spark_gets_the_settings_and_the_running_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "other")
    monkeypatch.setenv("PYSPARK_PYTHON", "/usr/bin/python3")
    settings = {"spark.master": "local[3]", "spark.ui.enabled": False}
    context = SimpleNamespace(config_loader={"spark": settings})
    SparkSessionHooks().after_context_created(context)
    arguments = shlex.split(os.environ["PYSPARK_SUBMIT_ARGS"])
    assert arguments[:2] == ["--conf=spark.master=local[3]", "--conf=spark.ui.enabled=false"]
    assert arguments[-1] == "pyspark-shell"
    assert os.environ["PYSPARK_PYTHON"] == sys.executable


@pytest.mark.parametrize(("before", "after"), [(None, "127.0.0.1"), ("10.0.0.7", "10.0.0.7")])
def test_the_ui_listens_on_the_driver_s_address_by_default(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "other")
    monkeypatch.setenv("PYSPARK_PYTHON", "/usr/bin/python3")
    monkeypatch.setenv("SPARK_LOCAL_IP", before or "")
    if before is None:
        monkeypatch.delenv("SPARK_LOCAL_IP")
    settings = {"spark.driver.bindAddress": "127.0.0.1"}
    SparkSessionHooks().after_context_created(SimpleNamespace(config_loader={"spark": settings}))
    assert os.environ["SPARK_LOCAL_IP"] == after


def test_a_kedro_session_passes_on_the_settings_of_its_environment(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "other")
    monkeypatch.setenv("PYSPARK_PYTHON", "/usr/bin/python3")
    project.catalog()
    arguments = shlex.split(os.environ["PYSPARK_SUBMIT_ARGS"])
    assert "--conf=spark.app.name=sparkify" in arguments  # base
    assert "--conf=spark.sql.shuffle.partitions=1" in arguments  # mini
    assert os.environ["PYSPARK_PYTHON"] == sys.executable


def test_workers_start_the_python_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "other")
    monkeypatch.setenv("PYSPARK_PYTHON", "other")
    with KedroSession.create(project_path=ROOT, env="cluster", save_on_close=False) as session:
        session.load_context()
    arguments = os.environ["PYSPARK_SUBMIT_ARGS"]
    assert os.environ["PYSPARK_PYTHON"] == "python3"
    assert "--conf=spark.master=spark://spark-master:7077" in arguments
    assert "--conf=spark.eventLog.dir=/mnt/sparkify/event_log" in arguments
    assert "127.0.0.1" not in arguments  # executors could not reach the driver there


def test_a_run_that_would_overwrite_a_log_is_refused(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text("{}\n")
    catalog = DataCatalog({"log": EventLogDataset(filepath=str(tmp_path / "log.json"))})
    with pytest.raises(DatasetError, match="there is an event log at"):
        SparkSessionHooks().before_pipeline_run(make_pipeline("log"), catalog)
    reading = Pipeline([Node(work, "log", "count", name="count_lines")])
    SparkSessionHooks().before_pipeline_run(reading, catalog)


def test_a_run_that_writes_the_first_log_is_not_refused(spark: Any, tmp_path: Path) -> None:
    catalog = DataCatalog({"log": EventLogDataset(filepath=str(tmp_path / "log.json"))})
    SparkSessionHooks().before_pipeline_run(make_pipeline("log", "undeclared"), catalog)


@pytest.fixture
def in_new_york(spark: Any) -> Iterator[Any]:
    """Return a running session of another time zone."""
    spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    yield spark
    spark.conf.set("spark.sql.session.timeZone", "UTC")


def test_a_running_session_gets_the_project_s_time_zone_before_tables_are_loaded(
    in_new_york: Any, project: Any
) -> None:
    project.catalog()
    assert in_new_york.conf.get("spark.sql.session.timeZone") == "UTC"


def test_a_running_session_gets_the_project_s_time_zone_before_a_run(in_new_york: Any) -> None:
    hooks = SparkSessionHooks()
    hooks._settings = {"spark.sql.session.timeZone": "UTC"}
    hooks.before_pipeline_run(make_pipeline("metrics"), DataCatalog())
    assert in_new_york.conf.get("spark.sql.session.timeZone") == "UTC"


def test_parallel_runner_is_refused_before_any_work() -> None:
    with pytest.raises(RunnerError, match="Use --runner SequentialRunner"):
        SparkSessionHooks().before_pipeline_run(make_pipeline("metrics"), SharedMemoryDataCatalog())


def test_a_simulation_over_a_log_is_refused_before_any_work(project: Any) -> None:
    compressed = project.log.with_name(project.log.name + ".gz")
    compressed.parent.mkdir(parents=True)
    compressed.write_bytes(b"")
    before = sorted(project.log.parent.rglob("*"))
    with pytest.raises(DatasetError, match=r"at .*\.json\.gz already, which is never"):
        project.run("simulation", params={"simulation": {"users": 2, "days": 1}})
    assert sorted(project.log.parent.rglob("*")) == before
