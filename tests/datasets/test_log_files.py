import bz2
import gzip
import json
from pathlib import Path

import fsspec
import pytest
from kedro.io.core import DatasetError

from sparkify.datasets.log_files import LogFile, list_files, list_states

LINE = b'{"ts":1,"userId":"1"}\n'
PRINTED = json.dumps({"ts": 1}, indent=2).encode()
ARRAY = json.dumps([{"ts": 1}]).encode()
LOCAL = fsspec.filesystem("file")


def list_log(log: Path, log_format: str = "auto") -> list[LogFile]:
    return list_files(LOCAL, str(log), log_format, list_states(LOCAL, str(log)))


def list_one(folder: Path, name: str, content: bytes, log_format: str = "auto") -> LogFile:
    (folder / name).write_bytes(content)
    (file,) = list_log(folder / name, log_format)
    return file


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("log.json", LINE, "json_lines"),
        ("log", LINE * 500, "json_lines"),
        ("log.json", b"\xef\xbb\xbf" + LINE, "json_lines"),
        ("log.json", b"\n\n" + LINE, "json_lines"),
        ("log.json", b"no JSON\n" + LINE, "json_lines"),
        ("log.json", b"[INFO] started\n" + LINE, "json_lines"),
        ("log.json", b"ts,userId\n1,2\n", "json_lines"),
        ("log.json", b'{"ts":1', "json_lines"),
        ("log.json", ARRAY, "json_array"),
        ("log.json", b"[]", "json_array"),
        ("log.json", b"[", "json_array"),
        ("log.json", b"\xef\xbb\xbf \r\n[\r\n  {\r\n", "json_array"),
        ("log.json", PRINTED, "json_array"),
        ("log.json", b"\xef\xbb\xbf" + PRINTED.replace(b"\n", b"\r\n"), "json_array"),
        ("log.csv", b"ts,userId\n", "csv"),
        ("log.CSV", b"ts,userId\n", "csv"),
        ("2018.10.01.tsv", b"ts\tuserId\n", "tsv"),
        ("part-0.snappy.parquet", b"PAR1" + bytes(99), "parquet"),
        ("log.csv.json", LINE, "json_lines"),
        ("log.gz.csv", b"ts,userId\n", "csv"),
    ],
)
def test_a_format_is_detected_by_the_ending_or_the_first_bytes(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    file = list_one(tmp_path, name, content)
    assert file.path == f"{tmp_path}/{name}"
    assert file.format == expected
    assert file.size == len(content)


@pytest.mark.parametrize("suffix", [".gz", ".bz2"])
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("log.json", LINE * 9, "json_lines"),
        ("log.json", ARRAY, "json_array"),
        ("log.json", PRINTED, "json_array"),
        ("log.csv", b"ts,userId\n", "csv"),
        ("log", b"", "json_lines"),
    ],
)
def test_the_format_of_compressed_files_is_detected_by_content(
    tmp_path: Path, name: str, content: bytes, expected: str, suffix: str
) -> None:
    compress = {".gz": gzip.compress, ".bz2": bz2.compress}[suffix]
    file = list_one(tmp_path, name + suffix, compress(content))
    assert file.format == expected
    assert file.beginning == content


def test_a_gzip_that_begins_with_empty_members_is_unpacked(tmp_path: Path) -> None:
    members = (
        gzip.compress(b"", mtime=0) + gzip.compress(b" ", mtime=0) + gzip.compress(ARRAY, mtime=0)
    )
    assert list_one(tmp_path, "log.json.gz", members).format == "json_array"


@pytest.mark.parametrize(
    "content", [gzip.compress(LINE, mtime=0)[:5], gzip.compress(LINE, mtime=0)[:-9]]
)
def test_a_damaged_gzip_is_listed_for_spark_to_report(tmp_path: Path, content: bytes) -> None:
    assert list_one(tmp_path, "log.json.gz", content).format == "json_lines"


@pytest.mark.parametrize(
    ("folder", "name", "content", "expected"),
    [
        ("log.csv", "part-0000", b"ts,userId\n", "csv"),
        ("log.csv", "part-0000.gz", gzip.compress(b"ts,userId\n", mtime=0), "csv"),
        ("log.csv", "part-0000", LINE, "json_lines"),
        ("log.csv", "part-0000", ARRAY, "json_array"),
        ("log.csv", "part-0000.tsv", b"ts\tuserId\n", "tsv"),
        ("log.parquet", "part-0000", b"PAR1" + bytes(99), "parquet"),
        ("log.json", "part-0000", b"ts,userId\n", "json_lines"),  # needs raw_format: csv
        ("log.json", "part-0000.csv", b"ts,userId\n", "csv"),
        ("v1.2", "part-0000", LINE, "json_lines"),
    ],
)
def test_part_files_without_an_ending_have_the_log_s_unless_they_are_json(
    tmp_path: Path, folder: str, name: str, content: bytes, expected: str
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / name).write_bytes(content)
    assert [file.format for file in list_log(tmp_path / folder)] == [expected]


@pytest.mark.parametrize(
    ("log_format", "name", "content"),
    [
        ("csv", "log.json", b"ts,userId\n"),
        ("tsv", "log.csv", b"ts\tuserId\n"),
        ("json_lines", "log.csv", LINE),
        ("json_array", "log.json", LINE),
        ("parquet", "000000_0", b"PAR1" + bytes(99)),
    ],
)
def test_a_configured_format_applies_to_every_file(
    tmp_path: Path, log_format: str, name: str, content: bytes
) -> None:
    assert list_one(tmp_path, name, content, log_format).format == log_format


BY_NAME = "because of its name. Correct its name, or set raw_format in conf/<env>/globals.yml."
BY_FORMAT = "Set raw_format: auto in conf/<env>/globals.yml."


@pytest.mark.parametrize(
    ("log_format", "name", "content", "message"),
    [
        ("auto", "b", b"PAR1abc", f"Parquet, but would be read as json_lines {BY_NAME}"),
        ("auto", "b.csv", b"PAR1abc", f"Parquet, but would be read as csv {BY_NAME}"),
        ("auto", "b.parquet", LINE, f"not Parquet, but would be read as parquet {BY_NAME}"),
        ("auto", "b.csv", LINE, f"JSON, but would be read as csv {BY_NAME}"),
        ("auto", "b.tsv", ARRAY, f"JSON, but would be read as tsv {BY_NAME}"),
        ("csv", "b", PRINTED, f"JSON, but raw_format is csv. {BY_FORMAT}"),
        ("csv", "b.parquet", b"PAR1abc", f"Parquet, but raw_format is csv. {BY_FORMAT}"),
        ("parquet", "b.csv", b"ts,userId", f"not Parquet, but raw_format is parquet. {BY_FORMAT}"),
        ("auto", "b.xz", b"\xfd7zXZ\x00", "compressed by xz. Unpack it: text is read plain or"),
        ("auto", "b.avro", b"Obj\x01abc", "Avro. Convert it to JSON lines, CSV or Parquet."),
        (
            "auto",
            "b.GZ",
            gzip.compress(LINE, mtime=0),
            "compressed by gzip, without .gz in its name. Add",
        ),
        (
            "auto",
            "b.gz",
            gzip.compress("ts".encode("utf-16"), mtime=0),
            "UTF-16. Convert it to UTF-8.",
        ),
        (
            "auto",
            "b.parquet.gz",
            gzip.compress(b"PAR1", mtime=0),
            "Parquet, compressed again as .gz.",
        ),
    ],
)
def test_the_error_for_an_unexpected_format_has_a_remedy(
    tmp_path: Path, log_format: str, name: str, content: bytes, message: str
) -> None:
    (tmp_path / "a").write_bytes(b"" if log_format == "parquet" else b"ts\n")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError) as error:
        list_log(tmp_path, log_format)
    assert f"the event log's file {tmp_path}/{name} is {message}" in str(error.value)


def test_the_error_for_an_unreadable_file_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log.json").write_bytes(LINE)
    errors = [PermissionError("Permission denied")]
    monkeypatch.setattr(type(LOCAL), "cat_ranges", lambda *_: errors)
    with pytest.raises(
        DatasetError, match=r"log\.json cannot be read \(Permission denied\)\. Make"
    ):
        list_log(tmp_path / "log.json")


def test_empty_and_hidden_files_are_ignored(tmp_path: Path) -> None:
    names = ["empty", "_SUCCESS", ".part.crc", "_temporary/part", "part._COPYING_", "a=_b/part"]
    for name in names:
        (tmp_path / "_log" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "_log" / name).write_bytes(b"" if name == "empty" else LINE)
    assert [file.path for file in list_log(tmp_path / "_log")] == [f"{tmp_path}/_log/a=_b/part"]


def test_thousands_of_files_are_read_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(250):
        (tmp_path / f"part-{number}.gz").write_bytes(gzip.compress(LINE, mtime=0))
    read = []
    cat_file = type(LOCAL).cat_file

    def count(self: object, path: str, *bounds: int, **options: object) -> bytes:
        read.append(path)
        return cat_file(self, path, *bounds, **options)

    monkeypatch.setattr(type(LOCAL), "cat_file", count)
    assert len(list_log(tmp_path)) == 250
    assert sorted(read) == sorted(f"{tmp_path}/part-{number}.gz" for number in range(250))


def test_files_on_other_file_systems_are_listed() -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe(
        {
            "/log/a": LINE,
            "/log/empty.gz": b"",
            "/log/day=1/b.csv.gz": gzip.compress(b"ts\n", mtime=0),
        }
    )
    states = list_states(memory, "/log")
    formats = {file.path: file.format for file in list_files(memory, "/log", "auto", states)}
    assert formats == {"/log/a": "json_lines", "/log/day=1/b.csv.gz": "csv"}
    memory.rm("/log", recursive=True)
