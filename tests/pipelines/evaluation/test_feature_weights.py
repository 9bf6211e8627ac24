from collections.abc import Callable

import pytest
from pyspark.ml import PipelineModel

from sparkify.pipelines.evaluation.feature_weights import get_moderator
from sparkify.pipelines.evaluation.nodes import list_feature_weights
from sparkify.pipelines.modelling.candidates import get_classifier
from sparkify.pipelines.modelling.inputs import list_inputs

NAMES = ["thumbs_up_per_song", "is_paid", "log_days_since_last_seen"]


def test_a_linear_champion_has_weights_of_inputs_and_products(
    fitted: Callable[[str], PipelineModel],
) -> None:
    weights = list_feature_weights(fitted("logistic_regression"))
    products = {f"{name}, is_paid" for name in NAMES if name != "is_paid"}
    assert set(weights["feature"]) == {*NAMES, *products}
    model = fitted("logistic_regression")
    coefficients = get_classifier(model).coefficients.toArray()
    own = weights.set_index("feature")["weight"]["is_paid"]
    assert own == pytest.approx(coefficients[1] + coefficients[1 + len(NAMES)])
    assert set(weights["kind"]) == {"coefficient"}
    assert weights["weight"].abs().is_monotonic_decreasing
    # Customers who give thumbs up stay.
    assert weights.set_index("feature")["weight"]["thumbs_up_per_song"] < 0


@pytest.mark.parametrize("candidate", ["random_forest", "gradient_boosted_trees", "xgboost"])
def test_weights_of_trees_are_shares_of_the_gain(
    fitted: Callable[[str], PipelineModel], candidate: str
) -> None:
    weights = list_feature_weights(fitted(candidate))
    assert sorted(weights["feature"]) == sorted(NAMES)
    assert set(weights["kind"]) == {"importance"}
    assert weights["weight"].sum() == pytest.approx(1)
    assert weights["weight"].is_monotonic_decreasing
    shares = weights.set_index("feature")["weight"]
    assert shares["is_paid"] < 0.1
    assert shares["thumbs_up_per_song"] > 0.3


def test_inputs_and_moderator_of_a_model_are_listed(
    fitted: Callable[[str], PipelineModel],
) -> None:
    assert list_inputs(fitted("xgboost")) == NAMES
    assert get_moderator(fitted("xgboost")) is None
    assert get_moderator(fitted("logistic_regression")) == "is_paid"
