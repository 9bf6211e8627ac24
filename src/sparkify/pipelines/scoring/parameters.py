"""Parameters of scores and contacts."""

from datetime import date
from typing import Literal

from pydantic import Field, PositiveInt

from sparkify.schemas.parameters import Parameters, SampleShare, Seed, Share


class ScoringParameters(Parameters):
    """Cutoff, number and strength of reasons, and control group; `scoring` in conf/."""

    cutoff: date | None
    reasons: PositiveInt
    min_contribution_share: float = Field(ge=0, lt=1)
    min_exposure: float = Field(ge=0)
    curve_days: PositiveInt
    control_share: Literal[0] | SampleShare
    lasting_control_share: Literal[0] | SampleShare
    control_seed: Seed
    wanted_power: Share
    max_plausible_success: Share
