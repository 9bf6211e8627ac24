"""Numbers and comparisons as text, for the run's log, the report, figures and the notebook."""
