import json
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.pipelines.evaluation.nodes import compare_with_champion, promote_champion
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.modelling.model_card import add_card, read_card, summarize_training

QUESTION = {
    "cutoff": "2018-11-21",
    "horizon_days": 10,
    "outcome": "cancellation",
    "outcome_phrase": "cancelled",
    "train_cutoffs": ["2018-10-31", "2018-11-07"],
}
AP = "average_precision"
CHALLENGER = {"candidate": "logistic_regression", "label": "linear", "f1_threshold": 0.2}


@pytest.fixture(scope="module")
def test(train: DataFrame) -> DataFrame:
    """Return `train` at a later cutoff."""
    later = train.where(F.col("cutoff") == F.lit(date(2018, 11, 7)))
    return later.withColumn("cutoff", F.lit(date(2018, 11, 21))).cache()


@pytest.fixture(scope="module")
def linear(fitted: Callable[[str], PipelineModel], train: DataFrame) -> PipelineModel:
    calibrated = SQLTransformer(statement="SELECT *, uncalibrated AS probability FROM __THIS__")
    model = PipelineModel([*fitted("logistic_regression").stages, calibrated])
    card = {
        **CHALLENGER,
        "features": ["next_song", "thumbs_up", "is_paid", "days_since_last_seen"],
        "prediction_task": QUESTION,
        "leaving_curve": {"horizon_days": 10},
        "source": "simulated",
        "training": summarize_training(train),
        "reference": {"window_days": 14},
        "parameters": {"modelling": {"seed": 7, "held_out_user_share": 0.2}},
    }
    return add_card(model, card)


def change_card(model: PipelineModel, **card: Any) -> PipelineModel:
    """Return a model with another card."""
    return add_card(PipelineModel(model.stages[:-1]), {**deepcopy(read_card(model)), **card})


def reverse_ranking(model: PipelineModel) -> PipelineModel:
    """Return a model with the reverse ranking."""
    *stages, calibrated, card = model.stages
    reversed_ranking = calibrated.getStatement().replace("uncalibrated AS", "1 - uncalibrated AS")
    return PipelineModel([*stages, SQLTransformer(statement=reversed_ranking), card])


def set_rule(evaluation: EvaluationParameters, rule: str) -> EvaluationParameters:
    promotion = evaluation.promotion.model_copy(update={"replace": rule})
    return evaluation.model_copy(update={"promotion": promotion})


def test_without_a_champion_the_challenger_is_next(
    linear: PipelineModel, test: DataFrame, evaluation: EvaluationParameters
) -> None:
    champion, model, promotion = compare_with_champion(linear, None, test, AP, evaluation)
    assert model is linear
    assert promotion == {"replaced": True, "reason": "there was no champion before"}
    assert (champion["label"], champion["f1_threshold"]) == ("linear", 0.2)


def test_a_challenger_that_predicts_the_same_does_not_replace_the_champion(
    linear: PipelineModel, test: DataFrame, evaluation: EvaluationParameters
) -> None:
    current = change_card(linear, label="earlier")
    champion, model, promotion = compare_with_champion(linear, current, test, AP, evaluation)
    assert model is current
    assert champion["label"] == "earlier"
    assert not promotion["replaced"]
    assert promotion["gain"] == {"value": 0.0, "ci95": [0.0, 0.0]}
    assert promotion["reason"].startswith("the champion stays: the challenger is not")
    json.dumps(promotion, allow_nan=False)


@pytest.mark.parametrize(("rule", "replaced"), [("if_better", True), ("never", False)])
def test_a_better_challenger_replaces_the_champion_unless_the_rule_is_never(
    linear: PipelineModel,
    test: DataFrame,
    evaluation: EvaluationParameters,
    rule: str,
    replaced: bool,
) -> None:
    _, model, promotion = compare_with_champion(
        linear, reverse_ranking(linear), test, AP, set_rule(evaluation, rule)
    )
    assert promotion["replaced"] is replaced
    assert (model is linear) is replaced
    assert promotion["gain"]["value"] > promotion["needed"] > 0
    better, worse = promotion["challenger"], promotion["current_champion"]
    assert better["auc"]["value"] == pytest.approx(1 - worse["auc"]["value"])


@pytest.mark.parametrize(("rule", "replaced"), [("if_better", False), ("always", True)])
def test_a_worse_challenger_replaces_the_champion_only_if_the_rule_is_always(
    linear: PipelineModel,
    test: DataFrame,
    evaluation: EvaluationParameters,
    rule: str,
    replaced: bool,
) -> None:
    _, _, promotion = compare_with_champion(
        reverse_ranking(linear), linear, test, AP, set_rule(evaluation, rule)
    )
    assert promotion["replaced"] is replaced
    assert promotion["gain"]["value"] < 0


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ({"prediction_task": {**QUESTION, "horizon_days": 14}}, "has another prediction task"),
        ({"prediction_task": {**QUESTION, "outcome": "downgrade"}}, "has another prediction task"),
        ({"prediction_task": {**QUESTION, "active_within_days": 30}}, "definition of a customer"),
        ({"source": "provided"}, "was trained on a provided log"),
        ({"features": ["next_song", "skips"]}, "needs features that are missing: skips"),
        (
            {"prediction_task": {**QUESTION, "train_cutoffs": ["2018-11-14"]}},
            "was trained on days within the hold-out's horizon",
        ),
    ],
)
def test_a_champion_that_cannot_be_compared_is_replaced(
    linear: PipelineModel,
    test: DataFrame,
    evaluation: EvaluationParameters,
    card: dict[str, Any],
    reason: str,
) -> None:
    _, model, promotion = compare_with_champion(
        linear, change_card(linear, **card), test, AP, evaluation
    )
    assert model is linear
    assert promotion["replaced"]
    assert reason in promotion["reason"]


def test_a_champion_trained_on_other_users_or_without_a_card_is_replaced(
    linear: PipelineModel, test: DataFrame, evaluation: EvaluationParameters
) -> None:
    parameters = deepcopy(read_card(linear)["parameters"])
    parameters["modelling"]["seed"] += 1
    other_users = change_card(linear, parameters=parameters)
    for current, reason in (
        (other_users, "other users"),
        (PipelineModel(linear.stages[:-1]), "no f1_threshold, features, prediction_task"),
    ):
        *_, promotion = compare_with_champion(linear, current, test, AP, evaluation)
        assert promotion["replaced"]
        assert reason in promotion["reason"]


@pytest.mark.parametrize("field", ["f1_threshold", "prediction_task"])
def test_a_champion_of_another_version_is_replaced(
    field: str, linear: PipelineModel, test: DataFrame, evaluation: EvaluationParameters
) -> None:
    card = {name: what for name, what in read_card(linear).items() if name != field}
    earlier = add_card(PipelineModel(linear.stages[:-1]), {**card, "question": {}})
    _, model, promotion = compare_with_champion(linear, earlier, test, AP, evaluation)
    assert model is linear
    assert promotion == {
        "replaced": True,
        "reason": f"the previous champion is of another version of this project: no {field}",
    }


def test_a_champion_without_a_curve_is_replaced(
    linear: PipelineModel, test: DataFrame, evaluation: EvaluationParameters
) -> None:
    card = {name: what for name, what in read_card(linear).items() if name != "leaving_curve"}
    earlier = add_card(PipelineModel(linear.stages[:-1]), card)
    *_, promotion = compare_with_champion(linear, earlier, test, AP, evaluation)
    assert promotion == {
        "replaced": True,
        "reason": "the previous champion is of another version of this project: no leaving_curve",
    }


def test_the_evaluated_model_is_promoted_unchanged_and_saved_last(linear: PipelineModel) -> None:
    comparison = {"replaced": True, "reason": "there was no champion before"}
    champion = {"label": "linear"}
    *records, model = promote_champion(champion, linear, comparison, {"holdout": {}}, None)
    assert records == [comparison, champion]
    assert model is linear
