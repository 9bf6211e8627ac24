from typing import Any

import numpy as np
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from sparkify.ml.segments import CustomerSegments
from sparkify.ml.shrunken_rates import Rate
from sparkify.pipelines.evaluation.segment_table import describe_segments, name_segments
from sparkify.pipelines.modelling.parameters import InputParameters

STAGE = CustomerSegments(
    [Rate("thumbs_up_per_song", "thumbs_up", "next_song", 10.0, 0.05)],
    [0.75, 0.25],
    [[0.07], [0.03]],
)


def test_segments_are_described_with_their_churn_rates(
    train: DataFrame, inputs: InputParameters
) -> None:
    table = describe_segments(PipelineModel([STAGE]), train, inputs)
    assert table["segment"].tolist() == ["1", "2", "all"]
    names = ["high thumbs up per song", "low thumbs up per song", "all"]
    assert table["name"].tolist() == names
    assert table["share"].tolist() == [0.75, 0.25, 1.0]
    assert table["thumbs_up_per_song"].tolist() == [0.07, 0.03, 0.05]
    rows = STAGE.transform(train).toPandas()
    rates = [
        np.average(rows["churned"], weights=weights)
        for weights in (1 - rows["segment_2"], rows["segment_2"], np.ones(len(rows)))
    ]
    assert table["churned"].tolist() == pytest.approx(rates)
    assert rates[1] > 1.5 * rates[0]


@pytest.mark.usefixtures("spark")
def test_a_segment_is_named_by_the_rate_with_the_most_evidence(parameters: dict[str, Any]) -> None:
    rates = [
        Rate("thumbs_up_per_song", "thumbs_up", "next_song", 100.0, 0.05),
        Rate("adverts_per_free_song", "adverts", "songs", 100.0, 0.08),
        Rate("submitted_per_downgrade", "submit_downgrade", "downgrade", 20.0, 0.04),
    ]
    by_segment = [[0.05, 0.07, 0.04], [0.05, 0.16, 0.09], [0.09, 0.08, 0.02], [0.05, 0.2, 0.04]]
    stage = CustomerSegments(rates, [0.7, 0.1, 0.1, 0.1], by_segment)
    assert name_segments(stage, parameters["inputs"]) == [
        *("ordinary", "many adverts", "many thumbs up", "many adverts (2)")
    ]


def test_a_model_without_segments_has_an_empty_table(
    train: DataFrame, inputs: InputParameters
) -> None:
    table = describe_segments(PipelineModel([]), train, inputs)
    assert table.empty
    assert list(table.columns) == ["segment", "name", "share", "churned"]
