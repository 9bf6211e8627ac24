from pathlib import Path

import pandas as pd
import pytest
from kedro.io.core import DatasetError

from sparkify.datasets import OptionalPartitionedDataset, OptionalTableDataset

TABLE = pd.DataFrame({"user_id": ["007"], "campaign": ["2018-12-01"]})


def test_a_missing_table_loads_as_none(tmp_path: Path) -> None:
    dataset = OptionalTableDataset(str(tmp_path / "record"))
    assert dataset.load() is None
    assert not dataset.exists()


def test_a_csv_file_keeps_ids_as_text(tmp_path: Path) -> None:
    TABLE.to_csv(tmp_path / "record.csv", index=False)
    loaded = OptionalTableDataset(str(tmp_path / "record")).load()
    pd.testing.assert_frame_equal(loaded, TABLE)


def test_a_parquet_file_is_read_as_well(tmp_path: Path) -> None:
    TABLE.to_parquet(tmp_path / "record.parquet")
    dataset = OptionalTableDataset(str(tmp_path / "record"))
    pd.testing.assert_frame_equal(dataset.load(), TABLE)
    assert dataset.exists()


def test_two_files_of_one_table_are_refused(tmp_path: Path) -> None:
    TABLE.to_parquet(tmp_path / "record.parquet")
    TABLE.to_csv(tmp_path / "record.csv")
    with pytest.raises(DatasetError, match=r"record.csv and .*record.parquet both exist"):
        OptionalTableDataset(str(tmp_path / "record")).load()


def test_a_users_table_is_never_saved(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="written by the user"):
        OptionalTableDataset(str(tmp_path / "record")).save(TABLE)


def test_missing_partitions_load_as_none_and_saved_ones_by_name(tmp_path: Path) -> None:
    dataset = OptionalPartitionedDataset(
        path=str(tmp_path / "history"),
        dataset={"type": "sparkify.datasets.ParquetDataset"},
        filename_suffix=".parquet",
    )
    assert dataset.load() == {}
    dataset.save({"2018-12-01": TABLE})
    (loaded,) = dataset.load().items()
    assert loaded[0] == "2018-12-01"
    pd.testing.assert_frame_equal(loaded[1](), TABLE)
