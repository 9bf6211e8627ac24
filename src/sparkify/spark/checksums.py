"""The digest by which a log is recognised, whatever its file names and its order."""

from collections.abc import Mapping
from typing import Any, TypedDict

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from sparkify.spark.functions import collect_one_row

HALF = 32  # bits of a hash that are summed at once: 2^31 of them fit a 64-bit integer


class LogDigest(TypedDict):
    """How many records a log has, and the sum of their 64-bit hashes as a decimal number."""

    lines: int
    hash_sum: str


def record_hash() -> Column:
    """Return the 64-bit hash of the record in `value`."""
    return F.xxhash64("value")


def log_digest(records: DataFrame) -> LogDigest:
    """Digest a log, one record per row in `value`, in one pass over its text."""
    count, total = count_and_hash_sum(records, record_hash())
    return LogDigest(lines=count, hash_sum=str(total))


def count_and_hash_sum(rows: DataFrame, hashed: Column) -> tuple[int, int]:
    """Return how many rows there are and the sum of their 64-bit hashes: no order changes it."""
    digest = collect_one_row(rows.agg(F.count("*").alias("rows"), *sum_hash_halves(hashed)))
    return digest["rows"], add_hash_halves(digest)


def sum_hash_halves(hashed: Column) -> list[Column]:
    """Return the sums of the upper and the lower halves of hashes, as `upper` and `lower`.

    A sum of the hashes themselves does not fit 64 bits, and Spark's decimals are ten times slower.
    """
    lower = hashed.bitwiseAND(F.lit(2**HALF - 1))
    return [F.sum(F.shiftright(hashed, HALF)).alias("upper"), F.sum(lower).alias("lower")]


def add_hash_halves(sums: Mapping[str, Any] | Row) -> int:
    """Return the sum of hashes from a row with the sums of their halves."""
    upper, lower = (int(sums[half] or 0) for half in ("upper", "lower"))
    return (upper << HALF) + lower
