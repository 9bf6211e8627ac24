"""Drafts of the settings for an unknown log, without Spark."""

from sparkify.inspection.draft import draft_settings

__all__ = ["draft_settings"]
