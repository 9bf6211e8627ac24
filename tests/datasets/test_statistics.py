from pathlib import Path

import pandas as pd
import pytest
from kedro.io import MemoryDataset
from kedro.io.core import Version
from pyspark.sql import SparkSession

from sparkify.datasets import CSVDataset, JSONDataset, ParquetTableDataset
from sparkify.datasets.statistics import count_bytes, describe_size


def test_the_size_of_a_spark_table_needs_no_jvm(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = ParquetTableDataset(filepath=str(tmp_path / "days"))
    table.save(
        spark.createDataFrame([("1", "free"), ("2", "paid")], "user_id string, level string")
    )
    monkeypatch.setattr("pyspark.sql.SparkSession.builder", None)
    size = describe_size(table)
    assert (size["rows"], size["columns"]) == (2, 2)
    assert size["file_size"] == count_bytes(table) > 0


def test_the_rows_of_a_csv_exclude_its_header(tmp_path: Path) -> None:
    table = CSVDataset(filepath=str(tmp_path / "drift.csv"))
    table.save(pd.DataFrame({"feature": ["level"], "psi": [0.1]}))
    size = len("feature,psi\nlevel,0.1\n")
    assert describe_size(table) == {"rows": 1, "columns": 2, "file_size": size}


def test_files_that_are_not_tables_have_no_rows(tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_text("\n")
    assert describe_size(CSVDataset(filepath=str(tmp_path / "broken.csv"))) == {}
    (tmp_path / "prediction_task.json").write_text("{}")
    assert describe_size(JSONDataset(filepath=str(tmp_path / "prediction_task.json"))) == {}


def test_a_versioned_file_has_the_size_of_its_newest_version(tmp_path: Path) -> None:
    dataset = JSONDataset(filepath=str(tmp_path / "metrics.json"), version=Version(None, None))
    assert count_bytes(dataset) == 0
    for version, text in (("2026-01-01", "{}"), ("2026-01-02", "[1, 2]")):
        path = tmp_path / "metrics.json" / version / "metrics.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert count_bytes(dataset) == 6


def test_a_dataset_without_saved_data_has_no_size(tmp_path: Path) -> None:
    assert describe_size(MemoryDataset([1])) == {}
    assert describe_size(ParquetTableDataset(filepath=str(tmp_path / "none"))) == {}
    assert describe_size(None) == {}
