"""Simulation: a listening log like the published one."""

from sparkify.pipelines.simulation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
