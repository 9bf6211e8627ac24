"""What is on disk, read as the project reads it: one digest per dataset."""

import hashlib
import json
import os
import sys
import threading
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from matplotlib.image import imread
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.chaos.project import ENVIRONMENT, ROOT, ChaosProject
from sparkify.datasets import FigureDataset
from sparkify.spark.jvm_options import submit_arguments

ABSENT = "absent"
UNREADABLE = "unreadable"
# Have to load and are not compared: they say how long things took, or which model stood before.
NOT_COMPARED = {
    *("run_timings", "run_timings_figure", "fit_times", "candidates_figure"),
    *("promotion", "report_html", "report_md"),
}
State = dict[str, str]  # digest, ABSENT or `UNREADABLE: why`, by the dataset's name
_one_at_a_time = threading.Lock()  # Kedro's sessions and catalogs are one thread's


def start_spark() -> SparkSession:
    """Start the session that looks at what runs have left; it takes part in none."""
    settings = {
        "spark.master": "local[1]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.sql.shuffle.partitions": 1,
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": False,
        "spark.ui.showConsoleProgress": False,
    }
    os.environ["PYSPARK_SUBMIT_ARGS"] = submit_arguments(settings)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    return SparkSession.builder.getOrCreate()


def state(project: ChaosProject, customers: pd.DataFrame | None = None) -> State:
    """Load every catalogued dataset that a run writes.

    Args:
        project: whose data to read.
        customers: rows of `test` by whose forecasts a model is known; None leaves models out.
    """
    with _one_at_a_time:
        catalog = project_catalog(project)
        found: State = {}
        for name in sorted(catalog):
            dataset = catalog.get(name)
            if name.startswith("param") or name == "raw_events":
                continue
            if isinstance(dataset, MemoryDataset):
                continue
            if not dataset.exists():
                found[name] = ABSENT
                continue
            try:
                found[name] = _digest(_loaded(dataset), customers)
            except Exception as error:  # whatever it is, it is the finding
                found[name] = f"{UNREADABLE}: {str(error).splitlines()[0]}"
        return found


def project_catalog(project: ChaosProject) -> DataCatalog:
    """Return the catalog over the project's data."""
    bootstrap_project(ROOT)
    with KedroSession.create(
        project_path=ROOT, env=ENVIRONMENT, conf_source=str(project.conf), save_on_close=False
    ) as session:
        return session.load_context().catalog


def log_lines(project: ChaosProject) -> str:
    """Return the digest of the log, or that there is none."""
    with _one_at_a_time:
        dataset = project_catalog(project).get("raw_events")
        return _digest(dataset.load(), None) if dataset.exists() else ABSENT


def _loaded(dataset: AbstractDataset[Any, Any]) -> Any:
    if isinstance(dataset, FigureDataset):  # loads the file
        return imread(BytesIO(dataset.load()))
    return dataset.load()


def _digest(loaded: Any, customers: pd.DataFrame | None) -> str:
    if isinstance(loaded, PipelineModel):
        if customers is None:
            return ABSENT
        rows = SparkSession.active().createDataFrame(customers)
        loaded = loaded.transform(rows).select("user_id", "probability")
    if isinstance(loaded, DataFrame):
        return _rows_digest(loaded)
    if isinstance(loaded, pd.DataFrame):
        return _hash(loaded.to_csv(index=False).encode())
    if isinstance(loaded, np.ndarray):
        return _hash(loaded.tobytes())
    if isinstance(loaded, dict) and any(callable(value) for value in loaded.values()):
        parts = {name: _digest(load(), customers) for name, load in loaded.items()}
        return _hash(json.dumps(parts, sort_keys=True).encode())
    return _hash(json.dumps(loaded, sort_keys=True, default=str).encode())


def _rows_digest(rows: DataFrame) -> str:
    digest = rows.select(F.xxhash64(*rows.columns).cast("decimal(20,0)").alias("hash")).agg(
        F.count("*").alias("rows"), F.sum("hash").alias("sum")
    )
    found = digest.first()
    assert found is not None
    return f"{found['rows']} rows, {found['sum']}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
