from pathlib import Path

import pandas as pd
import pytest
from kedro.io.core import DatasetError
from pyspark.sql import DataFrame, SparkSession

from sparkify.datasets import CSVDataset, CSVTableDataset

FORMULA = '=HYPERLINK("http://x","y")'


@pytest.fixture
def scores(spark: SparkSession) -> DataFrame:
    rows = [(FORMULA, 0.5, True), ("a\nb", 0.25, False), ("é,8", None, False)]
    return spark.createDataFrame(rows, "user_id string, probability double, predicted boolean")


def create_dataset(path: Path, max_rows: int) -> CSVTableDataset:
    return CSVTableDataset(
        filepath=str(path), max_rows=max_rows, load_args={"dtype": {"user_id": str}}
    )


def test_a_small_table_is_the_file_that_pandas_writes(tmp_path: Path, scores: DataFrame) -> None:
    dataset = create_dataset(tmp_path / "scores.csv", 3)
    dataset.save(scores)
    CSVDataset(filepath=str(tmp_path / "expected.csv")).save(scores.toPandas())
    written = (tmp_path / "scores.csv").read_bytes()
    assert written == (tmp_path / "expected.csv").read_bytes()
    pd.testing.assert_frame_equal(dataset.load_rows(), scores.toPandas())


def test_a_large_table_is_a_folder_of_part_files_in_order(
    tmp_path: Path, scores: DataFrame
) -> None:
    folder = tmp_path / "part-1" / "scores[1].csv"
    dataset = create_dataset(folder, 2)
    dataset.save(scores.coalesce(1))
    parts = sorted(folder.glob("part-*"))
    assert [part.read_text().splitlines()[0] for part in parts] == [
        "user_id,probability,predicted"
    ] * 2
    assert list(dataset.load()) == [f"scores[1].csv/{part.name}" for part in parts]
    assert dataset.preview()["data"] == scores.toPandas().head(2).to_numpy().tolist()
    assert parts[0].read_text().splitlines()[1] == ('"\'=HYPERLINK(""http://x"",""y"")",0.5,true')
    pd.testing.assert_frame_equal(dataset.load_rows(), scores.toPandas())


def test_the_rows_of_one_part_file_are_replaced(tmp_path: Path, scores: DataFrame) -> None:
    dataset = create_dataset(tmp_path / "scores.csv", 2)
    dataset.save(scores.coalesce(1))
    first, second = dataset.load()
    dataset.replace_file(second, dataset.load()[second]().head(0))
    assert len(dataset.load()[first]()) == 2
    assert len(dataset.load_rows()) == 2
    spark = scores.sparkSession
    assert spark.read.csv(str(tmp_path / "scores.csv"), header=True, multiLine=True).count() == 2


def test_a_later_table_replaces_file_and_folder(tmp_path: Path, scores: DataFrame) -> None:
    for max_rows in (2, 3, 2):
        create_dataset(tmp_path / "scores.csv", max_rows).save(scores)
        assert (tmp_path / "scores.csv").is_dir() is (max_rows == 2)
        assert len(create_dataset(tmp_path / "scores.csv", max_rows).load_rows()) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        create_dataset(tmp_path / "none.csv", 2).load()
