import json
from pathlib import Path
from typing import Any

import pytest
from kedro.io.core import DatasetError
from pyspark.sql import SparkSession

from sparkify.datasets import PartitionedTableDataset
from sparkify.datasets import partitioned_table as module
from sparkify.schemas import PartitionUpdate


@pytest.fixture
def table(tmp_path: Path) -> PartitionedTableDataset:
    return PartitionedTableDataset(filepath=str(tmp_path / "table"), partition_by="batch")


@pytest.fixture
def update(spark: SparkSession) -> Any:
    """Return a function that makes an update from the values of new partitions."""

    def make(kept: list[int], **new: list[int]) -> PartitionUpdate:
        rows = [(value, int(name[1:])) for name, values in new.items() for value in values]
        written = [name[1:] for name in new]
        return PartitionUpdate(
            spark.createDataFrame(rows, "value int, batch int"),
            written,
            {str(number): {"files": [number]} for number in [*kept, *map(int, written)]},
            {"settings": 1},
        )

    return make


def collect(table: PartitionedTableDataset) -> list[tuple[int, int]]:
    rows = [(row["batch"], row["value"]) for row in table.load().collect()]
    assert table.count_rows() == len(rows)
    return sorted(rows)


def list_files(tmp_path: Path) -> list[str]:
    """Return the folders of partitions and other files of the table."""
    root = tmp_path / "table"
    folders = {
        str(path.parent.relative_to(root)).split("/")[-1] for path in root.rglob("*.parquet")
    }
    return sorted(folders | {path.name for path in root.glob("*.json")})


def test_a_save_adds_keeps_replaces_and_removes_partitions(
    table: PartitionedTableDataset, update: Any, tmp_path: Path
) -> None:
    table.save(update([], b0=[1, 2], b1=[3], b2=[4]))
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "table").rglob("*.parquet")}
    table.save(update([0], b1=[5], b7=[6]))
    assert collect(table) == [(0, 1), (0, 2), (1, 5), (7, 6)]
    assert list_files(tmp_path) == ["_manifest.json", "batch=0", "batch=1", "batch=7"]
    kept = [path for path in files if path.exists()]
    assert {path.parent.name for path in kept} == {"batch=0"}
    assert all(path.stat().st_mtime_ns == files[path] for path in kept)


def test_the_manifest_has_what_partitions_were_made_from(
    table: PartitionedTableDataset, update: Any, tmp_path: Path
) -> None:
    table.save(update([], b0=[1], b1=[]))
    manifest = json.loads((tmp_path / "table/_manifest.json").read_text())
    assert manifest["about"] == {"settings": 1}
    assert manifest["partitions"] == {"0": {"files": [0]}, "1": {"files": [1]}}
    assert manifest["folders"]["1"] is None  # without rows


def test_a_table_without_rows_has_its_columns(table: PartitionedTableDataset, update: Any) -> None:
    table.save(update([]))
    assert table.load().dtypes == [("value", "int"), ("batch", "int")]
    assert collect(table) == []
    assert table.preview()["columns"] == ["value", "batch"]


def test_a_save_without_changes_writes_nothing(
    table: PartitionedTableDataset, update: Any, tmp_path: Path
) -> None:
    table.save(update([], b0=[1]))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "table").rglob("*")}
    table.save(update([0]))
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "table").rglob("*")}
    assert {path: time for path, time in after.items() if path.is_file()} == {
        path: time for path, time in before.items() if path.is_file()
    }


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("step", ["before the manifest", "after the manifest"])
def test_a_killed_save_leaves_the_old_or_the_new_table(
    table: PartitionedTableDataset,
    update: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    def kill(*_: Any) -> None:
        raise KilledError

    table.save(update([], b0=[1], b1=[2]))
    with monkeypatch.context() as patch:
        patch.setattr(PartitionedTableDataset, "_remove_unlisted", kill)
        if step == "before the manifest":
            patch.setattr(module, "atomic_write", kill)
        with pytest.raises(KilledError):
            table.save.__wrapped__(table, update([0], b3=[4]))
    expected = [(0, 1), (1, 2)] if step == "before the manifest" else [(0, 1), (3, 4)]
    assert collect(table) == expected
    table.save(update([0], b3=[5]))
    assert collect(table) == [(0, 1), (3, 5)]
    assert list_files(tmp_path) == ["_manifest.json", "batch=0", "batch=3"]


def test_a_failed_save_leaves_the_old_table_and_no_files(
    table: PartitionedTableDataset, update: Any, tmp_path: Path, spark: SparkSession
) -> None:
    table.save(update([], b0=[1]))
    failing = update([0], b1=[2])
    rows = spark.createDataFrame([(1, 1)], "value int, batch int").selectExpr(
        "cast(raise_error('no') as int) as value", "batch"
    )
    with pytest.raises(Exception, match="no"):
        table.save(failing._replace(rows=rows))
    assert collect(table) == [(0, 1)]
    assert list_files(tmp_path) == ["_manifest.json", "batch=0"]


def test_a_table_of_another_layout_is_replaced(
    table: PartitionedTableDataset, update: Any, tmp_path: Path, spark: SparkSession
) -> None:
    spark.range(3).write.parquet(str(tmp_path / "table"))
    assert not table.exists()
    with pytest.raises(DatasetError, match="there is no complete table at"):
        table.load()
    table.save(update([], b0=[1]))
    assert list_files(tmp_path) == ["_manifest.json", "batch=0"]
