"""Modelling: the challenger, selected from candidates by cross-validation."""

from sparkify.pipelines.modelling.pipeline import create_pipeline

__all__ = ["create_pipeline"]
