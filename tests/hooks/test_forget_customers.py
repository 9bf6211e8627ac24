import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro_datasets.partitions import PartitionedDataset
from pyspark.sql import SparkSession

from sparkify.datasets import (
    CSVDataset,
    CSVTableDataset,
    JSONDataset,
    OptionalJSONDataset,
    OptionalTableDataset,
    ParquetDataset,
    ParquetTableDataset,
    PartitionedTableDataset,
)
from sparkify.hooks.forget_customers import ForgetCustomersHooks
from sparkify.schemas import PartitionUpdate

FORGOTTEN = "forget-me-17"
LOG_LAYER = {"kedro-viz": {"layer": "01_raw"}}


def make_catalog(folder: Path) -> DataCatalog:
    """Return a catalog with a dataset of every type that can hold customers."""
    text = {"dtype": {"user_id": str}}
    datasets = {
        "customers_to_forget": OptionalTableDataset(str(folder / "customers_to_forget")),
        "forgotten_customers": OptionalJSONDataset(filepath=str(folder / "forgotten.json")),
        "simulated_users": ParquetTableDataset(
            filepath=str(folder / "simulated_users"), metadata=LOG_LAYER
        ),
        "user_days": ParquetTableDataset(filepath=str(folder / "user_days")),
        "page_counts": PartitionedTableDataset(
            filepath=str(folder / "page_counts"), partition_by="day"
        ),
        "contacts": ParquetDataset(filepath=str(folder / "contacts.parquet")),
        "contacts_csv": CSVDataset(filepath=str(folder / "contacts.csv"), load_args=text),
        "churn_scores_csv": CSVTableDataset(
            filepath=str(folder / "churn_scores.csv"), load_args=text, max_rows=9
        ),
        "drift": CSVDataset(filepath=str(folder / "drift.csv")),
        "metrics": JSONDataset(filepath=str(folder / "metrics.json")),
        "score_history": PartitionedDataset(
            path=str(folder / "score_history"),
            dataset={"type": ParquetTableDataset},
            filename_suffix=".parquet",
            load_args={"maxdepth": 1, "withdirs": True},
        ),
        "campaign_history": PartitionedDataset(
            path=str(folder / "campaign_history"),
            dataset={"type": ParquetDataset},
            filename_suffix=".parquet",
        ),
    }
    return DataCatalog(datasets)


@pytest.fixture
def saved(spark: SparkSession, tmp_path: Path) -> DataCatalog:
    """Return a catalog whose tables hold a customer to forget and another one."""
    catalog = make_catalog(tmp_path)
    rows = pd.DataFrame({"user_id": [FORGOTTEN, "007"], "score": [0.1, 0.2]})
    frame = spark.createDataFrame(rows)
    catalog.save("simulated_users", frame)
    catalog.save("user_days", frame)
    days = frame.selectExpr("*", "date'2018-10-01' AS day")
    about = {"2018-10-01": {"digest": "a"}}
    catalog.save("page_counts", PartitionUpdate(days, ["2018-10-01"], about, {}))
    catalog.save("contacts", rows)
    catalog.save("contacts_csv", rows)
    catalog.save("drift", pd.DataFrame({"feature": ["songs"], "psi": [0.1]}))
    catalog.save("metrics", {"auc": 0.8})
    catalog.save("churn_scores_csv", frame)
    other = frame.where("score > 0.1")
    catalog.save("score_history", {"2018-11-01": frame, "2018-11-08": other})
    catalog.save("campaign_history", {"2018-11-15": rows, "2018-11-22": rows[1:]})
    return catalog


def list_customers(catalog: DataCatalog) -> dict[str, list[str]]:
    tables = {
        **{name: catalog.load(name).toPandas() for name in ("user_days", "page_counts")},
        **{name: catalog.load(name) for name in ("contacts", "contacts_csv")},
        **{file: load() for file, load in catalog.load("churn_scores_csv").items()},
        **{name: load().toPandas() for name, load in catalog.load("score_history").items()},
        **{name: load() for name, load in catalog.load("campaign_history").items()},
    }
    return {name: sorted(table["user_id"]) for name, table in tables.items()}


def write_list(folder: Path, *ids: str) -> None:
    (folder / "customers_to_forget.csv").write_text("user_id\n" + "\n".join(ids) + "\n")


def test_customers_are_removed_from_every_table_but_those_of_the_user(
    saved: DataCatalog, tmp_path: Path, logged: Any
) -> None:
    write_list(tmp_path, FORGOTTEN)
    ForgetCustomersHooks().before_pipeline_run(saved)
    customers = list_customers(saved)
    assert customers.keys() >= {"contacts", "2018-11-01", "2018-11-08", "2018-11-15"}
    assert all(ids == ["007"] for ids in customers.values())
    assert saved.load("simulated_users").count() == 2
    manifest = json.loads((tmp_path / "page_counts/_manifest.json").read_text())
    assert manifest["partitions"] == {"2018-10-01": {"digest": "a"}}
    assert (
        "campaign_history, churn_scores_csv, contacts, contacts_csv, page_counts, score_history, "
        "user_days" in logged.text
    )
    assert FORGOTTEN not in (tmp_path / "forgotten.json").read_text()


def test_tables_are_read_only_once_for_a_list(
    saved: DataCatalog, tmp_path: Path, logged: Any
) -> None:
    write_list(tmp_path, FORGOTTEN)
    ForgetCustomersHooks().before_pipeline_run(saved)
    logged.clear()
    ForgetCustomersHooks().before_pipeline_run(saved)
    assert logged.text == ""
    write_list(tmp_path, FORGOTTEN, "007")
    ForgetCustomersHooks().before_pipeline_run(saved)
    assert not any(list_customers(saved).values())


def test_nothing_happens_without_a_list(saved: DataCatalog, tmp_path: Path) -> None:
    before = list_customers(saved)
    ForgetCustomersHooks().before_pipeline_run(saved)
    assert list_customers(saved) == before
    assert not (tmp_path / "forgotten.json").exists()
