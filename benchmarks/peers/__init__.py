"""The same work with other tools; each module is a program, `python -m ... LOG FOLDER`."""
