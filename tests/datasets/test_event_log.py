import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io.core import DatasetError
from pyspark.sql import DataFrame, SparkSession
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
        (log / f"part-0000{number}.gz").write_bytes(gzip.compress(half, mtime=0))


def write_directories_below(log: Path) -> None:
    for number, half in enumerate(HALVES):
        (log / "day=1" / f"{number}").mkdir(parents=True)
        (log / "day=1" / f"{number}" / "part").write_bytes(half)


def write_directories_as_values(log: Path) -> None:
    for number, half in enumerate(HALVES):
        (log / f"value={number}").mkdir(parents=True)
        (log / f"value={number}" / "part").write_bytes(half)


def write_beside_hidden_files(log: Path) -> None:
    write_directory(log)
    (log / "_temporary").mkdir()
    (log / "_temporary" / "part-00000").write_bytes(TEXT)
    (log / ".part-00000.crc").write_bytes(b"crc")
    (log / "empty.gz").write_bytes(b"")


def write_file_with_byte_order_mark(log: Path) -> None:
    log.write_bytes(b"\xef\xbb\xbf" + TEXT)


def write_gz(log: Path) -> None:
    log.with_name(log.name + ".gz").write_bytes(gzip.compress(TEXT, mtime=0))


def write_bz2(log: Path) -> None:
    log.with_name(log.name + ".bz2").write_bytes(bz2.compress(TEXT))


RECORDS = [
    {"ts": "1", "userId": "30", "page": "Next Song"},
    {"ts": "2", "userId": "31", "artist": 'a "b", c; d'},
    {"ts": "3", "userId": "", "artist": "Björk"},
]


def as_lines(records: list[Any]) -> bytes:
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


def as_array(records: list[Any]) -> bytes:
    return json.dumps(records, ensure_ascii=False).encode()


def as_printed_array(records: list[Any]) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(records, indent=2).replace("\n", "\r\n").encode()


def as_printed_objects(records: list[Any]) -> bytes:
    return "\n".join(json.dumps(record, indent=4) for record in records).encode()


def as_separated(delimiter: str) -> Callable[[list[Any]], bytes]:
    return lambda records: pd.DataFrame(records).to_csv(index=False, sep=delimiter).encode()


def as_parquet(records: list[Any]) -> bytes:
    return bytes(pd.DataFrame(records).to_parquet())


ENCODINGS: dict[str, tuple[str, Callable[[list[Any]], bytes]]] = {
    "json_lines": (".json", as_lines),
    "array": (".json", as_array),
    "printed_array": (".json", as_printed_array),
    "printed_objects": (".json", as_printed_objects),
    "csv": (".csv", as_separated(",")),
    "csv_by_semicolons": (".csv", as_separated(";")),
    "tsv": (".tsv", as_separated("\t")),
    "parquet": (".parquet", as_parquet),
}


def write_whole(folder: Path, ending: str, encode: Callable[[list[Any]], bytes]) -> Path:
    log = folder / f"log{ending}"
    log.write_bytes(encode(RECORDS))
    return log


def write_parts(folder: Path, ending: str, encode: Callable[[list[Any]], bytes]) -> Path:
    for number, records in enumerate([RECORDS[:1], RECORDS[1:]]):
        part = folder / "log" / f"day={number}" / "below" / f"part-{number}{ending}"
        part.parent.mkdir(parents=True)
        part.write_bytes(encode(records))
    (folder / "log" / "_SUCCESS").touch()
    return folder / "log"


def write_packed(compress: Callable[[bytes], bytes], suffix: str) -> Callable[..., Path]:
    def write(folder: Path, ending: str, encode: Callable[[list[Any]], bytes]) -> Path:
        log = folder / f"log{ending}"
        log.with_name(f"log{ending}{suffix}").write_bytes(compress(encode(RECORDS)))
        return log

    return write


def write_linked(folder: Path, ending: str, encode: Callable[[list[Any]], bytes]) -> Path:
    archive = write_parts(folder, ending, encode).rename(folder / "archive")
    (folder / "log").mkdir()
    (folder / "log" / "link").symlink_to(archive)
    return folder / "log"


PARTS = ["day=0/below/part-0", "day=1/below/part-1", "day=1/below/part-1"]
LAYOUTS: dict[str, tuple[Callable[..., Path], list[str], str]] = {
    "file": (write_whole, ["log"] * 3, ""),
    "gz": (write_packed(gzip.compress, ".gz"), ["log"] * 3, ".gz"),
    "bz2": (write_packed(bz2.compress, ".bz2"), ["log"] * 3, ".bz2"),
    "folders": (write_parts, PARTS, ""),
    "linked": (write_linked, [f"link/{part}" for part in PARTS], ""),
}


def collect(loaded: DataFrame) -> list[tuple[dict[str, Any], str]]:
    """Return the records, without missing or empty values, and their files."""
    rows = sorted(loaded.collect(), key=lambda row: json.loads(row["value"])["ts"])
    assert all(row.asDict().get("problem") is None for row in rows)
    return [(_drop_empty(json.loads(row["value"])), row["file"]) for row in rows]


def _drop_empty(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_format_is_read_in_every_layout(
    spark: SparkSession, tmp_path: Path, encoding: str, layout: str
) -> None:
    ending, encode = ENCODINGS[encoding]
    write, files, packed = LAYOUTS[layout]
    if encoding == "parquet" and packed:
        pytest.skip("Parquet is compressed inside")
    log = write(tmp_path, ending, encode)
    loaded = EventLogDataset(filepath=str(log)).load().read_all()
    assert loaded.columns == ["value", "file", "problem"][: 2 if encoding == "json_lines" else 3]
    assert collect(loaded) == [
        (_drop_empty(record), file + ending + packed)
        for record, file in zip(RECORDS, files, strict=True)
    ]


def test_formats_may_be_mixed_in_a_folder(spark: SparkSession, tmp_path: Path) -> None:
    expected = []
    for number, (ending, encode) in enumerate(ENCODINGS.values()):
        name = f"{number}{ending}"
        record = {"ts": f"{number}", "userId": "30"}
        (tmp_path / name).write_bytes(encode([record]))
        expected.append((record, name))
    (tmp_path / "9.csv.gz").write_bytes(gzip.compress(b"userId,ts\n30,9\n", mtime=0))
    (tmp_path / "empty.csv").write_bytes(b"")
    expected.append(({"ts": "9", "userId": "30"}, "9.csv.gz"))
    loaded = EventLogDataset(filepath=str(tmp_path)).load().read_all()
    assert collect(loaded) == expected
    assert loaded.select("file").distinct().count() == len(expected)


def test_separated_values_are_read_by_name(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"ts,userId,page\n1,30,Home\n")
    (tmp_path / "b.csv").write_bytes(b"page,ts,userId\nHome,2,30\n")
    (tmp_path / "c.csv").write_bytes(b"userId;ts\n30;3\n")
    (tmp_path / "d.csv").write_bytes(b"userId;ts\n")
    assert collect(EventLogDataset(filepath=str(tmp_path)).load().read_all()) == [
        ({"ts": "1", "userId": "30", "page": "Home"}, "a.csv"),
        ({"ts": "2", "userId": "30", "page": "Home"}, "b.csv"),
        ({"ts": "3", "userId": "30"}, "c.csv"),
    ]


@pytest.mark.parametrize("folder", ["log.csv", "log.json"])
def test_part_files_without_an_ending_have_the_format_of_the_folder_or_setting(
    spark: SparkSession, tmp_path: Path, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "part-0000").write_bytes(b"ts,userId\n1,30\n")
    log_format = {"log.csv": "auto", "log.json": "csv"}[folder]
    loaded = EventLogDataset(filepath=str(tmp_path / folder), format=log_format).load().read_all()
    assert collect(loaded) == [({"ts": "1", "userId": "30"}, "part-0000")]


def test_the_error_for_an_unknown_format_lists_the_formats() -> None:
    with pytest.raises(DatasetError, match="format is xml; allowed: auto, json_lines, json_array,"):
        EventLogDataset(filepath="log.json", format="xml")


@pytest.mark.parametrize("packed", [False, True])
def test_the_error_for_a_large_array_has_a_remedy(tmp_path: Path, packed: bool) -> None:
    content = b"[{}" + b" " * 2_000_000 + b"]"
    name = "log.json.gz" if packed else "log.json"
    (tmp_path / name).write_bytes(
        gzip.compress(content, 0, mtime=0)[:200_000] if packed else content
    )
    dataset = EventLogDataset(filepath=str(tmp_path / name), max_array_megabytes=1)
    with pytest.raises(DatasetError) as error:
        dataset.require_present()
    size = "about 2 MB" if packed else "2 MB"
    assert f"{tmp_path}/{name} is a JSON array or printed JSON of {size}" in str(error.value)
    assert "up to 1 MB (max_array_megabytes of raw_events in conf/base" in str(error.value)
    assert "Write one object per line: jq -c" in str(error.value)
    EventLogDataset(filepath=str(tmp_path / name), max_array_megabytes=3).require_present()


def test_json_lines_have_no_maximum_size(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "log.json").write_bytes(b'{"ts":1}\n[{"ts":2}]\n')
    loaded = (
        EventLogDataset(filepath=str(tmp_path / "log.json"), max_array_megabytes=0)
        .load()
        .read_all()
    )
    assert [row["value"] for row in loaded.collect()] == ['{"ts":1}', '[{"ts":2}]']


def test_the_path_of_a_log_is_found_without_reading_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_directory(tmp_path / "log.json")
    dataset = EventLogDataset(filepath=str(tmp_path / "log.json"))
    monkeypatch.setattr(type(dataset._filesystem), "cat_ranges", None)
    assert dataset.saved_at()[1] == f"{tmp_path}/log.json"


def list_names(folder: Path) -> list[str]:
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
        write_beside_hidden_files,
        write_file_with_byte_order_mark,
        write_gz,
        write_bz2,
    ],
    ids=lambda write: write.__name__.removeprefix("write_"),
)
def test_a_log_loads_equally_from_every_layout(
    spark: SparkSession, tmp_path: Path, write: object
) -> None:
    log = tmp_path / "log.json"
    write(log)  # type: ignore[operator]
    dataset = EventLogDataset(filepath=str(log))
    loaded = dataset.load().read_all()
    assert dataset.exists()
    assert loaded.columns == ["value", "file"]
    # Spark reads part files in any order.
    assert sorted(row["value"] for row in loaded.collect()) == sorted(LINES)


@pytest.mark.parametrize(
    ("name", "content"),
    [("log.json.gz", gzip.compress(TEXT, mtime=0)), ("log.json.bz2", bz2.compress(TEXT))],
    ids=["gz", "bz2"],
)
def test_a_compressed_log_can_be_named_with_its_ending(
    spark: SparkSession, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    loaded = EventLogDataset(filepath=str(tmp_path / name)).load().read_all()
    assert [row["value"] for row in loaded.collect()] == LINES


STRANGE_NAMES = [*ODD_NAMES, "2018-10-01T00:00", "a:[1]", "a+b", "100%", "a&b=c"]


@pytest.mark.parametrize("encoding", ["csv", "array", "parquet"])
@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_the_file_column_is_right_for_special_characters(
    spark: SparkSession, tmp_path: Path, name: str, encoding: str
) -> None:
    ending, encode = ENCODINGS[encoding]
    log = tmp_path / name / f"{name}.json"
    (log / name).mkdir(parents=True)
    expected = [f"{name}/{name}-0{ending}", f"{name}-1{ending}"]
    for file, record in zip(expected, RECORDS, strict=False):
        (log / file).write_bytes(encode([record]))
    loaded = EventLogDataset(filepath=str(log)).load().read_all()
    assert [file for _, file in collect(loaded)] == expected
    one = EventLogDataset(filepath=str(log / expected[0])).load().read_all()
    assert collect(one) == [(RECORDS[0], f"{name}-0{ending}")]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_log_loads_from_paths_with_special_characters(
    spark: SparkSession, tmp_path: Path, name: str
) -> None:
    as_pattern = tmp_path / name.replace("*", "bc").replace("?", "b").replace("[1]", "1")
    as_pattern.mkdir()  # what the name would match as a pattern
    write_file(as_pattern / "log.json")
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    log = folder / f"{name}.json"
    log.mkdir()
    (log / name).mkdir()
    (log / name / f"{name}-0").write_bytes(HALVES[0])
    (log / f"{name}-1.gz").write_bytes(gzip.compress(HALVES[1], mtime=0))
    loaded = EventLogDataset(filepath=str(log)).load().read_all()
    files = [f"{name}/{name}-0", f"{name}-1.gz"]
    expected = [(line, files[number // 2]) for number, line in enumerate(LINES)]
    assert sorted(map(tuple, loaded.collect())) == sorted(expected)


def test_part_files_in_a_linked_directory_are_read(spark: SparkSession, tmp_path: Path) -> None:
    write_file(tmp_path / "elsewhere.json")
    write_directory(tmp_path / "archive")
    log = tmp_path / "log.json"
    log.mkdir()
    (log / "archive").symlink_to(tmp_path / "archive")
    (log / "today").symlink_to(tmp_path / "elsewhere.json")
    loaded = EventLogDataset(filepath=str(log)).load().read_all()
    assert sorted(row["value"] for row in loaded.collect()) == sorted(LINES * 2)


def test_a_bad_file_in_a_linked_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "part.zst").write_bytes(b"zst")
    (tmp_path / "log.json").mkdir()
    (tmp_path / "log.json" / "archive").symlink_to(tmp_path / "archive")
    with pytest.raises(DatasetError, match=r"log\.json/archive/part\.zst is compressed as \.zst"):
        EventLogDataset(filepath=str(tmp_path / "log.json")).require_present()


@pytest.mark.parametrize("name", ["_log.json", ".log.json"])
def test_a_log_with_a_hidden_name_is_an_error(tmp_path: Path, name: str) -> None:
    write_file(tmp_path / name)
    with pytest.raises(DatasetError, match=r"Spark ignores the event log .*: rename it"):
        EventLogDataset(filepath=str(tmp_path / name)).require_present()


@pytest.mark.parametrize(
    ("name", "content", "previewed"),
    [
        ("log.json", b'{"ts": 1}\n{"ts": 2}\n', [{"ts": 1}, {"ts": 2}]),
        ("log.json", b'{"ts": 1}\n' * 7, [{"ts": 1}] * 5),
        ("log.json", b'{"ts": 1}', [{"ts": 1}]),
        ("log.json", b'{"ts": 1}\n{"ts": ' + b"1" * 3_000 + b"}\n", [{"ts": 1}]),
        ("log.json", b"not JSON\n", ["not JSON"]),
        ("log.json", b"", []),
        ("log.json.gz", gzip.compress(b'{"ts": 1}\n', mtime=0), [{"ts": 1}]),
        ("log.csv", b"ts,page\n1,Home\n", ["ts,page", "1,Home"]),
    ],
)
def test_the_first_records_are_previewed(
    tmp_path: Path, name: str, content: bytes, previewed: list[object]
) -> None:
    (tmp_path / name).write_bytes(content)
    preview = EventLogDataset(filepath=str(tmp_path / name)).preview()
    assert json.loads(preview) == previewed


def test_the_first_records_of_parquet_files_are_previewed(tmp_path: Path) -> None:
    (tmp_path / "log.parquet").mkdir()
    at = pd.Timestamp("2018-10-01 12:00")
    pd.DataFrame({"page": ["Home"] * 9, "at": at}).to_parquet(tmp_path / "log.parquet/part.parquet")
    preview = EventLogDataset(filepath=str(tmp_path / "log.parquet")).preview()
    assert json.loads(preview) == [{"page": "Home", "at": "2018-10-01 12:00:00"}] * 5


def test_the_error_for_a_missing_log_has_its_path_and_a_remedy(tmp_path: Path) -> None:
    dataset = EventLogDataset(filepath=str(tmp_path / "log.json"))
    assert not dataset.exists()
    with pytest.raises(DatasetError) as error:
        dataset.load()
    assert f"there is no event log at {tmp_path}/log.json." in str(error.value)
    assert "Put yours there" in str(error.value)
    assert "`kedro run --pipelines simulation`" in str(error.value)


@pytest.mark.parametrize("name", bad_logs.REFUSED)
def test_files_that_are_not_a_log_are_errors_before_spark_reads_them(
    tmp_path: Path, name: str
) -> None:
    write, words = bad_logs.REFUSED[name]
    write(tmp_path / "log.json")
    with pytest.raises(DatasetError) as error:
        EventLogDataset(filepath=str(tmp_path / "log.json")).require_present()
    assert words in str(error.value)
    assert f"{tmp_path}/log.json" in str(error.value)
    assert str(error.value).count("\n") == 0


@pytest.mark.parametrize("name", bad_logs.EMPTY)
def test_a_log_without_records_loads_as_no_rows(
    spark: SparkSession, tmp_path: Path, name: str
) -> None:
    bad_logs.EMPTY[name](tmp_path / "log.json")
    loaded = EventLogDataset(filepath=str(tmp_path / "log.json")).load().read_all()
    assert loaded.columns[:2] == ["value", "file"]
    assert loaded.isEmpty()


def test_a_path_may_be_relative(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".hidden").mkdir()
    monkeypatch.chdir(tmp_path / ".hidden")
    write_directory(Path("log.json"))
    loaded = EventLogDataset(filepath="log.json").load().read_all()
    assert sorted(row["value"] for row in loaded.collect()) == sorted(LINES)
    assert {row["file"] for row in loaded.collect()} == {"part-00000", "part-00001"}


def test_the_error_for_two_logs_has_both_paths(tmp_path: Path) -> None:
    write_file(tmp_path / "log.json")
    write_gz(tmp_path / "log.json")
    with pytest.raises(DatasetError) as error:
        EventLogDataset(filepath=str(tmp_path / "log.json")).load().read_all()
    both = f"{tmp_path}/log.json, {tmp_path}/log.json.gz"
    assert f"there are several event logs: {both}; keep one." in str(error.value)


def test_a_saved_log_is_a_directory_with_the_lines_in_order(
    spark: SparkSession, tmp_path: Path
) -> None:
    dataset = EventLogDataset(filepath=str(tmp_path / "new" / "log.json"))
    dataset.save(spark.createDataFrame([(line,) for line in LINES], "value string"))
    dataset.confirm()
    assert [row["value"] for row in dataset.load().read_all().collect()] == LINES
    assert list_names(tmp_path / "new") == ["log.json"]
    (part,) = (tmp_path / "new" / "log.json").glob("part-*")
    assert part.read_bytes() == TEXT


@pytest.mark.parametrize(
    "write", [write_file, write_directory, write_gz, write_bz2], ids=lambda w: w.__name__
)
def test_an_existing_log_is_never_overwritten(
    spark: SparkSession, tmp_path: Path, write: object
) -> None:
    write(tmp_path / "log.json")  # type: ignore[operator]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    dataset = EventLogDataset(filepath=str(tmp_path / "log.json"))
    with pytest.raises(
        DatasetError,
        match=r"there is an event log at .*log\.json.* already, which is never overwritten",
    ):
        dataset.save(spark.createDataFrame([("new",)], "value string"))
    with pytest.raises(DatasetError, match="move it away to simulate another one"):
        dataset.refuse_if_present()
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_without_a_log_a_new_one_is_allowed(tmp_path: Path) -> None:
    EventLogDataset(filepath=str(tmp_path / "log.json")).refuse_if_present()


def test_a_failed_save_leaves_no_files(spark: SparkSession, tmp_path: Path) -> None:
    dataset = EventLogDataset(filepath=str(tmp_path / "log.json"))
    broken = spark.range(3).select(F.raise_error(F.lit("broken")).cast("string").alias("value"))
    with pytest.raises(DatasetError, match="broken"):
        dataset.save(broken)
    assert list_names(tmp_path) == []
    assert not dataset.exists()


def test_only_the_saving_dataset_finds_an_unconfirmed_log(
    spark: SparkSession, tmp_path: Path
) -> None:
    saved, other = (EventLogDataset(filepath=str(tmp_path / "log.json")) for _ in range(2))
    saved.save(spark.createDataFrame([(line,) for line in LINES], "value string"))
    assert saved.exists()
    assert [row["value"] for row in saved.load().read_all().collect()] == LINES
    assert not other.exists()
    assert list_names(tmp_path) == [".log.json.unconfirmed"]
    saved.confirm()
    assert [row["value"] for row in other.load().read_all().collect()] == LINES


def test_the_remains_of_a_killed_save_are_not_a_log(tmp_path: Path) -> None:
    write_directory(tmp_path / ".log.json.writing")
    dataset = EventLogDataset(filepath=str(tmp_path / "log.json"))
    assert not dataset.exists()
    dataset.refuse_if_present()


def test_companions_are_loaded_with_the_log(tmp_path: Path) -> None:
    write_file(tmp_path / "log.json")
    (tmp_path / "forget.csv").write_text("user_id\n007\n")
    log = EventLogDataset(
        filepath=str(tmp_path / "log.json"),
        companions={
            "customers_to_forget": {
                "type": "sparkify.datasets.OptionalTableDataset",
                "filepath": str(tmp_path / "forget"),
            },
            "simulation_record": {
                "type": "sparkify.datasets.OptionalJSONDataset",
                "filepath": str(tmp_path / "record.json"),
            },
        },
    ).load()
    assert log.customers_to_forget is not None
    assert log.customers_to_forget["user_id"].tolist() == ["007"]
    assert log.simulation_record == {}


def test_an_unknown_companion_is_an_error(tmp_path: Path) -> None:
    companions = {"customers": {"type": "sparkify.datasets.OptionalJSONDataset"}}
    with pytest.raises(
        DatasetError, match="companions has \\['customers'\\]; allowed: customers_to"
    ):
        EventLogDataset(filepath=str(tmp_path / "log.json"), companions=companions)
