from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling import cross_validation as fitting
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.pipelines.validation import nodes, refit
from sparkify.pipelines.validation.parameters import ValidationParameters
from sparkify.schemas import CANDIDATE_PREDICTIONS, KEYS
from sparkify.spark.functions import to_sorted_pandas

CHAMPION = {"candidate": "logistic_regression", "settings": {"regParam": 0.3}}
RESULTS = pd.DataFrame({"candidate": ["logistic_regression"], "trial": [0]})


@pytest.fixture(scope="module")
def validation(parameters: dict[str, Any]) -> ValidationParameters:
    few = {"learning_curve_users": (30, 60, 500), "learning_curve_repeats": 2, "label_shuffles": 2}
    return parameters["validation"].model_copy(update=few)


@pytest.fixture(scope="module")
def test(train: DataFrame) -> DataFrame:
    """Return the later cutoff of `train`, with other user IDs."""
    later = train.where(F.col("cutoff") == F.lit("2018-11-07").cast("date"))
    return later.withColumn("user_id", F.concat(F.lit("x"), "user_id"))


def test_every_candidate_predicts_the_holdout_with_its_best_settings(
    fitted: Callable[[str], PipelineModel],
    train: DataFrame,
    test: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> None:
    grids = {
        "logistic_regression": {"regParam": [100.0, 0.3], "tol": [0.0001]},
        "random_forest": {"numTrees": [1], "maxDepth": [1]},
    }
    competing = modelling.model_copy(update={"candidates": grids})
    candidates = ["logistic_regression", "random_forest", "logistic_regression"]
    cv_results = pd.DataFrame({"trial": [1, 2, 0], "candidate": candidates})
    forecast = nodes.predict_with_candidates(train, test, cv_results, inputs, competing)
    CANDIDATE_PREDICTIONS.validate(forecast)
    rows, held_out = forecast.toPandas(), test.count()
    assert rows.groupby("candidate").size().to_dict() == {
        "logistic_regression": held_out,
        "random_forest": held_out,
    }
    linear = rows[rows["candidate"] == "logistic_regression"].sort_values(KEYS, ignore_index=True)
    forecast = fitting.predict_uncalibrated(fitted("logistic_regression"), test)
    expected = to_sorted_pandas(forecast, *KEYS)
    assert linear["user_id"].equals(expected["user_id"])
    assert linear["probability"].tolist() == pytest.approx(expected["probability"].tolist())


def test_the_learning_curve_has_every_size_and_all_users_once(
    train: DataFrame,
    test: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
    validation: ValidationParameters,
) -> None:
    curve = nodes.learn_from_fewer(
        train, test, CHAMPION, RESULTS, inputs, modelling, evaluation, validation
    )
    assert curve["users"].tolist() == [30, 30, 60, 60, 80]
    assert curve["repeat"].tolist() == [0, 1, 0, 1, 0]
    assert curve["churned"].is_monotonic_increasing or curve["churned"].iloc[-1] > 30
    assert (curve["auc_low"] <= curve["auc"]).all()
    assert (curve["auc"] <= curve["auc_high"]).all()


def test_samples_with_too_few_churners_are_left_out_of_the_learning_curve(
    train: DataFrame,
    test: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
    validation: ValidationParameters,
) -> None:
    strict = modelling.model_copy(update={"min_train_churned": 35})
    curve = nodes.learn_from_fewer(
        train, test, CHAMPION, RESULTS, inputs, strict, evaluation, validation
    )
    assert 30 not in set(curve["users"])


def test_shuffling_keeps_the_number_of_churners_but_not_who_they_are(
    train: DataFrame,
    test: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    validation: ValidationParameters,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = []
    refit_and_predict = refit.refit_and_predict

    def record_labels(shuffled: DataFrame, *rest: Any) -> pd.DataFrame:
        labels.append(shuffled.select(*KEYS, "churned").toPandas().set_index(KEYS).sort_index())
        return refit_and_predict(shuffled, *rest)

    monkeypatch.setattr(refit, "refit_and_predict", record_labels)
    table = nodes.shuffle_labels(train, test, CHAMPION, inputs, modelling, validation)
    assert table["shuffle"].tolist() == ["0", "1", "all"]
    summary = table.iloc[2]
    assert summary["auc"] == pytest.approx(table["auc"][:2].mean())
    # Student's t with one degree of freedom: 12.7 standard errors.
    width = 12.706 * table["auc"][:2].sem()
    assert summary["auc_high"] - summary["auc"] == pytest.approx(width, rel=1e-3)
    true = train.select(*KEYS, "churned").toPandas().set_index(KEYS).sort_index()
    for shuffled in labels:
        assert shuffled.index.equals(true.index)
        assert shuffled["churned"].sum() == true["churned"].sum()
        assert (shuffled["churned"] != true["churned"]).any()
    assert not labels[0].equals(labels[1])


def test_each_cutoff_is_predicted_from_cutoffs_whose_horizon_is_over(
    train: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
    parameters: dict[str, Any],
) -> None:
    engineering: FeatureEngineeringParameters = parameters["feature_engineering"]
    short = engineering.model_copy(update={"horizon_days": 7})
    features, snapshots = train.drop("churned", "is_trainable"), train.select(*KEYS, "churned")
    table = nodes.roll_origin(features, snapshots, CHAMPION, inputs, modelling, evaluation, short)
    assert table[["cutoff", "training_cutoffs", "users"]].values.tolist() == [["2018-11-07", 1, 80]]
    longer = engineering.model_copy(update={"horizon_days": 8})
    assert nodes.roll_origin(
        features, snapshots, CHAMPION, inputs, modelling, evaluation, longer
    ).empty


def test_remedies_raise_the_mean_forecast_and_smote_has_a_limit(
    train: DataFrame,
    test: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
) -> None:
    arguments = train, test, CHAMPION, RESULTS, inputs
    table = nodes.compare_imbalance(*arguments, modelling, evaluation)
    assert (table["log_loss_low"] < table["log_loss"]).all()
    assert (table["log_loss"] < table["log_loss_high"]).all()
    mean = table.set_index("imbalance")["mean_forecast"]
    assert list(mean.index) == ["none", "weights", "smote"]
    assert mean["none"] == pytest.approx(0.25, abs=0.07)
    assert mean[["weights", "smote"]].tolist() == pytest.approx([0.5, 0.5], abs=0.07)
    limited = modelling.model_copy(update={"smote_max_rows": 10})
    left_out = nodes.compare_imbalance(*arguments, limited, evaluation).iloc[2]
    assert "modelling.smote_max_rows" in left_out["left_out"]
    assert np.isnan(left_out["auc"])


def test_dropping_the_strongest_group_loses_auc(
    train: DataFrame,
    test: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
    evaluation: EvaluationParameters,
) -> None:
    table = nodes.drop_feature_groups(train, test, CHAMPION, inputs, modelling, evaluation)
    assert table["group"].tolist()[0] == "thumbs"
    assert table["inputs"].tolist()[0] == "thumbs_up_per_song"
    assert set(table["group"]) == {"thumbs", "level", "time"}
    assert table["auc_cost"].iloc[0] > 0.05
    assert (table["auc_low"] <= table["auc_cost"]).all()
