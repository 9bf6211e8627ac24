from pathlib import Path

import pandas as pd
import pytest
from kedro.io import MemoryDataset
from kedro.io.core import Version
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset
from pyspark.sql import SparkSession

from sparkify.datasets import ParquetTableDataset
from sparkify.datasets.statistics import bytes_on_disk, extent


def test_a_table_of_spark_is_counted_without_a_jvm(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = ParquetTableDataset(filepath=str(tmp_path / "days"))
    table.save(
        spark.createDataFrame([("1", "free"), ("2", "paid")], "user_id string, level string")
    )
    monkeypatch.setattr("pyspark.sql.SparkSession.builder", None)
    found = extent(table)
    assert (found["rows"], found["columns"]) == (2, 2)
    assert found["file_size"] == bytes_on_disk(table) > 0


def test_a_csv_is_counted_without_its_header(tmp_path: Path) -> None:
    table = CSVDataset(filepath=str(tmp_path / "drift.csv"), save_args={"index": False})
    table.save(pd.DataFrame({"feature": ["level"], "psi": [0.1]}))
    size = len("feature,psi\nlevel,0.1\n")
    assert extent(table) == {"rows": 1, "columns": 2, "file_size": size}


def test_what_is_no_table_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "broken.csv").write_text("\n")
    assert extent(CSVDataset(filepath=str(tmp_path / "broken.csv"))) == {}
    (tmp_path / "question.json").write_text("{}")
    assert extent(JSONDataset(filepath=str(tmp_path / "question.json"))) == {}


def test_a_versioned_file_has_the_size_of_its_newest_version(tmp_path: Path) -> None:
    dataset = JSONDataset(filepath=str(tmp_path / "metrics.json"), version=Version(None, None))
    assert bytes_on_disk(dataset) == 0
    for version, text in (("2026-01-01", "{}"), ("2026-01-02", "[1, 2]")):
        path = tmp_path / "metrics.json" / version / "metrics.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert bytes_on_disk(dataset) == 6


def test_nothing_is_held_where_nothing_was_saved(tmp_path: Path) -> None:
    assert extent(MemoryDataset([1])) == {}
    assert extent(ParquetTableDataset(filepath=str(tmp_path / "none"))) == {}
    assert extent(None) == {}
