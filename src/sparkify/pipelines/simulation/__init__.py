"""Simulation: a listening log like the published one, for those who have none."""

from sparkify.pipelines.simulation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
