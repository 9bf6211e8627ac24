from collections.abc import Callable

import numpy as np
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame

from sparkify.ml.bootstrap import Array
from sparkify.ml.segments import CustomerSegments
from sparkify.ml.shrunken_rates import Rate
from sparkify.pipelines.modelling.candidates import get_classifier
from sparkify.pipelines.modelling.hyperparameters import ESTIMATORS
from sparkify.pipelines.modelling.inputs import fit_inputs
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.scoring.explanation import explain_model, get_contributions
from sparkify.pipelines.scoring.parameters import ScoringParameters


def column(rows: DataFrame, name: str) -> Array:
    return np.array([row[0] for row in rows.select(vector_to_array(name)).collect()])


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_contributions_sum_up_to_the_margin(
    fitted: Callable[[str], PipelineModel], train: DataFrame, kind: str
) -> None:
    model = fitted(kind)
    rows = model.transform(train)
    added = get_contributions(model).compute(column(rows, "inputs"))
    probability = np.array([row[0] for row in rows.select("uncalibrated").collect()])
    margin = probability if kind == "random_forest" else np.log(probability / (1 - probability))
    assert added.shape == (160, 4)
    assert added.sum(axis=1) == pytest.approx(margin, abs=1e-5)  # XGBoost adds in 32 bits
    assert np.abs(added[:, 0]).max() > 0.01


def test_every_input_has_a_text_with_the_training_average(
    fitted: Callable[[str], PipelineModel],
    train: DataFrame,
    inputs: InputParameters,
    scoring: ScoringParameters,
) -> None:
    rates = {
        name: rate.model_copy(update={"text": "{rate:.1%} of songs, average {average:.1%}"})
        for name, rate in inputs.rates.items()
    }
    worded = inputs.model_copy(update={"rates": rates})
    words = explain_model(fitted("logistic_regression"), worded, scoring).texts
    (total,) = train.selectExpr("sum(thumbs_up) / sum(next_song) as rate").collect()
    customer = {"thumbs_up": 3.0, "next_song": 60.0, "is_paid": 1.0, "days_since_last_seen": 2.0}
    assert [one.describe(customer).text for one in words] == [
        f"5.0 % of songs, average {100 * total['rate']:.1f} %",
        "is paid: 1",
        "days since last seen: 2",
    ]


def test_an_input_without_a_template_is_described_by_its_name(
    fitted: Callable[[str], PipelineModel], scoring: ScoringParameters
) -> None:
    unknown = InputParameters(rates={}, plain={}, moderator=None)
    (rate, *_) = explain_model(fitted("logistic_regression"), unknown, scoring).texts
    text = rate.describe({"thumbs_up": 3.0, "next_song": 60.0}).text
    assert text.startswith("thumbs up per song: 0.05, average 0.0")


def test_the_template_of_another_rate_with_the_same_name_is_not_used(
    fitted: Callable[[str], PipelineModel], inputs: InputParameters, scoring: ScoringParameters
) -> None:
    changed = {"per": "sessions", "text": "{rate:.1f} a session, average {average:.1f}"}
    rates = {name: rate.model_copy(update=changed) for name, rate in inputs.rates.items()}
    later = inputs.model_copy(update={"rates": rates})
    (rate, *_) = explain_model(fitted("logistic_regression"), later, scoring).texts
    text = rate.describe({"thumbs_up": 3.0, "next_song": 60.0}).text
    assert text.startswith("thumbs up per song: 0.05, average 0.0")


def test_segments_are_described_by_their_rates(
    fitted: Callable[[str], PipelineModel],
    train: DataFrame,
    inputs: InputParameters,
    scoring: ScoringParameters,
) -> None:
    rate = Rate("thumbs_up_per_song", "thumbs_up", "next_song", 100.0, 0.05)
    stage = CustomerSegments([rate], [0.7, 0.2, 0.1], [[0.05], [0.02], [0.09]])
    described = fit_inputs(train, inputs).stages
    names = ["segment_2", "segment_3", "is_paid"]
    assembler = VectorAssembler(inputCols=names, outputCol="inputs")
    trees = get_classifier(fitted("xgboost"))
    model = PipelineModel([*described[:2], stage, assembler, trees])
    first, second, plain = explain_model(model, inputs, scoring).texts
    assert first is second
    assert (first.name, plain.name) == ("segment", "is_paid")
    probabilities = {"segment_2": 0.02, "segment_3": 0.9}
    text = first.describe({"thumbs_up": 18.0, "next_song": 200.0, **probabilities}).text
    assert text == "thumbs up per song: 0.09, average 0.05"
