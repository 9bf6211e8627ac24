"""What is done about few churners among many customers, inside of the training rows only."""

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
    """More rows than can be resampled on one machine."""


def balanced(train: DataFrame, names: list[str], parameters: ModellingParameters) -> DataFrame:
    """Return training rows with `inputs`, `label` and `weight`, as `modelling.imbalance` says.

    `names` are those of the inputs, in their order.

    `none` weighs all rows alike. `weights` gives churners and others the same weight together.
    `smote` adds invented churners between real ones until there are as many (Chawla et al.
    2002, by imbalanced-learn); it works on one machine.

    Raises:
        TooManyRowsError: if there are more rows than `modelling.smote_most_rows` for `smote`.
    """
    plain = train.withColumn(WEIGHT, F.lit(1.0))
    if parameters.imbalance == "none":
        return plain
    counts = collect_one_row(train.agg(F.count("*").alias("rows"), F.sum(LABEL).alias("churned")))
    rows, churned = counts["rows"], counts["churned"]
    if churned in (0, rows):
        return plain
    if parameters.imbalance == "weights":
        of_churner, of_other = rows / (2 * churned), rows / (2 * (rows - churned))
        is_churner = F.col(LABEL) == 1.0
        return train.withColumn(WEIGHT, F.when(is_churner, of_churner).otherwise(of_other))
    if rows > parameters.smote_most_rows:
        raise TooManyRowsError(
            f"modelling.imbalance smote: {rows:,} training rows are more than the "
            f"{parameters.smote_most_rows:,} of modelling.smote_most_rows; SMOTE works on one "
            f"machine. Take `weights` or `none`, or raise the limit."
        )
    return _with_invented_churners(plain, names, int(churned), parameters)


def _with_invented_churners(
    train: DataFrame, names: list[str], churned: int, parameters: ModellingParameters
) -> DataFrame:
    if churned < 2 or 2 * churned >= train.count():
        return train
    seen = train.select(*KEYS, vector_to_array(F.col(INPUTS)).alias(INPUTS), LABEL)
    known = to_sorted_pandas(seen, *KEYS)
    # Each is put between a churner and one of its nearest; few churners have few neighbours.
    smote = SMOTE(random_state=parameters.seed, k_neighbors=min(5, churned - 1))
    inputs, label = smote.fit_resample(known[INPUTS].tolist(), known[LABEL])
    rows = pd.DataFrame(inputs, columns=names).assign(**{LABEL: label, WEIGHT: 1.0})
    rows["place"] = range(len(rows))
    mixed = train.sparkSession.createDataFrame(rows)
    # XGBoost takes partitions that come from a shuffle only.
    in_order = mixed.repartition(parameters.partitions, "place").sortWithinPartitions("place")
    return VectorAssembler(inputCols=names, outputCol=INPUTS).transform(in_order)
