"""Monitoring: what has changed since the model was trained, and how its forecasts came true."""

from sparkify.pipelines.monitoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
