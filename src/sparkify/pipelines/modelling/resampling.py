"""Remedies for class imbalance, applied to training rows only."""

import pandas as pd
from imblearn.over_sampling import SMOTE
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.errors import UserError
from sparkify.pipelines.modelling.inputs import INPUTS, LABEL, WEIGHT
from sparkify.pipelines.modelling.parameters import ModellingParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import collect_one_row, to_sorted_pandas


class TooManyRowsError(UserError):
    """There are more rows than one machine can resample."""


def balance_classes(
    train: DataFrame, names: list[str], parameters: ModellingParameters
) -> DataFrame:
    """Return training rows with `inputs`, `label` and `weight`, balanced by `modelling.imbalance`.

    `none` gives all rows the same weight. `weights` gives churners and non-churners the same total
    weight. `smote` adds synthetic churners until both classes have as many rows (Chawla et al.
    2002, by imbalanced-learn). It works on one machine, so it raises a TooManyRowsError above
    `modelling.smote_max_rows`. `names` are those of the inputs, in order.
    """
    equal = train.withColumn(WEIGHT, F.lit(1.0))
    if parameters.imbalance == "none":
        return equal
    counts = collect_one_row(train.agg(F.count("*").alias("rows"), F.sum(LABEL).alias("churned")))
    rows, churned = counts["rows"], counts["churned"]
    if churned in (0, rows):
        return equal
    if parameters.imbalance == "weights":
        churner, other = rows / (2 * churned), rows / (2 * (rows - churned))
        return train.withColumn(WEIGHT, F.when(F.col(LABEL) == 1.0, churner).otherwise(other))
    if rows > parameters.smote_max_rows:
        raise TooManyRowsError(
            f"modelling.imbalance smote: {rows:,} training rows are more than the "
            f"{parameters.smote_max_rows:,} of modelling.smote_max_rows; SMOTE works on one "
            f"machine. Set `weights` or `none`, or raise the limit."
        )
    if churned < 2 or 2 * churned >= rows:
        return equal
    return _add_synthetic_churners(equal, names, int(churned), parameters)


def _add_synthetic_churners(
    train: DataFrame, names: list[str], churned: int, parameters: ModellingParameters
) -> DataFrame:
    arrays = train.select(*KEYS, vector_to_array(F.col(INPUTS)).alias(INPUTS), LABEL)
    real = to_sorted_pandas(arrays, *KEYS)
    # A synthetic churner lies between a churner and one of its up to five nearest neighbours.
    smote = SMOTE(random_state=parameters.seed, k_neighbors=min(5, churned - 1))
    inputs, label = smote.fit_resample(real[INPUTS].tolist(), real[LABEL])
    rows = pd.DataFrame(inputs, columns=names).assign(**{LABEL: label, WEIGHT: 1.0})
    rows["place"] = range(len(rows))
    mixed = train.sparkSession.createDataFrame(rows)
    # XGBoost only accepts partitions that come from a shuffle.
    ordered = mixed.repartition(parameters.partitions, "place").sortWithinPartitions("place")
    return VectorAssembler(inputCols=names, outputCol=INPUTS).transform(ordered)
