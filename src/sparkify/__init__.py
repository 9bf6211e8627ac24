"""Churn forecasts from an event log."""

__version__ = "0.10.0"
