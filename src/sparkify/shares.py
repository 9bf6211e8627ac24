"""A share of rows, by hash: the same rows whatever their order and their partitions."""

from pyspark.sql import Column
from pyspark.sql import functions as F

PERMILLE = 1_000


def is_in_share(hashed: Column, share: float) -> Column:
    """Return whether a row is of a share of all, to the permille, by a hash of what names it."""
    return F.pmod(hashed, F.lit(PERMILLE)) < round(share * PERMILLE)
