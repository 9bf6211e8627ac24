"""Drafts of the settings for a log that nobody has described yet, without Spark."""

from sparkify.inspection.draft import draft_settings

__all__ = ["draft_settings"]
