import json
from pathlib import Path

import pytest
from kedro.io.core import DatasetError

from sparkify.datasets import OptionalJSONDataset


def test_a_missing_file_loads_as_nothing(tmp_path: Path) -> None:
    dataset = OptionalJSONDataset(filepath=str(tmp_path / "record.json"))
    assert not dataset.exists()
    assert dataset.load() == {}


def test_a_record_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    dataset = OptionalJSONDataset(
        filepath=str(tmp_path / "new" / "record.json"), save_args={"indent": 2}
    )
    record = {"seed": 24, "log": {"lines": 3, "hash_sum": "-12"}}
    dataset.save(record)
    assert dataset.exists()
    assert dataset.load() == record
    text = (tmp_path / "new" / "record.json").read_text()
    assert text == json.dumps(record, indent=2)


def test_a_file_that_goes_away_loads_as_nothing_again(tmp_path: Path) -> None:
    dataset = OptionalJSONDataset(filepath=str(tmp_path / "record.json"))
    dataset.save({"seed": 24})
    assert dataset.load() == {"seed": 24}
    (tmp_path / "record.json").unlink()
    assert dataset.load() == {}


def test_a_broken_file_is_an_error_and_not_nothing(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text('{"seed": ')
    with pytest.raises(DatasetError, match=r"record\.json"):
        OptionalJSONDataset(filepath=str(tmp_path / "record.json")).load()
