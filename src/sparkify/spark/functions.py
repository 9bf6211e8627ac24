"""Functions on Spark columns and DataFrames that several pipelines share."""

import pandas as pd
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

PERMILLE = 1_000
PARTS_PER_PERMILLE = 1_000_000_000


def is_in_share(hash_value: Column, share: float) -> Column:
    """Return whether a row is in a share of all rows, by a 64-bit hash of its key.

    The share is exact to 1e-12. The hash modulo 1,000 selects permilles, and the quotient selects
    rows within the last one. So a smaller share is a subset of a larger one, and a share of whole
    permilles depends on the modulo only.
    """
    rest = F.pmod(F.call_function("div", hash_value, F.lit(PERMILLE)), F.lit(PARTS_PER_PERMILLE))
    position = F.pmod(hash_value, F.lit(PERMILLE)) * F.lit(PARTS_PER_PERMILLE) + rest
    return position < round(share * PERMILLE * PARTS_PER_PERMILLE)


def sample_users(rows: DataFrame, max_rows: int, total: int, purpose: str, seed: int) -> DataFrame:
    """Return the rows of a share of users, by hash: about `max_rows` of a table's `total` rows.

    The rows of a user are all in the sample or all out. The number of rows varies around the
    maximum by chance, with one row per user by 0.1 % at a million. A smaller maximum selects
    a subset of the users of a larger one. Returns all rows if there are no more than `max_rows`.

    Args:
        rows: a table with `user_id`.
        max_rows: the wanted number of rows.
        total: the number of rows of the table.
        purpose: samples for different purposes are independent of each other.
        seed: another seed gives another sample.
    """
    if total <= max_rows:
        return rows
    hashed = F.xxhash64("user_id", F.lit(purpose), F.lit(seed))
    return rows.where(is_in_share(hashed, max_rows / total))


def to_sorted_pandas(frame: DataFrame, *keys: str) -> pd.DataFrame:
    """Collect a DataFrame to pandas, sorted by its key columns.

    Sorting on the driver avoids a range shuffle.
    """
    rows: pd.DataFrame = frame.toPandas()
    return rows.sort_values(list(keys), ignore_index=True)


def collect_one_row(aggregate: DataFrame) -> Row:
    """Collect the only row of an aggregate without keys; it exists even for an empty input."""
    (row,) = aggregate.collect()
    return row
