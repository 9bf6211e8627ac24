"""Start and use Spark: Java check, session settings, scratch folder, shared functions."""
