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

from sparkify.pipelines.evaluation.promotion import (
    compare_with_champion,
    described_challenger,
    promote_champion,
)
from sparkify.pipelines.modelling.inputs import feature_columns
from sparkify.pipelines.modelling.model_card import card_of, with_card
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters

QUESTION = {
    "cutoff": "2018-11-21",
    "horizon_days": 10,
    "outcome": "cancellation",
    "happened": "cancelled",
    "train_cutoffs": ["2018-10-31", "2018-11-07"],
}
CHALLENGER = {"candidate": "logistic_regression", "label": "linear", "f1_threshold": 0.2}


@pytest.fixture(scope="module")
def test(train: DataFrame) -> DataFrame:
    """Return `train` at a later cutoff."""
    later = train.where(F.col("cutoff") == F.lit(date(2018, 11, 7)))
    return later.withColumn("cutoff", F.lit(date(2018, 11, 21))).cache()


@pytest.fixture(scope="module")
def linear(
    fitted: Callable[[str], PipelineModel],
    train: DataFrame,
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> PipelineModel:
    calibrated = SQLTransformer(statement="SELECT *, uncalibrated AS probability FROM __THIS__")
    model = PipelineModel([*fitted("logistic_regression").stages, calibrated])
    parameters = {"modelling": modelling, "inputs": inputs, "feature_engineering": {}, "other": 1}
    given = QUESTION, {"window_days": 14}, {"source": "simulated"}, parameters
    return described_challenger(CHALLENGER, model, train, *given)


def changed(model: PipelineModel, **card: Any) -> PipelineModel:
    """Return a model whose card says something else."""
    return with_card(PipelineModel(model.stages[:-1]), {**deepcopy(card_of(model)), **card})


def turned(model: PipelineModel) -> PipelineModel:
    """Return a model that ranks the other way round."""
    *stages, calibrated, card = model.stages
    around = calibrated.getStatement().replace("uncalibrated AS", "1 - uncalibrated AS")
    return PipelineModel([*stages, SQLTransformer(statement=around), card])


def with_rule(modelling: ModellingParameters, rule: str) -> ModellingParameters:
    promotion = modelling.promotion.model_copy(update={"replace": rule})
    return modelling.model_copy(update={"promotion": promotion})


def test_a_challenger_says_what_it_is_and_what_it_learnt_from(
    linear: PipelineModel, train: DataFrame
) -> None:
    card = card_of(linear)
    assert card["label"] == "linear"
    assert card["features"] == feature_columns(train)
    assert card["question"] == QUESTION
    assert card["reference"] == {"window_days": 14}
    assert card["training"]["snapshots"] == 160
    assert set(card["parameters"]) == {"modelling", "inputs", "feature_engineering"}
    assert card["parameters"]["modelling"]["folds"] == 2


def test_where_no_model_stood_the_challenger_is_the_champion(
    linear: PipelineModel, test: DataFrame, modelling: ModellingParameters
) -> None:
    champion, model, promotion = compare_with_champion(linear, None, test, modelling)
    assert model is linear
    assert promotion == {"replaced": True, "reason": "no model stood before"}
    assert (champion["label"], champion["f1_threshold"]) == ("linear", 0.2)


def test_a_challenger_that_forecasts_the_same_does_not_take_the_place(
    linear: PipelineModel, test: DataFrame, modelling: ModellingParameters
) -> None:
    standing = changed(linear, label="stood")
    champion, model, promotion = compare_with_champion(linear, standing, test, modelling)
    assert model is standing
    assert champion["label"] == "stood"
    assert not promotion["replaced"]
    assert promotion["gain"] == {"value": 0.0, "ci95": [0.0, 0.0]}
    assert promotion["reason"].startswith("the one that stood stays: the challenger is not")
    json.dumps(promotion, allow_nan=False)


@pytest.mark.parametrize(("rule", "replaced"), [("if_better", True), ("never", False)])
def test_a_better_challenger_takes_the_place_unless_it_never_may(
    linear: PipelineModel,
    test: DataFrame,
    modelling: ModellingParameters,
    rule: str,
    replaced: bool,
) -> None:
    settings = modelling.model_copy(
        update={"promotion": modelling.promotion.model_copy(update={"replace": rule})}
    )
    _, model, promotion = compare_with_champion(linear, turned(linear), test, settings)
    assert promotion["replaced"] is replaced
    assert (model is linear) is replaced
    assert promotion["gain"]["value"] > promotion["needed"] > 0
    better, worse = promotion["challenger"], promotion["standing"]
    assert better["auc"]["value"] == pytest.approx(1 - worse["auc"]["value"])


@pytest.mark.parametrize(("rule", "replaced"), [("if_better", False), ("always", True)])
def test_a_worse_challenger_does_not_take_the_place_unless_it_always_does(
    linear: PipelineModel,
    test: DataFrame,
    modelling: ModellingParameters,
    rule: str,
    replaced: bool,
) -> None:
    settings = modelling.model_copy(
        update={"promotion": modelling.promotion.model_copy(update={"replace": rule})}
    )
    _, _, promotion = compare_with_champion(turned(linear), linear, test, settings)
    assert promotion["replaced"] is replaced
    assert promotion["gain"]["value"] < 0


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        ({"question": {**QUESTION, "horizon_days": 14}}, "answers another question"),
        ({"question": {**QUESTION, "outcome": "downgrade"}}, "answers another question"),
        ({"question": {**QUESTION, "active_within_days": 30}}, "who is a customer"),
        ({"source": "provided"}, "learnt from a provided log"),
        ({"features": ["next_song", "skips"]}, "needs features that are gone: skips"),
        (
            {"question": {**QUESTION, "train_cutoffs": ["2018-11-14"]}},
            "has learnt from days that the hold-out asks about",
        ),
    ],
)
def test_a_model_that_cannot_be_asked_the_same_gives_way(
    linear: PipelineModel,
    test: DataFrame,
    modelling: ModellingParameters,
    card: dict[str, Any],
    reason: str,
) -> None:
    _, model, promotion = compare_with_champion(linear, changed(linear, **card), test, modelling)
    assert model is linear
    assert promotion["replaced"]
    assert reason in promotion["reason"]


def test_a_model_that_learnt_from_other_users_or_without_a_card_gives_way(
    linear: PipelineModel, test: DataFrame, modelling: ModellingParameters
) -> None:
    parameters = deepcopy(card_of(linear)["parameters"])
    parameters["modelling"]["seed"] += 1
    others = changed(linear, parameters=parameters)
    for standing, reason in ((others, "other users"), (PipelineModel(linear.stages[:-1]), "card")):
        *_, promotion = compare_with_champion(linear, standing, test, modelling)
        assert promotion["replaced"]
        assert reason in promotion["reason"]


def test_a_model_of_an_earlier_version_with_a_threshold_inside_gives_way(
    linear: PipelineModel, test: DataFrame, modelling: ModellingParameters
) -> None:
    card = {name: what for name, what in card_of(linear).items() if name != "f1_threshold"}
    earlier = with_card(PipelineModel(linear.stages[:-1]), {**card, "threshold": 0.2})
    _, model, promotion = compare_with_champion(linear, earlier, test, modelling)
    assert model is linear
    assert promotion == {
        "replaced": True,
        "reason": "the model that stood is of an earlier version, which fixed the threshold in it",
    }


def test_a_model_is_promoted_as_it_was_evaluated_and_saved_last(linear: PipelineModel) -> None:
    comparison = {"replaced": True, "reason": "no model stood before"}
    champion = {"label": "linear"}
    *records, model = promote_champion(champion, linear, comparison, {"holdout": {}}, None)
    assert records == [comparison, champion]
    assert model is linear
