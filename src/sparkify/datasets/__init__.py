"""The dataset types of the project."""

from sparkify.datasets.csv_table import CSVTableDataset
from sparkify.datasets.dataset_group import DatasetGroup, SavedDatasetGroup
from sparkify.datasets.event_log import EventLogDataset
from sparkify.datasets.files import (
    CSVDataset,
    FigureDataset,
    JSONDataset,
    OptionalFigureDataset,
    OptionalJSONDataset,
    ParquetDataset,
    TextDataset,
)
from sparkify.datasets.optional_tables import OptionalPartitionedDataset, OptionalTableDataset
from sparkify.datasets.parquet_table import ParquetTableDataset
from sparkify.datasets.partitioned_table import PartitionedTableDataset
from sparkify.datasets.spark_ml_model import OptionalSparkMLModelDataset, SparkMLModelDataset

__all__ = [
    "CSVDataset",
    "CSVTableDataset",
    "DatasetGroup",
    "EventLogDataset",
    "FigureDataset",
    "JSONDataset",
    "OptionalFigureDataset",
    "OptionalJSONDataset",
    "OptionalPartitionedDataset",
    "OptionalSparkMLModelDataset",
    "OptionalTableDataset",
    "ParquetDataset",
    "ParquetTableDataset",
    "PartitionedTableDataset",
    "SavedDatasetGroup",
    "SparkMLModelDataset",
    "TextDataset",
]
