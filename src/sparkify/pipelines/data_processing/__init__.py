"""Data processing: every record of the log is checked once."""

from sparkify.pipelines.data_processing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
