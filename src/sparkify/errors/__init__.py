"""Errors that the user can correct."""


class UserError(Exception):
    """An error that the user can correct: `kedro run` shows its message without a traceback.

    The message says what is wrong, where (dataset, column, parameter) and what to do. An error of
    the code itself has another type and keeps its traceback.
    """


class TooLittleDataError(UserError):
    """The log has too few days, customers or outcomes for what was asked.

    If a share of its lines was rejected, the run says so beside this error.
    """
