"""How services write event logs: files, JSON, times. Imports neither Kedro nor Spark."""
