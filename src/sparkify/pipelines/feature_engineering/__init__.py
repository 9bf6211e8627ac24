"""Feature engineering: events, user days, snapshots with labels, and features."""

from sparkify.pipelines.feature_engineering.pipeline import create_pipeline

__all__ = ["create_pipeline"]
