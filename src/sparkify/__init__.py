"""Churn forecasts from an event log."""

__version__ = "0.9.0"
