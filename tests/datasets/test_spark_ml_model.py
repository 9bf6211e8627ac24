import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from kedro.io.core import DatasetError, Version
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame, Row, SparkSession

from sparkify.datasets import SparkMLModelDataset
from sparkify.ml.calibration import build_calibration_stages, learn_calibration
from sparkify.pipelines.modelling.candidates import Trial, build_pipeline
from sparkify.pipelines.modelling.inputs import fit_inputs
from sparkify.pipelines.modelling.parameters import InputParameters

MORNING, EVENING = "2018-10-01T08.00.00.000Z", "2018-10-01T20.00.00.000Z"


@pytest.fixture(scope="module")
def customers(spark: SparkSession) -> DataFrame:
    rows = [(0.0, 3.0, 0.0), (1.0, 2.0, 0.0), (2.0, 2.0, 1.0), (3.0, 1.0, 1.0)]
    return spark.createDataFrame(rows, "songs double, adverts double, label double").cache()


@pytest.fixture(scope="module")
def model(customers: DataFrame) -> PipelineModel:
    inputs = VectorAssembler(inputCols=["songs", "adverts"], outputCol="features")
    return Pipeline(stages=[inputs, LogisticRegression(regParam=0.3, maxIter=3)]).fit(customers)


@pytest.fixture(scope="module")
def saved(model: PipelineModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the saved model."""
    path = tmp_path_factory.mktemp("models") / "deep" / "churn_model"
    SparkMLModelDataset(filepath=str(path)).save(model)
    return path


@pytest.fixture(scope="module")
def champion(customers: DataFrame) -> Callable[[str, str], PipelineModel]:
    """Return a cached function that fits a candidate with its inputs and calibration."""
    rate = {"count": "adverts", "per": "songs", "prior": 10, "group": "adverts"}
    inputs = InputParameters.model_validate(
        {"rates": {"adverts_per_song": rate}, "plain": {"songs": {"group": "volume"}}}
        | {"moderator": "songs"}
    )
    fitted_inputs = fit_inputs(customers, inputs)
    rows = fitted_inputs.transform(customers).selectExpr("inputs", "label", "1.0D weight")
    out_of_fold = pd.DataFrame(
        {"churned": [False, True, False, True], "probability": [0.2, 0.3, 0.4, 0.7]}
    )

    @cache
    def fit(candidate: str, calibration: str) -> PipelineModel:
        settings = {
            "logistic_regression": {"regParam": 0.3},
            "xgboost": {"n_estimators": 2, "min_child_weight": 0},
        }
        pipeline = build_pipeline(Trial(candidate, settings[candidate]), 1, seed=7, partitions=1)
        spark = customers.sparkSession
        parameters = learn_calibration(spark, out_of_fold, calibration)
        last = build_calibration_stages(spark, calibration, parameters)
        return PipelineModel([*fitted_inputs.stages, *pipeline.fit(rows).stages, *last])

    return fit


def probabilities(model: PipelineModel, customers: DataFrame) -> list[list[float]]:
    rows = model.transform(customers).select("probability").collect()
    return [row["probability"].tolist() for row in rows]


def test_a_loaded_model_predicts_like_the_saved_one(
    model: PipelineModel, saved: Path, customers: DataFrame
) -> None:
    dataset = SparkMLModelDataset(filepath=str(saved))
    assert dataset.exists()
    loaded = dataset.load()
    assert isinstance(loaded, PipelineModel)
    assert [type(stage).__name__ for stage in loaded.stages] == [
        "VectorAssembler",
        "LogisticRegressionModel",
    ]
    assert probabilities(loaded, customers) == probabilities(model, customers)


@pytest.mark.parametrize(
    ("candidate", "calibration"), [("logistic_regression", "platt"), ("xgboost", "isotonic")]
)
def test_a_loaded_champion_predicts_like_the_saved_one(
    champion: Callable[[str, str], PipelineModel],
    customers: DataFrame,
    tmp_path: Path,
    candidate: str,
    calibration: str,
) -> None:
    def predict(model: PipelineModel) -> list[Row]:
        forecast = model.transform(customers.select("songs", "adverts"))
        return forecast.select("probability").collect()

    model = champion(candidate, calibration)
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "churn_model"))
    dataset.save(model)
    dataset.release()
    before = predict(model)
    assert predict(dataset.load()) == before
    assert len({row["probability"] for row in before}) > 1
    assert all(0 < row["probability"] < 1 for row in before)


def test_the_preview_of_a_champion_lists_inputs_and_calibration(
    champion: Callable[[str, str], PipelineModel], tmp_path: Path
) -> None:
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "churn_model"))
    dataset.save(champion("logistic_regression", "platt"))
    preview = json.loads(dataset.preview())
    assert list(preview) == [
        "1. ShrunkenRates",
        "2. Logarithms",
        "3. VectorAssembler",
        "4. VectorSlicer",
        "5. Interaction",
        "6. VectorAssembler",
        "7. StandardScalerModel",
        "8. LogisticRegressionModel",
        "9. ChurnProbability",
        "10. SQLTransformer",
    ]
    assert preview["9. ChurnProbability"] == {
        "inputCol": "logistic_regression_probability",
        "outputCol": "uncalibrated",
    }


def test_a_saved_model_has_only_json_and_parquet_files(saved: Path) -> None:
    kinds = {path.suffix for path in saved.rglob("*") if path.is_file()}
    assert kinds == {"", ".crc", ".txt", ".parquet"}
    for path in saved.rglob("part-*.txt"):
        assert json.loads(path.read_text())["class"].startswith("org.apache.spark.ml.")
    assert [path.name for path in saved.parent.iterdir()] == ["churn_model"]


def test_a_missing_model_does_not_exist_and_the_error_has_its_path(tmp_path: Path) -> None:
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "churn_model"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="churn_model does not contain a Spark ML model"):
        dataset.load()


def test_a_folder_without_metadata_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "churn_model" / "stages").mkdir(parents=True)
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "churn_model"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="it has no metadata"):
        dataset.load()


def test_all_versions_are_kept_and_the_latest_loads(
    model: PipelineModel, customers: DataFrame, tmp_path: Path
) -> None:
    path = str(tmp_path / "churn_model")
    unsaved = SparkMLModelDataset(filepath=path, version=Version(None, None))
    assert not unsaved.exists()
    SparkMLModelDataset(filepath=path, version=Version(None, MORNING)).save(model)
    only_inputs = PipelineModel(model.stages[:1])
    SparkMLModelDataset(filepath=path, version=Version(None, EVENING)).save(only_inputs)

    latest = SparkMLModelDataset(filepath=path, version=Version(None, None))
    assert latest.exists()
    assert len(latest.load().stages) == 1
    first = SparkMLModelDataset(filepath=path, version=Version(MORNING, None))
    assert probabilities(first.load(), customers) == probabilities(model, customers)
    assert not SparkMLModelDataset(filepath=path, version=Version("1999", None)).exists()
    versions = sorted(path.name for path in (tmp_path / "churn_model").iterdir())
    assert versions == [MORNING, EVENING]
    assert (tmp_path / "churn_model" / MORNING / "churn_model" / "metadata").is_dir()


def test_a_version_is_never_overwritten(model: PipelineModel, tmp_path: Path) -> None:
    (tmp_path / "churn_model" / MORNING / "churn_model").mkdir(parents=True)
    version = Version(None, MORNING)
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "churn_model"), version=version)
    with pytest.raises(DatasetError, match="must not exist if versioning is enabled"):
        dataset.save(model)


@pytest.mark.parametrize("stage", ["LogisticRegressionModel", "dict"])
def test_only_fitted_pipelines_are_saved(model: PipelineModel, tmp_path: Path, stage: str) -> None:
    other = {"LogisticRegressionModel": model.stages[1], "dict": {}}[stage]
    with pytest.raises(DatasetError, match=f"{stage} is not a fitted pipeline") as error:
        SparkMLModelDataset(filepath=str(tmp_path / "churn_model")).save(other)
    assert "Return what `Pipeline.fit` returns." in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unfitted_pipeline_is_not_saved(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="Pipeline is not a fitted pipeline"):
        SparkMLModelDataset(filepath=str(tmp_path / "churn_model")).save(Pipeline(stages=[]))


def test_a_single_stage_is_not_loaded(model: PipelineModel, tmp_path: Path) -> None:
    path = tmp_path / "churn_model"
    model.stages[1].save(str(path))
    with pytest.raises(DatasetError) as error:
        SparkMLModelDataset(filepath=str(path)).load()
    assert (
        f"{path} contains a org.apache.spark.ml.classification.LogisticRegressionModel, "
        "not a org.apache.spark.ml.PipelineModel; only fitted pipelines are loaded."
    ) in str(error.value)


def test_an_unfitted_pipeline_is_not_loaded(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "churn_model"
    Pipeline(stages=[LogisticRegression()]).save(str(path))
    with pytest.raises(DatasetError, match=r"contains a org.apache.spark.ml.Pipeline, not a "):
        SparkMLModelDataset(filepath=str(path)).load()


@pytest.mark.parametrize("missing", ["calibration.Gone", "gone.ChurnProbability"])
def test_a_model_with_removed_stages_is_an_error(
    champion: Callable[[str, str], PipelineModel], missing: str, tmp_path: Path
) -> None:
    path = tmp_path / "churn_model"
    SparkMLModelDataset(filepath=str(path)).save(champion("logistic_regression", "platt"))
    for metadata in path.glob("stages/*/metadata/part-*"):
        text = metadata.read_text()
        metadata.write_text(text.replace("calibration.ChurnProbability", missing))
        metadata.with_name(f".{metadata.name}.crc").unlink(missing_ok=True)
    message = (
        f"{path} was saved by another version of this project .*(Gone|gone).* Move that folder"
    )
    with pytest.raises(DatasetError, match=message):
        SparkMLModelDataset(filepath=str(path)).load()


def test_a_saved_model_stays_in_memory_until_release(model: PipelineModel, tmp_path: Path) -> None:
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "churn_model"))
    dataset.save(model)
    assert dataset.load() is model
    dataset.release()
    assert dataset.load().stages[1].coefficients == model.stages[1].coefficients  # type: ignore[attr-defined]


def test_a_requested_version_loads_even_if_another_was_saved(
    model: PipelineModel, tmp_path: Path
) -> None:
    path = str(tmp_path / "churn_model")
    SparkMLModelDataset(filepath=path, version=Version(None, MORNING)).save(model)
    dataset = SparkMLModelDataset(filepath=path, version=Version(MORNING, EVENING))
    with pytest.warns(UserWarning, match="did not match load version"):
        dataset.save(PipelineModel(model.stages[:1]))
    assert len(dataset.load().stages) == 2


def test_a_failed_save_keeps_the_old_model(
    model: PipelineModel, customers: DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "churn_model"))
    dataset.save(model)

    def save_half(self: PipelineModel, path: str) -> None:
        Path(path.removeprefix("file://"), "metadata").mkdir(parents=True)
        raise OSError("disk full")

    monkeypatch.setattr(PipelineModel, "save", save_half)
    with pytest.raises(DatasetError, match="disk full"):
        dataset.save(model)
    dataset.release()
    assert probabilities(dataset.load(), customers) == probabilities(model, customers)
    assert [path.name for path in tmp_path.iterdir()] == ["churn_model"]


def test_a_preview_lists_the_stages_with_their_settings(saved: Path) -> None:
    preview = json.loads(SparkMLModelDataset(filepath=str(saved)).preview())
    assert list(preview) == ["1. VectorAssembler", "2. LogisticRegressionModel"]
    assert preview["1. VectorAssembler"] == {
        "inputCols": ["songs", "adverts"],
        "outputCol": "features",
    }
    assert preview["2. LogisticRegressionModel"] == {"regParam": 0.3, "maxIter": 3}


def test_a_preview_of_many_stages_keeps_their_order(model: PipelineModel, tmp_path: Path) -> None:
    stages = [
        VectorAssembler(inputCols=["songs"], outputCol=f"output_{number}") for number in range(11)
    ]
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "churn_model"))
    dataset.save(PipelineModel(stages))
    preview = json.loads(dataset.preview())
    assert [settings["outputCol"] for settings in preview.values()] == [
        f"output_{number}" for number in range(11)
    ]


def test_a_preview_starts_no_jvm(saved: Path) -> None:
    program = (
        "import json, sys\n"
        "from pyspark import SparkContext\n"
        "from sparkify.datasets import SparkMLModelDataset\n"
        "print(len(json.loads(SparkMLModelDataset(filepath=sys.argv[1]).preview())))\n"
        "assert SparkContext._gateway is None\n"
    )
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-c", program, str(saved)],
        env={"PATH": "", "PYTHONPATH": str(source), "JAVA_HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_metadata_is_kept_for_plugins(tmp_path: Path) -> None:
    layer = {"kedro-viz": {"layer": "06_models"}}
    dataset = SparkMLModelDataset(filepath=str(tmp_path / "churn_model"), metadata=layer)
    assert dataset.metadata == layer
    assert str(tmp_path / "churn_model") in repr(dataset)


@pytest.mark.parametrize("name", ["my log", "a[1]", "a{b", "a*?", "a\\b", "ünï"])
def test_a_model_loads_from_paths_with_special_characters(
    saved: Path, model: PipelineModel, customers: DataFrame, tmp_path: Path, name: str
) -> None:
    model_path = tmp_path / name / "churn_model"
    for version in (MORNING, EVENING):
        shutil.copytree(saved, model_path / version / "churn_model")
    dataset = SparkMLModelDataset(filepath=str(model_path), version=Version(None, None))
    assert dataset.exists()
    assert dataset.resolve_load_version() == EVENING
    assert probabilities(dataset.load(), customers) == probabilities(model, customers)


def test_a_champion_loads_from_a_path_with_special_characters(
    champion: Callable[[str, str], PipelineModel], tmp_path: Path
) -> None:
    path = str(tmp_path / "churn [v2]" / "churn_model")
    SparkMLModelDataset(filepath=path).save(champion("xgboost", "isotonic"))
    loaded = SparkMLModelDataset(filepath=path).load()
    assert [type(stage) for stage in loaded.stages] == [
        type(stage) for stage in champion("xgboost", "isotonic").stages
    ]


def test_a_model_path_with_a_colon_is_an_error_before_fitting(
    tmp_path: Path,
) -> None:
    with pytest.raises(DatasetError, match="a folder with a colon in its name"):
        SparkMLModelDataset(filepath=str(tmp_path / "a:b" / "churn_model"))
