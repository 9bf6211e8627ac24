"""Kedro hooks, one module each; settings.py lists them in the order of their calls."""
