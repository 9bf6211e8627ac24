from collections.abc import Callable

import numpy as np
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame

from sparkify.ml.bootstrap import Array
from sparkify.ml.segments import CustomerSegments
from sparkify.pipelines.modelling.candidates import CANDIDATES, get_classifier
from sparkify.pipelines.modelling.inputs import fit_inputs
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.scoring.explanation import explain_model, get_contributions
from sparkify.pipelines.scoring.parameters import ScoringParameters


def column(rows: DataFrame, name: str) -> Array:
    return np.array([row[0] for row in rows.select(vector_to_array(name)).collect()])


@pytest.mark.parametrize("kind", CANDIDATES)
def test_contributions_sum_up_to_the_margin(
    fitted: Callable[[str], PipelineModel], train: DataFrame, kind: str
) -> None:
    model = fitted(kind)
    rows = model.transform(train)
    added = get_contributions(model).contributions(column(rows, "inputs"))
    probability = np.array([row[0] for row in rows.select("uncalibrated").collect()])
    margin = probability if kind == "random_forest" else np.log(probability / (1 - probability))
    assert added.shape == (160, 4)
    assert added.sum(axis=1) == pytest.approx(margin, abs=1e-5)  # XGBoost adds in 32 bits
    assert np.abs(added[:, 0]).max() > 0.01


def test_every_input_has_words_beside_the_training_s_own_rate(
    fitted: Callable[[str], PipelineModel],
    train: DataFrame,
    inputs: InputParameters,
    scoring: ScoringParameters,
) -> None:
    rates = {
        name: rate.model_copy(update={"words": "{rate:.1%} of songs, others {others:.1%}"})
        for name, rate in inputs.rates.items()
    }
    worded = inputs.model_copy(update={"rates": rates})
    words = explain_model(fitted("logistic_regression"), worded, scoring).words
    (total,) = train.selectExpr("sum(thumbs_up) / sum(next_song) as rate").collect()
    customer = {"thumbs_up": 3.0, "next_song": 60.0, "is_paid": 1.0, "days_since_last_seen": 2.0}
    assert [one.said(customer).text for one in words] == [
        f"5.0 % of songs, others {100 * total['rate']:.1f} %",
        "is paid: 1",
        "days since last seen: 2",
    ]


def test_an_input_without_words_is_said_by_its_name(
    fitted: Callable[[str], PipelineModel], scoring: ScoringParameters
) -> None:
    unknown = InputParameters(rates={}, plain={}, moderator=None)
    (rate, *_) = explain_model(fitted("logistic_regression"), unknown, scoring).words
    said = rate.said({"thumbs_up": 3.0, "next_song": 60.0}).text
    assert said.startswith("thumbs up per song: 0.05, others 0.0")


def test_words_for_another_rate_of_the_same_name_are_not_used(
    fitted: Callable[[str], PipelineModel], inputs: InputParameters, scoring: ScoringParameters
) -> None:
    changed = {"per": "sessions", "words": "{rate:.1f} a session, others {others:.1f}"}
    rates = {name: rate.model_copy(update=changed) for name, rate in inputs.rates.items()}
    later = inputs.model_copy(update={"rates": rates})
    (rate, *_) = explain_model(fitted("logistic_regression"), later, scoring).words
    said = rate.said({"thumbs_up": 3.0, "next_song": 60.0}).text
    assert said.startswith("thumbs up per song: 0.05, others 0.0")


def test_segments_are_said_in_the_words_of_their_rates(
    fitted: Callable[[str], PipelineModel],
    train: DataFrame,
    inputs: InputParameters,
    scoring: ScoringParameters,
) -> None:
    stage = CustomerSegments(
        **{"names": ["thumbs_up_per_song"], "counts": ["thumbs_up"], "pers": ["next_song"]},
        **{"priors": [100.0], "overall": [0.05], "shares": [0.7, 0.2, 0.1]},
        **{"rates": [[0.05], [0.02], [0.09]], "outputCols": ["segment_2", "segment_3"]},
    )
    described = fit_inputs(train, inputs).stages
    names = ["segment_2", "segment_3", "is_paid"]
    assembler = VectorAssembler(inputCols=names, outputCol="inputs")
    trees = get_classifier(fitted("xgboost"))
    model = PipelineModel([described[0], stage, assembler, trees])
    first, second, plain = explain_model(model, inputs, scoring).words
    assert first is second
    assert (first.name, plain.name) == ("segment", "is_paid")
    probabilities = {"segment_2": 0.02, "segment_3": 0.9}
    said = first.said({"thumbs_up": 18.0, "next_song": 200.0, **probabilities}).text
    assert said == "thumbs up per song: 0.09, others 0.05"
