"""Parameters of scores and contacts."""

from datetime import date
from typing import Literal

from pydantic import Field, PositiveInt

from sparkify.schemas.parameters import Parameters, SampleShare, Seed, Share


class ScoringParameters(Parameters):
    """The cutoff to score, the reasons, and the control group; `scoring` in conf/."""

    cutoff: date | None
    reasons: PositiveInt
    least_of_strongest: float = Field(ge=0, lt=1)
    least_of_prior: float = Field(ge=0)
    control_share: Literal[0] | SampleShare
    lasting_control_share: Literal[0] | SampleShare
    control_seed: Seed
    wanted_power: Share
    max_plausible_success: Share
