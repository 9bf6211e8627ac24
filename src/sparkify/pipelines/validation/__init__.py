"""Validation: how far the champion's figures can be believed, and what they depend on."""

from sparkify.pipelines.validation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
