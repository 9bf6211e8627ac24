import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from sparkify.spark.functions import (
    collect_one_row,
    is_in_share,
    sample_users,
    to_sorted_pandas,
)

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


@given(
    users=st.lists(
        st.tuples(st.text(max_size=3), st.integers(1, 4)), unique_by=lambda pair: pair[0]
    ),
    max_rows=st.integers(1, 40),
    partitions=st.tuples(st.integers(1, 5), st.integers(1, 5)),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_sample_has_whole_users_for_any_partitions_and_all_of_them_below_its_bound(
    spark: SparkSession,
    users: list[tuple[str, int]],
    max_rows: int,
    partitions: tuple[int, int],
) -> None:
    keys = [(user, day) for user, days in users for day in range(days)]
    frame = spark.createDataFrame(keys, "user_id string, day int")
    samples = [
        {
            (row["user_id"], row["day"])
            for row in sample_users(
                frame.repartition(parts), max_rows, len(keys), "test", 7
            ).collect()
        }
        for parts in partitions
    ]
    assert samples[0] == samples[1]
    selected = {user for user, _ in samples[0]}
    assert samples[0] == {key for key in keys if key[0] in selected}
    if len(keys) <= max_rows:
        assert samples[0] == set(keys)


def test_a_sample_has_about_its_maximum_of_rows_and_differs_by_purpose(
    spark: SparkSession,
) -> None:
    frame = spark.range(100_000).selectExpr("string(id) AS user_id")
    training, holdout = (
        sample_users(frame, 10_000, 100_000, purpose, 7) for purpose in ("training", "holdout")
    )
    assert training.count() == pytest.approx(10_000, abs=4 * 95)
    both = training.join(holdout, on="user_id", how="inner").count()
    assert both == pytest.approx(1_000, abs=4 * 32)  # a tenth of a tenth: independent
