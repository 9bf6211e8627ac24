"""How Spark is started and used: Java, session settings, scratch folder, shared functions."""
