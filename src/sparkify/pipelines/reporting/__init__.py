"""Reporting: one page on the forecast, its quality and its limits."""

from sparkify.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
