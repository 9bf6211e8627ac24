"""Kedro hooks, one module each; settings.py lists them."""
