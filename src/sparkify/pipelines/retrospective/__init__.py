"""Retrospective: the seed project's task, which users ever cancelled; not a forecast."""

from sparkify.pipelines.retrospective.pipeline import create_pipeline

__all__ = ["create_pipeline"]
