"""Estimators, transformers and statistics that know no table of the project.

Spark's Python workers import this package, so it loads nothing that they do not need.
"""
