import numpy as np
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from sparkify.ml.segments import CustomerSegments
from sparkify.ml.shrunken_rates import Rate
from sparkify.pipelines.evaluation.segment_table import describe_segments

STAGE = CustomerSegments(
    [Rate("thumbs_up_per_song", "thumbs_up", "next_song", 10.0, 0.05)],
    [0.75, 0.25],
    [[0.07], [0.03]],
)


def test_segments_are_described_with_their_churn_rates(train: DataFrame) -> None:
    table = describe_segments(PipelineModel([STAGE]), train)
    assert table["segment"].tolist() == ["1", "2", "all"]
    assert table["share"].tolist() == [0.75, 0.25, 1.0]
    assert table["thumbs_up_per_song"].tolist() == [0.07, 0.03, 0.05]
    rows = STAGE.transform(train).toPandas()
    rates = [
        np.average(rows["churned"], weights=weights)
        for weights in (1 - rows["segment_2"], rows["segment_2"], np.ones(len(rows)))
    ]
    assert table["churned"].tolist() == pytest.approx(rates)
    assert rates[1] > 1.5 * rates[0]


def test_a_model_without_segments_has_an_empty_table(train: DataFrame) -> None:
    table = describe_segments(PipelineModel([]), train)
    assert table.empty
    assert list(table.columns) == ["segment", "share", "churned"]
