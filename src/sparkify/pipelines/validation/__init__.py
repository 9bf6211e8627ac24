"""Validation: how reliable the champion's metrics are, and what they depend on."""

from sparkify.pipelines.validation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
