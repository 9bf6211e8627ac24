"""From classifiers' vectors to the probability of churning."""

from functools import reduce

from pyspark.ml import Transformer
from pyspark.ml.functions import vector_to_array
from pyspark.ml.param.shared import HasInputCols, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.log_odds import LEAST, MOST

UNCALIBRATED = "uncalibrated"


class ChurnProbability(
    Transformer,
    HasInputCols,
    HasOutputCol,
    DefaultParamsReadable["ChurnProbability"],
    DefaultParamsWritable,
):
    """Takes the probability of the positive class out of a classifier's vector.

    Of several classifiers it is the one whose log-odds are the mean of theirs.
    """

    def __init__(self, inputCols: tuple[str, ...] = (), outputCol: str = "") -> None:  # noqa: N803 -- Spark ML's
        super().__init__()
        self._set(inputCols=list(inputCols), outputCol=outputCol)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        each = [_of_churning(name) for name in self.getInputCols()]
        if len(each) == 1:
            return dataset.withColumn(self.getOutputCol(), each[0])
        log_odds = [F.ln(one / (1 - one)) for one in each]
        mean = reduce(Column.__add__, log_odds) / len(log_odds)
        return dataset.withColumn(self.getOutputCol(), 1 / (1 + F.exp(-mean)))


def _of_churning(vector: str) -> Column:
    return F.greatest(F.lit(LEAST), F.least(F.lit(MOST), vector_to_array(F.col(vector))[1]))
