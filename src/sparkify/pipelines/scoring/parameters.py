"""What can be set about scores and contacts."""

from datetime import date
from typing import Literal

from pydantic import Field, PositiveInt

from sparkify.schemas.parameters import Parameters, Seed, ShareByHash


class ScoringParameters(Parameters):
    """The moment that is scored, its reasons, and who is not contacted; `scoring` in conf/."""

    cutoff: date | None
    reasons: PositiveInt
    least_of_strongest: float = Field(ge=0, lt=1)
    least_of_prior: float = Field(ge=0)
    control_share: Literal[0] | ShareByHash
    control_seed: Seed
