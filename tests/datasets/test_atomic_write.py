from pathlib import Path

import fsspec
import pytest
from kedro.io.core import DatasetError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sparkify.datasets import ParquetTableDataset
from sparkify.datasets.atomic_write import atomic_write, recover_folder, to_spark_path

LOCAL = fsspec.filesystem("file")


def read_files(folder: Path) -> dict[str, str]:
    """Return the text of every file below a folder, by path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def write_table(path: str, text: str) -> None:
    Path(path).mkdir()
    Path(path, "part-0").write_text(text)


def test_a_folder_gets_its_name_after_it_is_written(tmp_path: Path) -> None:
    table = tmp_path / "deep" / "table"
    with atomic_write(LOCAL, str(table)) as temporary:
        write_table(temporary, "new")
        assert not table.exists()
        assert Path(temporary) == tmp_path / "deep" / ".table.writing"
    assert read_files(tmp_path) == {"deep/table/part-0": "new"}


def test_a_file_gets_its_name_after_it_is_written(tmp_path: Path) -> None:
    with atomic_write(LOCAL, str(tmp_path / "log.json")) as temporary:
        Path(temporary).write_text("new")
    assert read_files(tmp_path) == {"log.json": "new"}


def test_the_old_table_exists_until_the_new_one_is_complete(tmp_path: Path) -> None:
    table = tmp_path / "table"
    write_table(str(table), "old")
    with atomic_write(LOCAL, str(table)) as temporary:
        write_table(temporary, "new")
        assert (table / "part-0").read_text() == "old"
    assert read_files(tmp_path) == {"table/part-0": "new"}


def test_no_file_of_the_old_table_is_left(tmp_path: Path) -> None:
    table = tmp_path / "table"
    write_table(str(table), "old")
    (table / "part-1").write_text("old")
    with atomic_write(LOCAL, str(table)) as temporary:
        write_table(temporary, "new")
    assert read_files(tmp_path) == {"table/part-0": "new"}


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_after_an_error_only_the_old_table_is_left(
    tmp_path: Path, stop: type[BaseException]
) -> None:
    table = tmp_path / "table"
    write_table(str(table), "old")

    def stop_halfway() -> None:
        with atomic_write(LOCAL, str(table)) as temporary:
            write_table(temporary, "half")
            raise stop

    with pytest.raises(stop):
        stop_halfway()
    assert read_files(tmp_path) == {"table/part-0": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


def test_an_error_before_writing_is_raised_unchanged(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="early"), atomic_write(LOCAL, str(tmp_path / "table")):
        raise ValueError("early")
    assert list(tmp_path.iterdir()) == []


def test_the_remains_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    write_table(str(tmp_path / ".table.writing"), "killed")
    (tmp_path / ".table.writing" / "part-1").write_text("killed")
    with atomic_write(LOCAL, str(tmp_path / "table")) as temporary:
        assert not Path(temporary).exists()
        write_table(temporary, "new")
    assert read_files(tmp_path) == {"table/part-0": "new"}


@pytest.mark.parametrize("new_is_there", [False, True])
def test_after_an_interrupted_rename_the_table_is_old_or_new(
    tmp_path: Path, new_is_there: bool
) -> None:
    write_table(str(tmp_path / ".table.replaced"), "old")
    write_table(str(tmp_path / ("table" if new_is_there else ".table.writing")), "new")
    assert recover_folder(LOCAL, tmp_path) == [str(tmp_path / "table")]
    assert read_files(tmp_path) == {"table/part-0": "new" if new_is_there else "old"}


def test_the_folder_of_an_incomplete_version_is_removed(tmp_path: Path) -> None:
    (tmp_path / "model" / "morning").mkdir(parents=True)
    (tmp_path / "model" / "evening").mkdir()
    write_table(str(tmp_path / "model" / "morning" / "model"), "whole")
    write_table(str(tmp_path / "model" / "evening" / ".model.writing"), "half")
    recover_folder(LOCAL, tmp_path)
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["morning"]
    assert read_files(tmp_path) == {"model/morning/model/part-0": "whole"}


def test_an_unconfirmed_log_is_removed(tmp_path: Path) -> None:
    write_table(str(tmp_path / ".log.json.unconfirmed"), "whole")
    (tmp_path / "other.json").write_text("other")
    recover_folder(LOCAL, tmp_path)
    assert read_files(tmp_path) == {"other.json": "other"}


def test_without_an_interrupted_write_nothing_changes(tmp_path: Path) -> None:
    write_table(str(tmp_path / "table"), "whole")
    (tmp_path / "table" / ".part-0.crc").write_text("Spark's")
    (tmp_path / "empty").mkdir()
    assert recover_folder(LOCAL, tmp_path) == []
    assert (tmp_path / "empty").is_dir()
    assert read_files(tmp_path) == {"table/.part-0.crc": "Spark's", "table/part-0": "whole"}


def test_a_failed_rename_restores_the_old_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table"
    write_table(str(table), "old")
    move = LOCAL.mv

    def fail_to_move(path1: str, path2: str, **options: bool) -> None:
        if path1.endswith(".writing"):
            raise OSError(28, "No space left on device")
        move(path1, path2, **options)

    monkeypatch.setattr(LOCAL, "mv", fail_to_move)
    full = pytest.raises(DatasetError, match="table was not written: the disk is full")
    with full, atomic_write(LOCAL, str(table)) as temporary:
        write_table(temporary, "new")
    assert read_files(tmp_path) == {"table/part-0": "old"}


def test_on_a_full_disk_a_spark_table_is_unchanged_and_the_error_is_one_line(
    spark: SparkSession, small_disk: Path
) -> None:
    table = ParquetTableDataset(filepath=str(small_disk / "table"))
    table.save(spark.range(3))
    long = spark.range(20_000).select(F.sha2(F.col("id").cast("string"), 256).alias("text"))
    with pytest.raises(DatasetError) as error:
        table.save(long)
    assert str(error.value).startswith(f"{small_disk}/table was not written: the disk is full.")
    assert "\n" not in str(error.value)
    assert table.load().count() == 3
    assert [path.name for path in small_disk.iterdir()] == ["table"]


def test_atomic_write_works_on_other_file_systems() -> None:
    memory = fsspec.filesystem("memory")
    with atomic_write(memory, "/aside-test/table") as temporary:
        memory.pipe(f"{temporary}/part-0", b"new")
    try:
        assert memory.find("/aside-test") == ["/aside-test/table/part-0"]
        assert memory.cat_file("/aside-test/table/part-0") == b"new"
    finally:
        memory.rm("/aside-test", recursive=True)


def test_spark_paths_have_spark_schemes() -> None:
    assert to_spark_path("file", "/data/table") == "file:///data/table"
    assert to_spark_path("s3a", "bucket/table") == "s3a://bucket/table"
