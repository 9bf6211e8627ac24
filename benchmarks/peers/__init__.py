"""The same work by other tools: each module is a program, `python -m ... LOG FOLDER`."""
