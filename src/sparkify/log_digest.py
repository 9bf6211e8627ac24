"""The digest by which a log is known again, whatever its file names and its order."""

from typing import TypedDict

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


class LogDigest(TypedDict):
    """How many lines a log has, and the sum of their 64-bit hashes as a decimal number."""

    lines: int
    hash_sum: str


def line_hash() -> Column:
    """Return the 64-bit hash of the line in `value`."""
    return F.xxhash64("value")


def log_digest(lines: DataFrame) -> LogDigest:
    """Digest a log, one line per row in `value`, in one pass over its text."""
    count, total = count_and_hash_sum(lines, line_hash())
    return LogDigest(lines=count, hash_sum=str(total))


def count_and_hash_sum(rows: DataFrame, hashed: Column) -> tuple[int, int]:
    """Return how many rows there are and the sum of their 64-bit hashes: no order changes it."""
    digest = rows.agg(
        F.count("*").alias("rows"), F.sum(hashed.cast("decimal(20,0)")).alias("hash_sum")
    ).first()
    assert digest is not None  # noqa: S101 -- an aggregate without keys always has one row
    return digest["rows"], int(digest["hash_sum"] or 0)
