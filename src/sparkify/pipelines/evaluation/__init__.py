"""Evaluation: how good the challenger and the champion are, and which is in service."""

from sparkify.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
