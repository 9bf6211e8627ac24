"""Data processing: every line of the log checked once."""

from sparkify.pipelines.data_processing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
