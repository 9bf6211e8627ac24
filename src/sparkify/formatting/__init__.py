"""Numbers and comparisons as text, the same in log, report, figures and notebook."""
