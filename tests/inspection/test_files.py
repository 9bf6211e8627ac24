import gzip
import os
from pathlib import Path

import pytest

from sparkify.inspection import files
from sparkify.inspection.errors import InspectionError
from sparkify.inspection.files import LogFiles


def test_a_log_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InspectionError, match=r"^there is no file or folder at .*nowhere\.$"):
        LogFiles(str(tmp_path / "nowhere"))


def test_a_folder_without_files_is_one_sentence(tmp_path: Path) -> None:
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
def test_files_that_are_no_text_are_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InspectionError, match=message):
        LogFiles(str(tmp_path / name)).read_beginning(name)


def test_only_the_beginning_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    monkeypatch.setattr(files, "MIN_BYTES_PER_FILE", 10)
    (tmp_path / "log.json").write_bytes(b"x" * 11)
    assert LogFiles(str(tmp_path / "log.json")).read_beginning("log.json") == (b"x" * 10, False)


def test_files_of_a_folder_are_sampled_evenly(tmp_path: Path) -> None:
    for number in range(100):
        (tmp_path / f"part-{number:03}.json").touch()
    sampled = LogFiles(str(tmp_path)).sampled
    assert len(sampled) == files.MAX_FILES
    assert sampled[:2] == ["part-000.json", "part-002.json"]
    assert sampled[-1] == "part-097.json"
