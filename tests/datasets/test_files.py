import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io.core import DatasetError, Version
from matplotlib.figure import Figure

from sparkify.datasets import CSVDataset, FigureDataset, JSONDataset

ROOT = Path(__file__).parents[2]
MORNING, EVENING = "2018-10-01T08.00.00.000Z", "2018-10-01T20.00.00.000Z"
# A process that kills itself while writing: its file is open and half full.
KILLED = """
import os, signal, sys
from kedro.io.core import Version
from sparkify.datasets import JSONDataset

class Killer(dict):
    def items(self):
        yield "written", "x" * 100_000
        os.kill(os.getpid(), signal.SIGKILL)

version = Version(None, sys.argv[2]) if len(sys.argv) > 2 else None
JSONDataset(filepath=sys.argv[1], version=version, save_args={"indent": 2}).save(Killer(a=1))
"""


def kill_while_writing(path: Path, *version: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", KILLED, str(path), *version]
    assert subprocess.run(command, env=environment, check=False).returncode == -9


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_files_are_saved_as_by_kedro_datasets(tmp_path: Path) -> None:
    table = pd.DataFrame({"user_id": ["1", "2"], "probability": [0.25, 0.5]})
    CSVDataset(filepath=str(tmp_path / "deep" / "table.csv")).save(table)
    JSONDataset(filepath=str(tmp_path / "file.json"), save_args={"indent": 1}).save({"a": [1]})
    FigureDataset(filepath=str(tmp_path / "figure.png")).save(Figure())
    assert (tmp_path / "deep" / "table.csv").read_text() == ("user_id,probability\n1,0.25\n2,0.5\n")
    assert (tmp_path / "file.json").read_text() == '{\n "a": [\n  1\n ]\n}'
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert list_names(tmp_path) == ["deep", "figure.png", "file.json", "table.csv"]


def test_a_csv_is_saved_with_escaped_formulas_and_loads_unchanged(tmp_path: Path) -> None:
    dataset = CSVDataset(filepath=str(tmp_path / "contacts.csv"))
    table = pd.DataFrame({"user_id": ['=HYPERLINK("http://x","y")', "8"], "gain": [-1.5, 2.0]})
    dataset.save(table)
    assert (tmp_path / "contacts.csv").read_text() == (
        'user_id,gain\n"\'=HYPERLINK(""http://x"",""y"")",-1.5\n8,2.0\n'
    )
    pd.testing.assert_frame_equal(dataset.load(), table)


def test_a_killed_save_leaves_the_old_file(tmp_path: Path) -> None:
    dataset = JSONDataset(filepath=str(tmp_path / "file.json"))
    dataset.save({"a": "old"})
    kill_while_writing(tmp_path / "file.json")
    assert dataset.load() == {"a": "old"}
    dataset.save({"a": "new"})
    assert dataset.load() == {"a": "new"}
    assert list_names(tmp_path) == ["file.json"]


def test_a_killed_save_does_not_create_a_version(tmp_path: Path) -> None:
    path = str(tmp_path / "metrics.json")
    JSONDataset(filepath=path, version=Version(None, MORNING)).save({"auc": 0.75})
    kill_while_writing(tmp_path / "metrics.json", EVENING)
    newest = JSONDataset(filepath=path, version=Version(None, None))
    assert newest.load() == {"auc": 0.75}
    assert newest.list_versions(full_path=False) == [MORNING]


def test_the_newest_version_loads_by_default(tmp_path: Path) -> None:
    path = str(tmp_path / "metrics.json")
    for version, auc in ((MORNING, 0.75), (EVENING, 0.8)):
        JSONDataset(filepath=path, version=Version(None, version)).save({"auc": auc})
    assert JSONDataset(filepath=path, version=Version(None, None)).load() == {"auc": 0.8}
    assert JSONDataset(filepath=path, version=Version(MORNING, None)).load() == {"auc": 0.75}
    with pytest.raises(DatasetError, match="must not exist if versioning is enabled"):
        JSONDataset(filepath=path, version=Version(None, EVENING)).save({"auc": 1})


def test_an_error_while_saving_keeps_the_old_file_and_names_the_dataset(tmp_path: Path) -> None:
    dataset = JSONDataset(filepath=str(tmp_path / "file.json"), save_args={"allow_nan": False})
    dataset.save({"a": 1})
    with pytest.raises(DatasetError) as error:
        dataset.save({"long": ["x"] * 10_000, "bad": float("nan")})
    assert "/file.json" in str(error.value)
    assert ".writing" not in str(error.value)
    assert json.loads((tmp_path / "file.json").read_text()) == {"a": 1}
    assert list_names(tmp_path) == ["file.json"]


@pytest.mark.parametrize(
    ("dataset", "content"),
    [
        (JSONDataset, {"long": ["x"] * 100_000}),
        (CSVDataset, pd.DataFrame({"long": ["x"] * 100_000})),
        (FigureDataset, Figure(figsize=(60, 60))),
    ],
    ids=["json", "csv", "figure"],
)
def test_on_a_full_disk_the_old_file_is_unchanged_and_the_error_is_one_line(
    small_disk: Path, dataset: Any, content: Any
) -> None:
    path = small_disk / "file"
    path.write_bytes(b"old")
    with pytest.raises(DatasetError) as error:
        dataset(filepath=str(path)).save(content)
    assert str(error.value) == (
        f"{path} was not written: the disk is full. Earlier data there are unchanged; free space "
        f"there and in the folder of temporary files (TMPDIR), and run again."
    )
    assert path.read_bytes() == b"old"
    assert list_names(small_disk) == ["file"]


def test_a_figure_loads_as_the_bytes_of_its_file(tmp_path: Path) -> None:
    dataset = FigureDataset(filepath=str(tmp_path / "lift.png"), save_args={"format": "png"})
    dataset.save(Figure(figsize=(1, 1)))
    assert dataset.load() == (tmp_path / "lift.png").read_bytes()
    assert dataset.load().startswith(b"\x89PNG")
    assert dataset.preview()


def test_a_missing_figure_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"lift\.png"):
        FigureDataset(filepath=str(tmp_path / "lift.png")).load()


def test_files_are_utf_8_in_any_locale(tmp_path: Path) -> None:
    program = """
import sys
import pandas as pd
from sparkify.datasets import CSVDataset, JSONDataset, TextDataset
for dataset, data in [
    (CSVDataset(filepath="table.csv"), pd.DataFrame({"page": ["Caf\\u00e9"]})),
    (JSONDataset(filepath="file.json", save_args={"ensure_ascii": False}), "caf\\u00e9"),
    (TextDataset(filepath="report.md"), "caf\\u00e9"),
]:
    dataset.save(data)
    loaded = dataset.load()
    assert loaded.equals(data) if isinstance(data, pd.DataFrame) else loaded == data
"""
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", program]
    subprocess.run(command, env=os.environ | environment, cwd=tmp_path, check=True)
    assert (tmp_path / "table.csv").read_text(encoding="utf-8") == "page\nCafé\n"
    assert (tmp_path / "file.json").read_text(encoding="utf-8") == '"café"'
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == "café"


@pytest.mark.parametrize("name", ["a[1]", "a*", "a?", "my files"])
def test_the_newest_version_loads_from_paths_with_special_characters(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name / "metrics.json"
    for version in (MORNING, EVENING):
        JSONDataset(filepath=str(path), version=Version(None, version)).save({"made": version})
    assert JSONDataset(filepath=str(path), version=Version(None, None)).load() == {"made": EVENING}
