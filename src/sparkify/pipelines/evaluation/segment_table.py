"""The champion's segments as a table."""

import numpy as np
import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from sparkify.ml.segments import get_segments
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas


def describe_segments(churn_model: PipelineModel, train: DataFrame) -> pd.DataFrame:
    """Describe the champion's segments: one row per segment, the largest first, and a row `all`.

    `share` is the share of the users that the segments were learnt from. `churned` is the churn
    rate of the training snapshots, weighted by the probability of the segment. Further columns are
    the segment's rates. Empty if the model has no segments.
    """
    stage = get_segments(churn_model)
    if stage is None:
        return pd.DataFrame(columns=["segment", "share", "churned"])
    rates = pd.DataFrame(stage.getOrDefault("segment_rates"), columns=stage.getOrDefault("names"))
    rates.loc[len(rates)] = stage.getOrDefault("overall")
    columns = stage.getOutputCols()
    rows = to_sorted_pandas(stage.transform(train).select(*KEYS, "churned", *columns), *KEYS)
    first_segment = 1 - rows[columns].sum(axis="columns")
    weights = np.column_stack([first_segment, rows[columns], np.ones(len(rows))])
    churned = rows["churned"].to_numpy(float)
    described = {
        "segment": [*map(str, range(1, len(rates))), "all"],
        "share": [*stage.getOrDefault("shares"), 1.0],
        "churned": (weights * churned[:, None]).sum(axis=0) / weights.sum(axis=0),
    }
    return pd.concat([pd.DataFrame(described), rates], axis="columns")
