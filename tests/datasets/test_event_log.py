import bz2
import gzip
from pathlib import Path

import pytest
from kedro.io.core import DatasetError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sparkify.datasets import EventLogDataset
from tests import bad_logs
from tests.conftest import ODD_NAMES

LINES = ['{"ts":1,"userId":"1"}', '{"ts":2,"userId":""}', "no JSON", '{"artist":"BjÃ¶rk"}']
TEXT = "".join(f"{line}\n" for line in LINES).encode()
HALVES = ["".join(f"{line}\n" for line in half).encode() for half in (LINES[:2], LINES[2:])]


def write_file(log: Path) -> None:
    log.write_bytes(TEXT)


def write_file_without_last_newline(log: Path) -> None:
    log.write_bytes(TEXT.removesuffix(b"\n"))


def write_file_with_windows_newlines(log: Path) -> None:
    log.write_bytes(TEXT.replace(b"\n", b"\r\n"))


def write_directory(log: Path) -> None:
    log.mkdir()
    for number, half in enumerate(HALVES):
        (log / f"part-0000{number}").write_bytes(half)
    (log / "_SUCCESS").touch()


def write_compressed_directory(log: Path) -> None:
    log.mkdir()
    for number, half in enumerate(HALVES):
        (log / f"part-0000{number}.gz").write_bytes(gzip.compress(half))


def write_directories_below(log: Path) -> None:
    for number, half in enumerate(HALVES):
        (log / "day=1" / f"{number}").mkdir(parents=True)
        (log / "day=1" / f"{number}" / "part").write_bytes(half)


def write_directories_as_values(log: Path) -> None:
    for number, half in enumerate(HALVES):
        (log / f"value={number}").mkdir(parents=True)
        (log / f"value={number}" / "part").write_bytes(half)


def write_beside_what_is_hidden(log: Path) -> None:
    write_directory(log)
    (log / "_temporary").mkdir()
    (log / "_temporary" / "part-00000").write_bytes(TEXT)
    (log / ".part-00000.crc").write_bytes(b"crc")
    (log / "empty.gz").write_bytes(b"")


def write_file_with_byte_order_mark(log: Path) -> None:
    log.write_bytes(b"\xef\xbb\xbf" + TEXT)


def write_gz(log: Path) -> None:
    log.with_name(log.name + ".gz").write_bytes(gzip.compress(TEXT))


def write_bz2(log: Path) -> None:
    log.with_name(log.name + ".bz2").write_bytes(bz2.compress(TEXT))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "write",
    [
        write_file,
        write_file_without_last_newline,
        write_file_with_windows_newlines,
        write_directory,
        write_compressed_directory,
        write_directories_below,
        write_directories_as_values,
        write_beside_what_is_hidden,
        write_file_with_byte_order_mark,
        write_gz,
        write_bz2,
    ],
    ids=lambda write: write.__name__.removeprefix("write_"),
)
def test_a_log_loads_alike_however_it_is_stored(
    spark: SparkSession, tmp_path: Path, write: object
) -> None:
    log = tmp_path / "log.json"
    write(log)  # type: ignore[operator]
    dataset = EventLogDataset(filepath=str(log))
    loaded = dataset.load()
    assert dataset.exists()
    assert loaded.columns == ["value"]
    # Spark reads part files in any order.
    assert sorted(row["value"] for row in loaded.collect()) == sorted(LINES)


@pytest.mark.parametrize(
    ("name", "content"),
    [("log.json.gz", gzip.compress(TEXT)), ("log.json.bz2", bz2.compress(TEXT))],
    ids=["gz", "bz2"],
)
def test_a_compressed_log_can_be_named_with_its_ending(
    spark: SparkSession, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    loaded = EventLogDataset(filepath=str(tmp_path / name)).load()
    assert [row["value"] for row in loaded.collect()] == LINES


@pytest.mark.parametrize("name", [*ODD_NAMES, "2018-10-01T00:00", "a:[1]"])
def test_a_log_is_found_whatever_characters_its_path_has(
    spark: SparkSession, tmp_path: Path, name: str
) -> None:
    as_pattern = tmp_path / name.replace("*", "bc").replace("?", "b").replace("[1]", "1")
    as_pattern.mkdir()  # what the name would match if it were read as a pattern
    write_file(as_pattern / "log.json")
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    log = folder / f"{name}.json"
    log.mkdir()
    (log / name).mkdir()
    (log / name / f"{name}-0").write_bytes(HALVES[0])
    (log / f"{name}-1.gz").write_bytes(gzip.compress(HALVES[1]))
    loaded = EventLogDataset(filepath=str(log)).load()
    assert sorted(row["value"] for row in loaded.collect()) == sorted(LINES)


def test_part_files_in_a_linked_directory_are_read(spark: SparkSession, tmp_path: Path) -> None:
    write_file(tmp_path / "elsewhere.json")
    write_directory(tmp_path / "archive")
    log = tmp_path / "log.json"
    log.mkdir()
    (log / "archive").symlink_to(tmp_path / "archive")
    (log / "today").symlink_to(tmp_path / "elsewhere.json")
    loaded = EventLogDataset(filepath=str(log)).load()
    assert sorted(row["value"] for row in loaded.collect()) == sorted(LINES * 2)


def test_a_damaged_part_in_a_linked_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "part.zst").write_bytes(b"zst")
    (tmp_path / "log.json").mkdir()
    (tmp_path / "log.json" / "archive").symlink_to(tmp_path / "archive")
    with pytest.raises(DatasetError, match=r"log\.json/archive/part\.zst is compressed as \.zst"):
        EventLogDataset(filepath=str(tmp_path / "log.json")).require_present()


@pytest.mark.parametrize("name", ["_log.json", ".log.json"])
def test_a_file_that_spark_passes_over_is_refused(tmp_path: Path, name: str) -> None:
    write_file(tmp_path / name)
    with pytest.raises(DatasetError, match=r"Spark passes over the event log .*: rename it"):
        EventLogDataset(filepath=str(tmp_path / name)).require_present()


def test_a_missing_log_is_told_with_its_path_and_what_to_do(tmp_path: Path) -> None:
    dataset = EventLogDataset(filepath=str(tmp_path / "log.json"))
    assert not dataset.exists()
    with pytest.raises(DatasetError) as told:
        dataset.load()
    assert f"there is no event log at {tmp_path}/log.json." in str(told.value)
    assert "Put yours there" in str(told.value)
    assert "`kedro run --pipelines simulation`" in str(told.value)


@pytest.mark.parametrize("name", bad_logs.REFUSED)
def test_what_is_no_log_is_refused_before_spark_reads_it(tmp_path: Path, name: str) -> None:
    write, words = bad_logs.REFUSED[name]
    write(tmp_path / "log.json")
    with pytest.raises(DatasetError) as told:
        EventLogDataset(filepath=str(tmp_path / "log.json")).require_present()
    assert words in str(told.value)
    assert f"{tmp_path}/log.json" in str(told.value)
    assert str(told.value).count("\n") == 0


def test_two_logs_at_once_are_refused_with_both_paths(tmp_path: Path) -> None:
    write_file(tmp_path / "log.json")
    write_gz(tmp_path / "log.json")
    with pytest.raises(DatasetError) as told:
        EventLogDataset(filepath=str(tmp_path / "log.json")).load()
    both = f"{tmp_path}/log.json, {tmp_path}/log.json.gz"
    assert f"several event logs stand at {both}; leave one." in str(told.value)


def test_a_saved_log_is_a_directory_with_the_lines_in_order(
    spark: SparkSession, tmp_path: Path
) -> None:
    dataset = EventLogDataset(filepath=str(tmp_path / "new" / "log.json"))
    dataset.save(spark.createDataFrame([(line,) for line in LINES], "value string"))
    dataset.confirm()
    assert [row["value"] for row in dataset.load().collect()] == LINES
    assert names(tmp_path / "new") == ["log.json"]
    (part,) = (tmp_path / "new" / "log.json").glob("part-*")
    assert part.read_bytes() == TEXT


@pytest.mark.parametrize(
    "write", [write_file, write_directory, write_gz, write_bz2], ids=lambda w: w.__name__
)
def test_a_log_that_stands_is_never_written_over(
    spark: SparkSession, tmp_path: Path, write: object
) -> None:
    write(tmp_path / "log.json")  # type: ignore[operator]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    dataset = EventLogDataset(filepath=str(tmp_path / "log.json"))
    with pytest.raises(
        DatasetError, match=r"stands already at .*log\.json.* is never written over"
    ):
        dataset.save(spark.createDataFrame([("new",)], "value string"))
    with pytest.raises(DatasetError, match="move it away to simulate another"):
        dataset.refuse_if_present()
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_where_no_log_stands_none_is_refused(tmp_path: Path) -> None:
    EventLogDataset(filepath=str(tmp_path / "log.json")).refuse_if_present()


def test_a_save_that_fails_leaves_nothing(spark: SparkSession, tmp_path: Path) -> None:
    dataset = EventLogDataset(filepath=str(tmp_path / "log.json"))
    broken = spark.range(3).select(F.raise_error(F.lit("broken")).cast("string").alias("value"))
    with pytest.raises(DatasetError, match="broken"):
        dataset.save(broken)
    assert names(tmp_path) == []
    assert not dataset.exists()


def test_until_it_is_confirmed_a_saved_log_is_seen_by_who_saved_it_alone(
    spark: SparkSession, tmp_path: Path
) -> None:
    saved, other = (EventLogDataset(filepath=str(tmp_path / "log.json")) for _ in range(2))
    saved.save(spark.createDataFrame([(line,) for line in LINES], "value string"))
    assert saved.exists()
    assert [row["value"] for row in saved.load().collect()] == LINES
    assert not other.exists()
    assert names(tmp_path) == [".log.json.unconfirmed"]
    saved.confirm()
    assert [row["value"] for row in other.load().collect()] == LINES


def test_what_a_killed_save_left_is_no_log(tmp_path: Path) -> None:
    write_directory(tmp_path / ".log.json.writing")
    dataset = EventLogDataset(filepath=str(tmp_path / "log.json"))
    assert not dataset.exists()
    dataset.refuse_if_present()
