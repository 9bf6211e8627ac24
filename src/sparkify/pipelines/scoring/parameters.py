"""What can be set about scores and contacts."""

from datetime import date

from pydantic import Field, PositiveInt

from sparkify.pipelines.modelling.parameters import Parameters


class ScoringParameters(Parameters):
    """The moment that is scored, its reasons, and who is not contacted; `scoring` in conf/."""

    cutoff: date | None
    reasons: PositiveInt
    least_of_strongest: float = Field(ge=0, lt=1)
    least_of_prior: float = Field(ge=0)
    control_share: float = Field(ge=0, lt=1)
    control_seed: int
