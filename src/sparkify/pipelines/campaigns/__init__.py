"""Campaigns: whether contacts kept customers, and how customers are lost."""

from sparkify.pipelines.campaigns.pipeline import create_pipeline

__all__ = ["create_pipeline"]
