"""The project's own datasets."""

from sparkify.datasets.event_log import EventLogDataset
from sparkify.datasets.files import CSVDataset, JSONDataset, MatplotlibDataset, ParquetDataset
from sparkify.datasets.optional_json import OptionalJSONDataset
from sparkify.datasets.parquet_table import ParquetTableDataset
from sparkify.datasets.spark_ml_model import SparkMLModelDataset

__all__ = [
    "CSVDataset",
    "EventLogDataset",
    "JSONDataset",
    "MatplotlibDataset",
    "OptionalJSONDataset",
    "ParquetDataset",
    "ParquetTableDataset",
    "SparkMLModelDataset",
]
