"""The same work done by others: each module is a program of its own, `python -m ... LOG FOLDER`."""
