from pathlib import Path
from typing import Any

import pytest
from kedro.io import DatasetError

from sparkify.datasets import DatasetGroup, JSONDataset, SavedDatasetGroup


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    folder = "sparkify.datasets"
    return {
        "summary": {
            "type": f"{folder}.OptionalJSONDataset",
            "filepath": str(tmp_path / "summary.json"),
        },
        "figure": {
            "type": f"{folder}.OptionalFigureDataset",
            "filepath": str(tmp_path / "figure.png"),
        },
    }


def test_a_group_loads_its_datasets_by_name(settings: dict[str, Any], tmp_path: Path) -> None:
    JSONDataset(filepath=str(tmp_path / "summary.json")).save({"alarms": 1})
    group = DatasetGroup(settings)
    assert group.load() == {"summary": {"alarms": 1}, "figure": None}
    assert not group.exists()
    (tmp_path / "figure.png").write_bytes(b"png")
    assert group.load()["figure"] == b"png"
    assert group.exists()


def test_saving_a_group_checks_its_names(settings: dict[str, Any], tmp_path: Path) -> None:
    group = DatasetGroup(settings)
    group.save({"figure": None, "summary": {}})
    assert not [*tmp_path.iterdir()]
    with pytest.raises(DatasetError, match="the group has \\['summary', 'figure'\\], not"):
        group.save({"summary": {}})


def test_a_description_has_each_file(settings: dict[str, Any]) -> None:
    assert "summary.json" in str(DatasetGroup(settings))


def test_a_saved_group_saves_each_of_its_datasets_and_previews_the_first(tmp_path: Path) -> None:
    text = {"type": "sparkify.datasets.TextDataset"}
    files = {name: str(tmp_path / name) for name in ("report.md", "report.html")}
    group = SavedDatasetGroup(
        {
            "text": {**text, "filepath": files["report.md"]},
            "page": {**text, "filepath": files["report.html"]},
        }
    )
    group.save({"text": "# Forecast", "page": "<h1>Forecast</h1>"})
    assert (tmp_path / "report.html").read_text() == "<h1>Forecast</h1>"
    assert group.load() == {"text": "# Forecast", "page": "<h1>Forecast</h1>"}
    assert group.saved_at()[1] == files["report.html"]
    assert group.preview() == '["# Forecast"]'
    with pytest.raises(DatasetError, match="the group has"):
        group.save({"page": ""})
