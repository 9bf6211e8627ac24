"""Data processing: check every record of the log once."""

from sparkify.pipelines.data_processing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
