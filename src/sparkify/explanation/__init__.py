"""Why a model forecasts what it does, of each customer.

Spark's Python workers import this package: it loads nothing that they do not need, and nothing
else of the project.
"""
