import bz2
import gzip
import os
from pathlib import Path

import pandas as pd
import pytest

from sparkify.inspection import sampling
from sparkify.inspection.sampling import InspectionError, LogFiles, SampledFile, sample_files

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
LINES = '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'
TEXT_ROWS = [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]


def sample(folder: Path, name: str, content: str | bytes) -> SampledFile:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (file,) = sample_files(LogFiles(str(folder / name)))
    return file


@pytest.mark.parametrize(
    ("name", "content", "raw_format"),
    [
        ("log.json", LINES, "json_lines"),
        ("log", "\ufeff" + LINES.replace("\n", "\r\n"), "json_lines"),
        ("log.json.gz", gzip.compress(LINES.encode(), mtime=0), "json_lines"),
        ("log.json.bz2", bz2.compress(LINES.encode()), "json_lines"),
        ("log.json", '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', "json_array"),
        ("log.json", '[\n {"a": 1,\n  "b": "x"},\n {"a": 2, "b": "y"}\n]\n', "json_array"),
        ("log.json", '{\n "a": 1, "b": "x"\n}\n{\n "a": 2,\n "b": "y"\n}\n', "json_array"),
    ],
)
def test_json_is_read_in_every_layout(
    tmp_path: Path, name: str, content: str | bytes, raw_format: str
) -> None:
    sampled = sample(tmp_path, name, content)
    assert (sampled.format, sampled.records, sampled.skipped) == (raw_format, ROWS, 0)
    assert sampled.is_whole


@pytest.mark.parametrize(
    ("name", "content", "raw_format"),
    [
        ("log.csv", 'a,b\n1,x\n2,"y"\n', "csv"),
        ("log.csv.gz", gzip.compress(b"a,b\n1,x\n2,y\n", mtime=0), "csv"),
        ("log.tsv", "a\tb\n1\tx\n2\ty\n", "tsv"),
        ("log.txt", "a\tb\n1\tx\n2\ty\n", "tsv"),
        ("log.csv", "a;b\n1;x\n2;y\n", "csv"),
    ],
)
def test_tables_are_read_by_their_header(
    tmp_path: Path, name: str, content: str | bytes, raw_format: str
) -> None:
    sampled = sample(tmp_path, name, content)
    assert (sampled.format, sampled.records, sampled.skipped) == (raw_format, TEXT_ROWS, 0)


@pytest.mark.parametrize("name", ["log.parquet", "log"])
def test_parquet_is_read_with_or_without_its_ending(tmp_path: Path, name: str) -> None:
    pd.DataFrame(ROWS).to_parquet(tmp_path / "one.parquet")
    sampled = sample(tmp_path, name, (tmp_path / "one.parquet").read_bytes())
    assert (sampled.format, sampled.records) == ("parquet", ROWS)


def test_damaged_parquet_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InspectionError, match="is not readable Parquet"):
        sample(tmp_path, "log.parquet", b"PAR1....")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.json", LINES),
        ("log.json", "[" + LINES.replace("}\n{", "},{")),
        ("log.csv", "a,b\n1,x\n2,y"),
    ],
)
def test_an_incomplete_record_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str
) -> None:
    monkeypatch.setattr(
        sampling, "MAX_BYTES", len(content) - 3 if name == "log.json" else len(content) - 1
    )
    monkeypatch.setattr(sampling, "MIN_BYTES_PER_FILE", 1)
    sampled = sample(tmp_path, name, content)
    assert (len(sampled.records), sampled.skipped, sampled.is_whole) == (1, 0, False)


def test_the_number_of_records_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MAX_RECORDS", 0)  # at least 100 per file
    sampled = sample(tmp_path, "log.json", LINES * 100)
    assert (len(sampled.records), sampled.is_whole) == (100, False)


def test_lines_that_are_not_records_are_counted(tmp_path: Path) -> None:
    assert sample(tmp_path, "log.json", LINES + "oops\n[1]\n").skipped == 2
    assert sample(tmp_path, "log.csv", "a,b\n1,x\n1\n").skipped == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("Hello\nworld\n", "has no records"),
        ("[]", "no records"),
    ],
)
def test_a_log_without_records_is_an_error(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InspectionError, match=message):
        sample(tmp_path, "log.json", content)


def test_an_unclosed_quote_is_one_skipped_row(tmp_path: Path) -> None:
    sampled = sample(tmp_path, "log.csv", 'a,b\n1,x\n2,"' + "y\n" * 100_000)
    assert (len(sampled.records), sampled.skipped) == (1, 1)


def test_lines_of_a_readme_count_as_skipped(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("This, or that.\n", encoding="utf-8")
    (tmp_path / "log.json").write_text(LINES, encoding="utf-8")
    assert [file.skipped for file in sample_files(LogFiles(str(tmp_path)))] == [1, 0]


def test_the_error_for_a_missing_log_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InspectionError, match=r"^there is no file or folder at .*nowhere\.$"):
        LogFiles(str(tmp_path / "nowhere"))


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "_SUCCESS").touch()
    with pytest.raises(InspectionError, match="has no files"):
        LogFiles(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.json", gzip.compress(b"{}", mtime=0), "compressed by gzip, without .gz"),
        ("log.json", b"PK\x03\x04....", "a zip archive"),
        ("log.json", b"\x28\xb5\x2f\xfd....", "Zstandard"),
        ("log.json", "{}".encode("utf-16"), "UTF-16"),
        ("log.json", b"\x01\x00\x02", "is binary"),
        ("log.json.gz", b'{"a": 1}', "is not compressed as .gz"),
        ("log.json.gz", gzip.compress(os.urandom(99_999), mtime=0)[:5_000], "cannot be read"),
    ],
)
def test_unsupported_files_are_errors(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InspectionError, match=message):
        LogFiles(str(tmp_path / name)).read_beginning(name)


def test_only_the_beginning_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MAX_BYTES", 10)
    monkeypatch.setattr(sampling, "MIN_BYTES_PER_FILE", 10)
    (tmp_path / "log.json").write_bytes(b"x" * 11)
    assert LogFiles(str(tmp_path / "log.json")).read_beginning("log.json") == (b"x" * 10, False)


def test_files_of_a_folder_are_sampled_evenly(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"part-{number:03}.json").touch()
    sampled = LogFiles(str(tmp_path)).sampled
    assert len(sampled) == sampling.MAX_FILES
    assert sampled[:2] == ["part-000.json", "part-002.json"]
    assert sampled[-1] == "part-097.json"
