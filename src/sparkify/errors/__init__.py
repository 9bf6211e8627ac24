"""Errors that the user can correct, and their messages."""


class UserError(Exception):
    """An error that the user can correct: `kedro run` shows its message without a traceback.

    The message says what is wrong, where (dataset, column, parameter) and what to do. A bug has
    another type and keeps its traceback.
    """


class TooLittleDataError(UserError):
    """The log has too few days, customers or outcomes for the run.

    If a share of its lines was rejected, the run adds that share to the message.
    """
