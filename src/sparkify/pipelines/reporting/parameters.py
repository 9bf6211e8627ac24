"""Parameters of the report."""

from pydantic import PositiveInt

from sparkify.schemas.parameters import Parameters


class ReportingParameters(Parameters):
    """How much of the lists the report shows; `reporting` in conf/."""

    contacts_shown: PositiveInt
