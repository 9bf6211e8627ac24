"""Reporting: what is known about a run, for people."""

from sparkify.pipelines.reporting.pipeline import create_pipeline

__all__ = ["create_pipeline"]
