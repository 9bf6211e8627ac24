import bz2
import gzip
from pathlib import Path

import pandas as pd
import pytest

from sparkify.inspection import files, records
from sparkify.inspection.errors import InspectionError
from sparkify.inspection.files import LogFiles
from sparkify.inspection.records import SampledFile, sample_files

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
LINES = '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'
TEXT_ROWS = [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]


def sample(folder: Path, name: str, content: str | bytes) -> SampledFile:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (found,) = sample_files(LogFiles(str(folder / name)))
    return found


@pytest.mark.parametrize(
    ("name", "content", "form"),
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
def test_json_is_read_in_each_shape(
    tmp_path: Path, name: str, content: str | bytes, form: str
) -> None:
    found = sample(tmp_path, name, content)
    assert (found.format, found.records, found.unread) == (form, ROWS, 0)
    assert found.is_whole


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("log.csv", 'a,b\n1,x\n2,"y"\n', "csv"),
        ("log.csv.gz", gzip.compress(b"a,b\n1,x\n2,y\n", mtime=0), "csv"),
        ("log.tsv", "a\tb\n1\tx\n2\ty\n", "tsv"),
        ("log.txt", "a\tb\n1\tx\n2\ty\n", "tsv"),
        ("log.csv", "a;b\n1;x\n2;y\n", "csv"),
    ],
)
def test_tables_are_read_by_their_header(
    tmp_path: Path, name: str, content: str | bytes, form: str
) -> None:
    found = sample(tmp_path, name, content)
    assert (found.format, found.records, found.unread) == (form, TEXT_ROWS, 0)


@pytest.mark.parametrize("name", ["log.parquet", "log"])
def test_parquet_is_read_with_or_without_its_ending(tmp_path: Path, name: str) -> None:
    pd.DataFrame(ROWS).to_parquet(tmp_path / "one.parquet")
    found = sample(tmp_path, name, (tmp_path / "one.parquet").read_bytes())
    assert (found.format, found.records) == ("parquet", ROWS)


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InspectionError, match="no readable Parquet"):
        sample(tmp_path, "log.parquet", b"PAR1....")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.json", LINES),
        ("log.json", "[" + LINES.replace("}\n{", "},{")),
        ("log.csv", "a,b\n1,x\n2,y"),
    ],
)
def test_a_record_that_is_cut_off_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str
) -> None:
    monkeypatch.setattr(
        files, "MAX_BYTES", len(content) - 3 if name == "log.json" else len(content) - 1
    )
    monkeypatch.setattr(files, "MIN_BYTES_PER_FILE", 1)
    found = sample(tmp_path, name, content)
    assert (len(found.records), found.unread, found.is_whole) == (1, 0, False)


def test_the_number_of_records_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORDS", 0)  # a file gives at least 100
    found = sample(tmp_path, "log.json", LINES * 100)
    assert (len(found.records), found.is_whole) == (100, False)


def test_lines_that_are_no_records_are_counted(tmp_path: Path) -> None:
    assert sample(tmp_path, "log.json", LINES + "oops\n[1]\n").unread == 2
    assert sample(tmp_path, "log.csv", "a,b\n1,x\n1\n").unread == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("Hello\nworld\n", "has no records"),
        ("[]", "no records"),
    ],
)
def test_a_log_without_records_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InspectionError, match=message):
        sample(tmp_path, "log.json", content)


def test_a_quote_without_its_end_is_one_row_that_is_no_record(tmp_path: Path) -> None:
    found = sample(tmp_path, "log.csv", 'a,b\n1,x\n2,"' + "y\n" * 100_000)
    assert (len(found.records), found.unread) == (1, 1)


def test_prose_beside_a_log_is_counted(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("This, or that.\n", encoding="utf-8")
    (tmp_path / "log.json").write_text(LINES, encoding="utf-8")
    assert [file.unread for file in sample_files(LogFiles(str(tmp_path)))] == [1, 0]
