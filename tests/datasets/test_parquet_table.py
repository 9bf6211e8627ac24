import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from kedro.io.core import DatasetError
from kedro_datasets.partitions import PartitionedDataset
from pyarrow import parquet
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sparkify.datasets import ParquetTableDataset
from tests.conftest import ODD_NAMES

ROWS = [("1", date(2018, 10, 1), 3.5), ("2", date(2018, 10, 2), None)]
SCHEMA = "user_id string, day date, seconds double"


def make_dataset(folder: Path, **arguments: object) -> ParquetTableDataset:
    return ParquetTableDataset(filepath=str(folder / "table"), **arguments)  # type: ignore[arg-type]


def write_without_spark(folder: Path) -> None:
    """Write a table of ten rows in two files as Spark does."""
    (folder / "table").mkdir()
    for number, reason in enumerate(["no user", None]):
        lines = pa.array(range(5 * number, 5 * number + 5))
        columns = {"line": lines, "rejection": pa.array([reason] * 5, pa.string())}
        parquet.write_table(pa.table(columns), folder / "table" / f"part-{number}.snappy.parquet")
    (folder / "table" / "_SUCCESS").touch()
    (folder / "table" / "._SUCCESS.crc").write_bytes(b"crc")


def test_a_saved_table_loads_unchanged(spark: SparkSession, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    assert not dataset.exists()
    dataset.save(spark.createDataFrame(ROWS, SCHEMA))
    loaded = dataset.load()
    assert dataset.exists()
    assert loaded.schema.simpleString() == "struct<user_id:string,day:date,seconds:double>"
    assert [tuple(row) for row in loaded.orderBy("user_id").collect()] == ROWS


@pytest.mark.parametrize("name", [*ODD_NAMES, "a:b"])
def test_a_table_loads_from_paths_with_special_characters(
    spark: SparkSession, tmp_path: Path, name: str
) -> None:
    dataset = make_dataset(tmp_path / name)
    dataset.save(spark.createDataFrame(ROWS, SCHEMA))
    dataset.save(spark.createDataFrame(ROWS, SCHEMA))
    assert [tuple(row) for row in dataset.load().orderBy("user_id").collect()] == ROWS
    assert dataset.count_rows() == 2


def test_saving_replaces_the_whole_table(spark: SparkSession, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    dataset.save(spark.createDataFrame(ROWS, SCHEMA).repartition(2))
    dataset.save(spark.createDataFrame([("3", 1)], "user_id string, songs int"))
    assert [row.asDict() for row in dataset.load().collect()] == [{"user_id": "3", "songs": 1}]
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


def test_a_table_can_be_replaced_by_a_part_of_itself(spark: SparkSession, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    dataset.save(spark.createDataFrame(ROWS, SCHEMA))
    dataset.save(dataset.load().where("user_id = '2'"))
    assert [tuple(row) for row in dataset.load().collect()] == ROWS[1:]


def test_save_args_are_passed_to_spark(spark: SparkSession, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, save_args={"compression": "gzip"})
    dataset.save(spark.createDataFrame(ROWS, SCHEMA))
    assert list((tmp_path / "table").glob("*.gz.parquet"))


@pytest.mark.parametrize("rows", [[("a", None), ("b", None)], []], ids=["only nulls", "no rows"])
def test_an_empty_table_can_be_counted_and_previewed(
    spark: SparkSession, tmp_path: Path, rows: list[tuple[str, None]]
) -> None:
    dataset = make_dataset(tmp_path)
    dataset.save(spark.createDataFrame(rows, "line string, rejection string"))
    assert (dataset.count_rows(), dataset.count_columns()) == (len(rows), 2)
    assert len(dataset.preview()["data"]) == len(rows)
    assert [tuple(row) for row in dataset.load().orderBy("line").collect()] == rows


def test_a_failed_write_leaves_only_the_old_table(spark: SparkSession, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    dataset.save(spark.createDataFrame(ROWS, SCHEMA))
    broken = spark.range(3).select(F.raise_error(F.lit("broken")).cast("string").alias("user_id"))
    with pytest.raises(DatasetError, match="broken"):
        dataset.save(broken)
    assert [tuple(row) for row in dataset.load().orderBy("user_id").collect()] == ROWS
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


def test_a_failed_first_write_leaves_no_files(spark: SparkSession, tmp_path: Path) -> None:
    broken = spark.range(3).select(F.raise_error(F.lit("broken")).cast("string").alias("user_id"))
    with pytest.raises(DatasetError, match="broken"):
        make_dataset(tmp_path).save(broken)
    assert list(tmp_path.iterdir()) == []


def test_the_error_for_a_missing_table_has_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as error:
        make_dataset(tmp_path).load()
    assert (
        f"there is no complete table at {tmp_path}/table: run the pipeline that creates it."
        in str(error.value)
    )


def test_an_incomplete_table_does_not_exist_or_load(tmp_path: Path) -> None:
    write_without_spark(tmp_path)
    (tmp_path / "table" / "_SUCCESS").unlink()
    assert not make_dataset(tmp_path).exists()
    with pytest.raises(DatasetError, match="no complete table at"):
        make_dataset(tmp_path).load()


def test_a_table_written_without_spark_loads(spark: SparkSession, tmp_path: Path) -> None:
    write_without_spark(tmp_path)
    rows = make_dataset(tmp_path).load().orderBy("line").collect()
    assert [(row["line"], row["rejection"]) for row in rows] == [
        *((line, "no user") for line in range(5)),
        *((line, None) for line in range(5, 10)),
    ]


def test_a_preview_shows_the_first_rows(tmp_path: Path) -> None:
    write_without_spark(tmp_path)
    preview = make_dataset(tmp_path).preview(nrows=3)
    assert sorted(preview) == ["columns", "data", "index"]
    assert preview["index"] == [0, 1, 2]
    assert preview["columns"] == ["line", "rejection"]
    assert preview["data"] in (
        [["0", "no user"], ["1", "no user"], ["2", "no user"]],
        [["5", "None"], ["6", "None"], ["7", "None"]],
    )
    assert len(make_dataset(tmp_path).preview()["data"]) == 8


def test_a_preview_starts_no_jvm(tmp_path: Path) -> None:
    write_without_spark(tmp_path)
    program = (
        "import sys\n"
        "from pyspark import SparkContext\n"
        "from sparkify.datasets import ParquetTableDataset\n"
        "print(ParquetTableDataset(filepath=sys.argv[1]).preview()['columns'])\n"
        "assert SparkContext._gateway is None\n"
    )
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "table")],
        env={"PATH": "", "PYTHONPATH": str(source), "JAVA_HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "['line', 'rejection']\n"), done.stderr


def test_a_deleted_table_does_not_exist(tmp_path: Path) -> None:
    write_without_spark(tmp_path)
    dataset = make_dataset(tmp_path)
    assert dataset.exists()
    shutil.rmtree(tmp_path / "table")
    assert not dataset.exists()


def test_partitions_are_tables_or_files_of_earlier_versions(
    spark: SparkSession, tmp_path: Path
) -> None:
    history = PartitionedDataset(
        path=str(tmp_path),
        dataset={"type": "sparkify.datasets.ParquetTableDataset"},
        filename_suffix=".parquet",
        load_args={"maxdepth": 1, "withdirs": True},
    )
    pd.DataFrame({"user_id": ["1"]}).to_parquet(tmp_path / "2018-11-21.parquet")
    history.save({"2018-12-01": spark.createDataFrame([("2",), ("3",)], "user_id string")})
    loaded = {name: load().toPandas()["user_id"].tolist() for name, load in history.load().items()}
    assert loaded == {"2018-11-21": ["1"], "2018-12-01": ["2", "3"]}
    history.save({"2018-11-21": spark.createDataFrame([("4",)], "user_id string")})
    again = history.load()
    assert list(again) == ["2018-11-21", "2018-12-01"]
    assert again["2018-11-21"]().toPandas()["user_id"].tolist() == ["4"]
