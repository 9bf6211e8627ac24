"""Scoring: probabilities of current customers, their reasons, and a list of contacts."""

from sparkify.pipelines.scoring.pipeline import create_pipeline

__all__ = ["create_pipeline"]
