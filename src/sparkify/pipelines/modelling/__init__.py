"""Modelling: a champion among candidates, judged on a held-out time."""

from sparkify.pipelines.modelling.pipeline import create_pipeline

__all__ = ["create_pipeline"]
