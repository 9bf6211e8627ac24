"""Feature engineering: what was known about each customer at each cutoff."""

from sparkify.pipelines.feature_engineering.pipeline import create_pipeline

__all__ = ["create_pipeline"]
