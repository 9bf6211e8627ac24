"""Errors of a log that cannot be inspected."""

from sparkify.errors import UserError


class InspectionError(UserError):
    """The log is missing, empty or in a format that the project does not read."""
