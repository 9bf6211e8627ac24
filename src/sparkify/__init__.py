"""Churn forecasts from an event log."""

__version__ = "0.11.0"
