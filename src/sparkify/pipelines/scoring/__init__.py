"""Scoring: who is about to leave, why, and whom to contact."""

from sparkify.pipelines.scoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
