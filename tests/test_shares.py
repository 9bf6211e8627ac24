import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sparkify.shares import is_in_share


@pytest.mark.parametrize(("share", "rows"), [(0.0, 0), (0.25, 250), (1.0, 1_000)])
def test_a_share_has_so_many_of_a_thousand_hashes(
    spark: SparkSession, share: float, rows: int
) -> None:
    hashes = spark.range(-500, 500)
    assert hashes.where(is_in_share(F.col("id"), share)).count() == rows
