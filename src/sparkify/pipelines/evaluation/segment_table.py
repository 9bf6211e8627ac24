"""The champion's segments as a table."""

import numpy as np
import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from sparkify.ml.segments import CustomerSegments, get_segments
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

ORDINARY = "ordinary"  # name of a segment that no rate distinguishes


def describe_segments(
    churn_model: PipelineModel, train: DataFrame, inputs: InputParameters
) -> pd.DataFrame:
    """Describe the champion's segments: one row per segment, the largest first, and a row `all`.

    `name` is the label of the rate that distinguishes the segment most. `share` is the share of the
    users that the segments were learnt from. `churned` is the churn rate of the training snapshots,
    weighted by the probability of the segment. Further columns are the segment's rates.
    Empty if the model has no segments.
    """
    stage = get_segments(churn_model)
    if stage is None:
        return pd.DataFrame(columns=["segment", "name", "share", "churned"])
    rates = pd.DataFrame(stage.getOrDefault("segment_rates"), columns=stage.getOrDefault("names"))
    rates.loc[len(rates)] = stage.getOrDefault("overall")
    columns = stage.getOutputCols()
    rows = to_sorted_pandas(stage.transform(train).select(*KEYS, "churned", *columns), *KEYS)
    first_segment = 1 - rows[columns].sum(axis="columns")
    weights = np.column_stack([first_segment, rows[columns], np.ones(len(rows))])
    churned = rows["churned"].to_numpy(float)
    described = {
        "segment": [*map(str, range(1, len(rates))), "all"],
        "name": [*name_segments(stage, inputs), "all"],
        "share": [*stage.getOrDefault("shares"), 1.0],
        "churned": (weights * churned[:, None]).sum(axis=0) / weights.sum(axis=0),
    }
    return pd.concat([pd.DataFrame(described), rates], axis="columns")


def name_segments(segments: CustomerSegments, inputs: InputParameters) -> list[str]:
    """Name each segment by the label of the rate that distinguishes it most from the average.

    That is the rate with the highest expected evidence, the Poisson log-likelihood ratio of as
    much history as the rate's prior. A segment is ordinary if this rate is within
    `inputs.segments.min_ratio` of the average. A name that occurs again has a number.
    """
    average = np.array([rate.overall for rate in segments.rates])
    prior = np.array([rate.prior for rate in segments.rates])
    min_ratio = inputs.segments.min_ratio if inputs.segments else 1.0
    names: list[str] = []
    for rates in np.array(segments.getOrDefault("segment_rates")):
        evidence = prior * (rates * np.log(rates / average) - (rates - average))
        strongest = int(evidence.argmax())
        ratio = rates[strongest] / average[strongest]
        more, less = inputs.get_rate_labels(segments.rates[strongest].name)
        label = ORDINARY if max(ratio, 1 / ratio) < min_ratio else more if ratio > 1 else less
        earlier = sum(name.startswith(label) for name in names)
        names.append(f"{label} ({earlier + 1})" if earlier else label)
    return names
