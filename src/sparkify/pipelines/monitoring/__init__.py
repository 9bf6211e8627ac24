"""Monitoring: changes since the model was trained, and how past scores turned out."""

from sparkify.pipelines.monitoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
