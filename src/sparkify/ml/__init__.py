"""Estimators, transformers and statistics that do not depend on the project's tables.

Spark's Python workers import this package, so it loads nothing that they do not need.
"""
