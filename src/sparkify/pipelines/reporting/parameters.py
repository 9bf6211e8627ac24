"""Parameters of the report."""

from pydantic import PositiveInt

from sparkify.schemas.parameters import Parameters


class ReportingParameters(Parameters):
    """How much of the lists the report shows, and what may help; `reporting` in conf/.

    `actions` has an action by the label of a reason or segment.
    """

    model_output: str
    contacts_shown: PositiveInt
    contacts_searchable: PositiveInt
    actions: dict[str, str]
