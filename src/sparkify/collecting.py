"""Rows of Spark's brought to the driver, in an order of their own."""

import pandas as pd
from pyspark.sql import DataFrame, Row


def collected(rows: DataFrame, *by: str) -> pd.DataFrame:
    """Collect rows, ordered by columns that together name each of them.

    They are sorted here: Spark would first sample and shuffle them, for nothing where all of
    them come together.
    """
    frame: pd.DataFrame = rows.toPandas()
    return frame.sort_values(list(by), ignore_index=True)


def collect_one_row(aggregate: DataFrame) -> Row:
    """Collect the row of an aggregate without keys, which has one even where there are no rows."""
    (row,) = aggregate.collect()
    return row
