"""Find configured pages without events, and customers who return after a cancellation."""

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.errors import TooLittleDataError
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.spark.functions import collect_one_row

CANCELLATION_PARAMETER = "feature_engineering.cancellation_page"
MAX_NAMED_PAGES = 10  # most frequent pages listed in an error message


class MissingPageError(TooLittleDataError):
    """The log has no event on a page of the outcome."""


def find_missing_pages(
    user_days: DataFrame, feature_engineering: FeatureEngineeringParameters
) -> dict[str, str]:
    """Return the configured pages without events, by parameter."""
    columns = ["cancellations", *feature_engineering.pages]
    totals = collect_one_row(user_days.agg(*(F.sum(name).alias(name) for name in columns)))
    pages = {"cancellations": feature_engineering.cancellation_page, **feature_engineering.pages}
    return {_name_parameter(column): page for column, page in pages.items() if not totals[column]}


def _name_parameter(column: str) -> str:
    """Return the parameter that sets the page of a user_days column."""
    return (
        CANCELLATION_PARAMETER
        if column == "cancellations"
        else f"feature_engineering.pages.{column}"
    )


def count_returning_customers(
    events: DataFrame, user_days: DataFrame, feature_engineering: FeatureEngineeringParameters
) -> dict[str, Any]:
    """Return the number of customers with events after a cancellation, and of these events.

    `user_days` limits the events to read to those of such customers.
    """
    is_cancellation = F.col("cancellations") > 0
    by_user = user_days.groupBy("user_id").agg(
        F.min(F.when(is_cancellation, F.col("day"))).alias("cancelled_on"),
        F.max("day").alias("last_day"),
        F.max(F.when(is_cancellation, ~F.col("ends_cancelled"))).alias("continues"),
        F.max("cancellations").alias("max_per_day"),
    )
    has_returned = (F.col("last_day") > F.col("cancelled_on")) | F.col("continues")
    has_returned |= F.col("max_per_day") > 1
    returning = by_user.where(F.col("cancelled_on").isNotNull() & has_returned).select("user_id")
    customers, events_after = 0, 0
    if not returning.isEmpty():
        their_events = events.join(F.broadcast(returning), on="user_id", how="left_semi")
        position = F.struct("ts", "item_in_session")
        cancelled = their_events.where(F.col("page") == feature_engineering.cancellation_page)
        first = cancelled.groupBy("user_id").agg(F.min(position).alias("first_cancellation"))
        after = their_events.join(F.broadcast(first), on="user_id", how="inner").where(
            position > F.col("first_cancellation")
        )
        counts = after.agg(F.count_distinct("user_id").alias("users"), F.count("*").alias("events"))
        customers, events_after = collect_one_row(counts)
    return {
        "customers": customers,
        "events": events_after,
        "treated_as": feature_engineering.returning_customers,
    }


def list_needed_pages(
    missing: dict[str, str], feature_engineering: FeatureEngineeringParameters
) -> dict[str, str]:
    """Return the missing pages, except a cancellation page that the outcome does not need."""
    if "cancellations" in feature_engineering.outcome_columns:
        return missing
    return {
        parameter: page
        for parameter, page in missing.items()
        if parameter != CANCELLATION_PARAMETER
    }


def require_outcome_page(
    event_summary: dict[str, Any], feature_engineering: FeatureEngineeringParameters
) -> None:
    """Stop if the log has no event on any page of the outcome.

    Raises:
        MissingPageError: with the page, the parameter, and the log's most frequent pages.
    """
    parameters = [_name_parameter(column) for column in feature_engineering.outcome_columns]
    if parameters:
        _require_any_page(
            event_summary,
            parameters,
            f"the outcome {feature_engineering.outcome}",
            "Set the parameter to the page that confirms it. For a service without such a page "
            "set feature_engineering.outcome to inactivity.",
        )


def require_cancellation_page(event_summary: dict[str, Any]) -> None:
    """Stop if the cancellation page has no event in the log.

    Raises:
        MissingPageError: with the page, the parameter, and the log's most frequent pages.
    """
    remedy = "Set the parameter to the page that confirms a cancellation."
    _require_any_page(event_summary, [CANCELLATION_PARAMETER], "who cancelled", remedy)


def _require_any_page(
    event_summary: dict[str, Any], parameters: list[str], what: str, remedy: str
) -> None:
    missing = event_summary["missing_pages"]
    absent = [f"'{missing[name]}' ({name})" for name in parameters if name in missing]
    if len(absent) < len(parameters):
        return
    pages = list(event_summary["pages"].items())[:MAX_NAMED_PAGES]
    listed = ", ".join(f"'{page}' ({count:,})" for page, count in pages)
    raise MissingPageError(
        f"events: no event on page {' or '.join(absent)}, which shows {what}. The log's most "
        f"frequent pages: {listed}. {remedy}"
    )
