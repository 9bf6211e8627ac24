"""The datasets on disk, loaded through the catalog: one digest per dataset."""

import hashlib
import json
import threading
from typing import Any

import numpy as np
import pandas as pd
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog, MemoryDataset
from matplotlib.image import imread
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.chaos.project import ENVIRONMENT, ChaosProject
from benchmarks.program import ROOT
from sparkify.datasets import FigureDataset
from sparkify.spark.checksums import count_and_hash_sum

ABSENT = "absent"
UNREADABLE = "unreadable"
# Must load, but are not compared: they contain run times or the previous champion.
NOT_COMPARED = {
    *("reading_plan", "record_counts", "table_manifests"),  # which files were read when
    *("run_timings", "run_timings_figure"),
    *("promotion", "report"),
}
SPARK = {  # of the session that loads the datasets
    "spark.master": "local[1]",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.sql.shuffle.partitions": 1,
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": False,
    "spark.ui.showConsoleProgress": False,
}
State = dict[str, str]  # digest, ABSENT or `UNREADABLE: reason`, by the dataset's name
_lock = threading.Lock()  # Kedro's sessions and catalogs are not thread-safe


def read_state(project: ChaosProject, customers: pd.DataFrame | None = None) -> State:
    """Load every dataset that a run writes, and return their digests.

    Args:
        project: the project with the data.
        customers: rows of `test`, whose predictions are the digest of a model; None omits models.
    """
    with _lock:
        catalog, state = load_catalog(project), {}
        for name in sorted(catalog):
            dataset = catalog.get(name)
            is_input = name.startswith(("param", "raw_events"))
            if is_input or isinstance(dataset, MemoryDataset):
                continue
            try:
                state[name] = _digest(_load(dataset), customers) if dataset.exists() else ABSENT
            except Exception as error:  # any error is a result of the trial
                state[name] = f"{UNREADABLE}: {str(error).splitlines()[0]}"
        return state


def load_catalog(project: ChaosProject) -> DataCatalog:
    """Return the catalog of the project's data."""
    bootstrap_project(ROOT)
    with KedroSession.create(
        project_path=ROOT, env=ENVIRONMENT, conf_source=str(project.conf), save_on_close=False
    ) as session:
        return session.load_context().catalog


def digest_log(project: ChaosProject) -> str:
    """Return the digest of the lines of the event log, or ABSENT."""
    with _lock:
        dataset = load_catalog(project).get("raw_events")
        # Without the column `file`: Spark names part files differently in every run.
        return (
            _digest(dataset.load().read_all().select("value"), None) if dataset.exists() else ABSENT
        )


def _load(dataset: Any) -> Any:
    if isinstance(dataset, FigureDataset):  # it saves but does not load
        return imread(dataset._filepath)
    return dataset.load()


def _digest(data: Any, customers: pd.DataFrame | None) -> str:
    if isinstance(data, PipelineModel):
        if customers is None:
            return ABSENT
        rows = SparkSession.active().createDataFrame(customers)
        data = data.transform(rows).select("user_id", "probability")
    if isinstance(data, DataFrame):
        columns = [name for name in data.columns if name != "batch"]  # of files read together
        count, total = count_and_hash_sum(data, F.xxhash64(*columns))
        return f"{count} rows, {total}"
    if isinstance(data, pd.DataFrame):
        return _hash(data.to_csv(index=False).encode())
    if isinstance(data, np.ndarray):
        return _hash(data.tobytes())
    if isinstance(data, dict) and any(callable(value) for value in data.values()):
        data = {name: _digest(load(), customers) for name, load in data.items()}
    return _hash(json.dumps(data, sort_keys=True, default=str).encode())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
