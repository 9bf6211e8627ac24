import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from sparkify.spark.functions import collect_one_row, is_in_share, to_sorted_pandas

LEAST_LONG, MOST_LONG = -(2**63), 2**63 - 1


def test_rows_are_sorted_with_any_partitions(spark: SparkSession) -> None:
    rows = [("b", 1), ("a", 2), ("é", 1), ("a", 1), ("10", 3), ("9", 3)]
    frame = spark.createDataFrame(rows, "name string, place int").repartition(3)
    ordered = to_sorted_pandas(frame, "name", "place")
    assert list(ordered.itertuples(name=None)) == [
        (0, "10", 3),
        (1, "9", 3),
        (2, "a", 1),
        (3, "a", 2),
        (4, "b", 1),
        (5, "é", 1),
    ]
    in_spark = [tuple(row) for row in frame.orderBy("name", "place").collect()]
    assert list(ordered.itertuples(name=None, index=False)) == in_spark


def test_an_aggregate_without_keys_has_one_row(spark: SparkSession) -> None:
    for rows in (0, 3):
        (count,) = collect_one_row(spark.range(rows).selectExpr("count(*)"))
        assert count == rows


def hash_id() -> Column:
    return F.xxhash64("id")


@pytest.mark.parametrize(("share", "rows"), [(0.0, 0), (0.25, 250), (1.0, 1_000)])
def test_a_share_selects_its_number_of_permilles(
    spark: SparkSession, share: float, rows: int
) -> None:
    hashes = spark.range(-500, 500)
    assert hashes.where(is_in_share(F.col("id"), share)).count() == rows


@pytest.mark.parametrize(
    ("share", "rows"), [(0.0004, 400), (0.00003, 30), (0.1234, 123_400), (0.9996, 999_600)]
)
def test_a_share_is_not_rounded_to_the_permille(
    spark: SparkSession, share: float, rows: int
) -> None:
    selected = spark.range(1_000_000).where(is_in_share(hash_id(), share)).count()
    assert selected == pytest.approx(rows, abs=4 * (1_000_000 * share * (1 - share)) ** 0.5)


def test_a_share_of_whole_permilles_selects_only_by_the_modulo(spark: SparkSession) -> None:
    rows = spark.range(10_000)
    differing = is_in_share(hash_id(), 0.1) != (F.pmod(hash_id(), F.lit(1_000)) < 100)
    assert rows.where(differing).count() == 0


def test_a_larger_share_has_every_row_of_a_smaller_one(spark: SparkSession) -> None:
    smaller, larger = is_in_share(hash_id(), 0.0123), is_in_share(hash_id(), 0.0127)
    assert spark.range(100_000).where(smaller & ~larger).count() == 0


def test_share_1_selects_every_hash_and_share_0_none(spark: SparkSession) -> None:
    ends = spark.createDataFrame([(LEAST_LONG,), (MOST_LONG,)], "id long")
    assert ends.where(is_in_share(F.col("id"), 1.0)).count() == 2
    assert ends.where(is_in_share(F.col("id"), 0.0)).count() == 0
