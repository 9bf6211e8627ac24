from pathlib import Path

import fsspec
import pytest

from sparkify.datasets.aside import spark_path, written_aside

LOCAL = fsspec.filesystem("file")


def files(folder: Path) -> dict[str, str]:
    """Map every file below a folder to its text."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in found}


def write_table(path: str, text: str) -> None:
    Path(path).mkdir()
    Path(path, "part-0").write_text(text)


def test_a_folder_gets_its_name_once_it_is_written(tmp_path: Path) -> None:
    table = tmp_path / "deep" / "table"
    with written_aside(LOCAL, str(table)) as aside:
        write_table(aside, "new")
        assert not table.exists()
        assert Path(aside) == tmp_path / "deep" / ".table.writing"
    assert files(tmp_path) == {"deep/table/part-0": "new"}


def test_a_file_gets_its_name_once_it_is_written(tmp_path: Path) -> None:
    with written_aside(LOCAL, str(tmp_path / "log.json")) as aside:
        Path(aside).write_text("new")
    assert files(tmp_path) == {"log.json": "new"}


def test_the_old_table_stands_until_the_new_one_is_complete(tmp_path: Path) -> None:
    table = tmp_path / "table"
    write_table(str(table), "old")
    with written_aside(LOCAL, str(table)) as aside:
        write_table(aside, "new")
        assert (table / "part-0").read_text() == "old"
    assert files(tmp_path) == {"table/part-0": "new"}


def test_nothing_of_the_old_table_mixes_with_the_new_one(tmp_path: Path) -> None:
    table = tmp_path / "table"
    write_table(str(table), "old")
    (table / "part-1").write_text("old")
    with written_aside(LOCAL, str(table)) as aside:
        write_table(aside, "new")
    assert files(tmp_path) == {"table/part-0": "new"}


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_after_an_error_the_old_table_is_there_and_nothing_else(
    tmp_path: Path, stop: type[BaseException]
) -> None:
    table = tmp_path / "table"
    write_table(str(table), "old")

    def stopped_halfway() -> None:
        with written_aside(LOCAL, str(table)) as aside:
            write_table(aside, "half")
            raise stop

    with pytest.raises(stop):
        stopped_halfway()
    assert files(tmp_path) == {"table/part-0": "old"}
    assert [path.name for path in tmp_path.iterdir()] == ["table"]


def test_an_error_before_anything_is_written_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="early"), written_aside(LOCAL, str(tmp_path / "table")):
        raise ValueError("early")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_aside_is_removed(tmp_path: Path) -> None:
    write_table(str(tmp_path / ".table.writing"), "killed")
    (tmp_path / ".table.writing" / "part-1").write_text("killed")
    with written_aside(LOCAL, str(tmp_path / "table")) as aside:
        assert not Path(aside).exists()
        write_table(aside, "new")
    assert files(tmp_path) == {"table/part-0": "new"}


def test_it_works_on_other_file_systems() -> None:
    memory = fsspec.filesystem("memory")
    with written_aside(memory, "/aside-test/table") as aside:
        memory.pipe(f"{aside}/part-0", b"new")
    try:
        assert memory.find("/aside-test") == ["/aside-test/table/part-0"]
        assert memory.cat_file("/aside-test/table/part-0") == b"new"
    finally:
        memory.rm("/aside-test", recursive=True)


def test_spark_gets_a_path_with_its_scheme() -> None:
    assert spark_path("file", "/data/table") == "file:///data/table"
    assert spark_path("s3a", "bucket/table") == "s3a://bucket/table"
