from typing import Any

import pytest
from pyspark.ml.classification import LogisticRegression

from sparkify.pipelines.modelling.candidates import Trial, trials
from sparkify.pipelines.modelling.parameters import ModellingParameters


def with_candidates(parameters: dict[str, Any], **candidates: Any) -> ModellingParameters:
    return parameters["modelling"].model_copy(update={"candidates": candidates})


def test_every_combination_of_settings_is_a_trial(parameters: dict[str, Any]) -> None:
    modelling = with_candidates(
        parameters,
        logistic_regression={"regParam": [0.1, 0.2], "elasticNetParam": [0.0, 1.0]},
        random_forest=None,
    )
    settings = [(0.1, 0.0), (0.1, 1.0), (0.2, 0.0), (0.2, 1.0)]
    assert trials(modelling) == [
        Trial("logistic_regression", {"regParam": reg, "elasticNetParam": net})
        for reg, net in settings
    ]
    assert str(trials(modelling)[0]) == "logistic_regression (regParam 0.1, elasticNetParam 0)"


def test_an_unknown_candidate_is_named(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="'perceptron' is not one of logistic_regression"):
        trials(with_candidates(parameters, perceptron={}))


def test_a_saved_champion_carries_its_preprocessing(finished: Any) -> None:
    catalog = finished.catalog()
    model = catalog.load("churn_model")
    features = catalog.load("features")
    assert "churned" not in features.columns
    assert model.transform(features).count() == features.count()
    assert len(model.stages) == 4 or not isinstance(model.stages[-1], LogisticRegression)
