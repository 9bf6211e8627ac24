"""Leave out the records of customers to forget."""

from collections.abc import Sequence

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.errors import UserError
from sparkify.spark.checksums import record_hash

ID_COLUMN = "user_id"


class CustomersToForgetError(UserError):
    """The table of customers to forget has no column of their ids."""


def list_ids(customers_to_forget: pd.DataFrame | None) -> list[str]:
    """Return the sorted ids of the customers to forget; none without a table.

    Raises:
        CustomersToForgetError: if the table has no column `user_id`.
    """
    if customers_to_forget is None:
        return []
    if ID_COLUMN not in customers_to_forget.columns:
        raise CustomersToForgetError(
            f"customers_to_forget has no column {ID_COLUMN}. Write one customer's id per line "
            f"below the header {ID_COLUMN}."
        )
    ids = customers_to_forget[ID_COLUMN].dropna().astype(str).str.strip()
    return sorted({*ids} - {""})


def drop_customers(checked: DataFrame, ids: Sequence[str]) -> DataFrame:
    """Return the rows of a table that are not of these customers.

    A record that cannot be read has no customer. It is left out if its text has one of the ids.
    """
    if not ids:
        return checked
    table = checked.sparkSession.createDataFrame([(one,) for one in ids], f"{ID_COLUMN} string")
    others = checked.join(F.broadcast(table), on=ID_COLUMN, how="left_anti")
    if "line" not in checked.columns:
        return others.select(*checked.columns)
    return others.where(~_is_unreadable_with_id(ids)).select(*checked.columns)


def _is_unreadable_with_id(ids: Sequence[str]) -> Column:
    named = F.exists(F.array(*map(F.lit, ids)), lambda one: F.contains(F.col("line"), one))
    return F.col(ID_COLUMN).isNull() & F.col("line").isNotNull() & named


def count_by_file(records: DataFrame, checked: DataFrame, ids: Sequence[str]) -> dict[str, int]:
    """Return the number of records in each file that `drop_customers` leaves out.

    Args:
        records: the log's records, with their `file`.
        checked: the same records, typed.
        ids: the customers.
    """
    is_theirs = F.col(ID_COLUMN).isin([*ids]) | _is_unreadable_with_id(ids)
    theirs = checked.where(is_theirs).select("record_hash").distinct()
    hashed = records.select("file", record_hash().alias("record_hash"))
    found = hashed.join(F.broadcast(theirs), on="record_hash", how="left_semi")
    counts = found.groupBy("file").count().orderBy("file").collect()
    return {row["file"]: row["count"] for row in counts}
