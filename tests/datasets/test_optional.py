import json
from pathlib import Path

import pytest
from kedro.io.core import DatasetError
from matplotlib.figure import Figure
from pyspark.ml import PipelineModel
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import SparkSession

from sparkify.datasets import (
    OptionalFigureDataset,
    OptionalJSONDataset,
    OptionalSparkMLModelDataset,
)


def test_a_missing_file_loads_as_an_empty_dictionary(tmp_path: Path) -> None:
    dataset = OptionalJSONDataset(filepath=str(tmp_path / "record.json"))
    assert not dataset.exists()
    assert dataset.load() == {}


def test_a_saved_record_loads_unchanged(tmp_path: Path) -> None:
    dataset = OptionalJSONDataset(
        filepath=str(tmp_path / "new" / "record.json"), save_args={"indent": 2}
    )
    record = {"seed": 24, "log": {"lines": 3, "hash_sum": "-12"}}
    dataset.save(record)
    assert dataset.exists()
    assert dataset.load() == record
    text = (tmp_path / "new" / "record.json").read_text()
    assert text == json.dumps(record, indent=2)


def test_a_deleted_file_loads_as_an_empty_dictionary(tmp_path: Path) -> None:
    dataset = OptionalJSONDataset(filepath=str(tmp_path / "record.json"))
    dataset.save({"seed": 24})
    assert dataset.load() == {"seed": 24}
    (tmp_path / "record.json").unlink()
    assert dataset.load() == {}


def test_a_malformed_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text('{"seed": ')
    with pytest.raises(DatasetError, match=r"record\.json"):
        OptionalJSONDataset(filepath=str(tmp_path / "record.json")).load()


def test_a_missing_figure_loads_as_none_and_a_saved_one_as_bytes(
    tmp_path: Path,
) -> None:
    dataset = OptionalFigureDataset(filepath=str(tmp_path / "drift.png"))
    assert dataset.load() is None
    dataset.save(Figure(figsize=(1, 1)))
    assert dataset.load() == (tmp_path / "drift.png").read_bytes()


def test_a_missing_model_loads_as_none_and_a_saved_one_unchanged(
    spark: SparkSession, tmp_path: Path
) -> None:
    dataset = OptionalSparkMLModelDataset(filepath=str(tmp_path / "churn_model"))
    assert dataset.load() is None
    dataset.save(PipelineModel([SQLTransformer(statement="SELECT * FROM __THIS__")]))
    dataset.release()
    (stage,) = dataset.load().stages
    assert stage.getStatement() == "SELECT * FROM __THIS__"
