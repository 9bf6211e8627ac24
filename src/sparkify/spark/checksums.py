"""Checksums of tables and logs that depend neither on row order nor on file names."""

from collections.abc import Mapping
from typing import Any, TypedDict

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from sparkify.spark.functions import collect_one_row

HALF = 32  # bits of a hash that are summed at once: sums of 2^31 halves fit 64 bits


class LogDigest(TypedDict):
    """Number of records of a log, and the sum of their 64-bit hashes as a decimal number."""

    lines: int
    hash_sum: str


def record_hash() -> Column:
    """Return the 64-bit hash of the record in `value`."""
    return F.xxhash64("value")


def log_digest(records: DataFrame) -> LogDigest:
    """Return the digest of a log with one record per row in `value`; reads its text once."""
    count, total = count_and_hash_sum(records, record_hash())
    return LogDigest(lines=count, hash_sum=str(total))


def count_and_hash_sum(rows: DataFrame, hashed: Column) -> tuple[int, int]:
    """Return the number of rows and the sum of their 64-bit hashes, whatever their order."""
    digest = collect_one_row(rows.agg(F.count("*").alias("rows"), *sum_hash_halves(hashed)))
    return digest["rows"], add_hash_halves(digest)


def sum_hash_halves(hashed: Column) -> list[Column]:
    """Return the sums of the upper and the lower halves of hashes, as `upper` and `lower`.

    A sum of whole hashes does not fit 64 bits, and Spark's decimals are ten times slower.
    """
    lower = hashed.bitwiseAND(F.lit(2**HALF - 1))
    return [F.sum(F.shiftright(hashed, HALF)).alias("upper"), F.sum(lower).alias("lower")]


def add_hash_halves(sums: Mapping[str, Any] | Row) -> int:
    """Return the sum of hashes from a row with the sums of their halves."""
    upper, lower = (int(sums[half] or 0) for half in ("upper", "lower"))
    return (upper << HALF) + lower
