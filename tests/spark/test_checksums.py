import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkify.spark.checksums import digest_log, record_hash

A_HASH = -8582455328737087284
LINES = ['{"ts":1,"userId":"1"}', "no JSON", '{"artist":"BjÃ¶rk"}', "no JSON"]


def log(spark: SparkSession, lines: list[str]) -> DataFrame:
    return spark.createDataFrame([(line,) for line in lines], "value string")


def test_a_line_s_hash_never_changes(spark: SparkSession) -> None:
    # A record written by one version of Spark has to be known again by the next.
    rows = (
        log(spark, ["", "a", '{"artist":"BjÃ¶rk"}']).select(record_hash().alias("hash")).collect()
    )
    assert [row["hash"] for row in rows] == [
        -7444071767201028348,
        A_HASH,
        1583812961468127273,
    ]


def test_a_digest_counts_the_lines_and_sums_their_hashes(spark: SparkSession) -> None:
    assert digest_log(log(spark, ["a", "a", "a"])) == {"lines": 3, "hash_sum": str(3 * A_HASH)}


def test_order_and_partitions_do_not_matter(spark: SparkSession) -> None:
    digest = digest_log(log(spark, LINES))
    assert digest_log(log(spark, LINES[::-1])) == digest
    assert digest_log(log(spark, LINES).repartition(3)) == digest


@pytest.mark.parametrize(
    "other",
    [
        LINES[:-1],
        [*LINES, ""],
        [*LINES[:-1], LINES[0]],
        [LINES[0] + " ", *LINES[1:]],
    ],
    ids=["one line less", "an empty line more", "another line twice", "a blank more"],
)
def test_another_log_has_another_digest(spark: SparkSession, other: list[str]) -> None:
    assert digest_log(log(spark, other)) != digest_log(log(spark, LINES))


def test_an_empty_log_has_a_digest(spark: SparkSession) -> None:
    assert digest_log(log(spark, [])) == {"lines": 0, "hash_sum": "0"}


def test_the_sum_is_exact_beyond_64_bits(spark: SparkSession) -> None:
    # Twenty times a hash this far from 0 leaves the range of a long.
    digest = digest_log(log(spark, ["a"]).selectExpr("explode(array_repeat(value, 20)) AS value"))
    assert digest == {"lines": 20, "hash_sum": str(20 * A_HASH)}
    assert abs(20 * A_HASH) > 2**63
