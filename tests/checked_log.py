"""The tables that data processing makes from the records of a log, without files."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.log_formats.event_log import EventLogFiles
from sparkify.pipelines.data_processing import nodes
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.pipelines.feature_engineering.nodes import sum_user_days
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters

USABLE = {"accepted": 1, "rejected_share": 0.0, "max_rejected_share": 0.2}
MANIFESTS = {
    "checked_events": {"folders": {"0": "save=1/batch=0"}, "about": {"settings": {}}},
    **{"record_counts": {}, "repeated_events": {}, "page_counts": {}},
}


class CheckedLog(NamedTuple):
    """The first inputs of `summarize_data_quality`, in its order."""

    checked_events: DataFrame
    record_counts: dict[str, Any]
    repeated_events: DataFrame
    page_counts: DataFrame
    event_counts: DataFrame


def check_log(records: DataFrame, parameters: DataProcessingParameters) -> CheckedLog:
    """Return the tables of a log that is read as one batch."""
    return count_log(nodes.check_records(records, parameters), parameters)


def count_log(records: DataFrame, parameters: DataProcessingParameters) -> CheckedLog:
    """Return the tables of checked records."""
    checked = records.withColumn("batch", F.lit(0)).localCheckpoint()
    counts = nodes.count_records(checked, MANIFESTS, parameters)
    repeated = nodes.find_repeated_events(checked, counts, MANIFESTS).rows.localCheckpoint()
    pages = nodes.count_pages(checked, repeated, counts, MANIFESTS, parameters).rows
    return CheckedLog(checked, counts, repeated, pages, nodes.count_events(pages))


def summarize_log(
    tables: CheckedLog,
    parameters: DataProcessingParameters,
    record: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return `data_quality` of a log with a simulation record."""
    raw_events = EventLogFiles({}, "auto", lambda _: tables.checked_events, None, record or {})
    return nodes.summarize_data_quality(*tables, {"files": {}}, raw_events, parameters)


def sum_events_by_day(
    events: DataFrame, feature_engineering: FeatureEngineeringParameters
) -> DataFrame:
    """Return user_days of events."""
    pages = nodes.sum_events(events.withColumn("time_format", F.lit("ms")))
    return sum_user_days(pages, feature_engineering)
