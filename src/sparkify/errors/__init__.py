"""Errors that the user can correct."""


class UserError(Exception):
    """An error that the user can correct: `kedro run` shows its message without a traceback.

    The message says what is wrong, where (dataset, column, parameter) and what to do. An error of
    the code itself has another type and keeps its traceback.
    """
