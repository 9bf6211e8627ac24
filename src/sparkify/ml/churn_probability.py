"""From a classifier's vector to the probability of churning."""

from pyspark.ml import Transformer
from pyspark.ml.functions import vector_to_array
from pyspark.ml.param.shared import HasInputCol, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.ml.log_odds import LEAST, MOST

UNCALIBRATED = "uncalibrated"


class ChurnProbability(
    Transformer,
    HasInputCol,
    HasOutputCol,
    DefaultParamsReadable["ChurnProbability"],
    DefaultParamsWritable,
):
    """Takes the probability of the positive class out of a classifier's vector."""

    def __init__(self, inputCol: str = "", outputCol: str = "") -> None:  # noqa: N803 -- Spark ML's
        super().__init__()
        self._set(inputCol=inputCol, outputCol=outputCol)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        churning = vector_to_array(F.col(self.getInputCol()))[1]
        within = F.greatest(F.lit(LEAST), F.least(F.lit(MOST), churning))
        return dataset.withColumn(self.getOutputCol(), within)
