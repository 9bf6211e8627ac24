"""Parameters of scores and contacts."""

from datetime import date
from typing import Literal

from pydantic import Field, PositiveInt

from sparkify.schemas.parameters import Parameters, SampleShare, Seed, Share


class Prices(Parameters):
    """Revenue of a customer by level, in dollars per month."""

    free: float = Field(ge=0)
    paid: float = Field(ge=0)


class ValueParameters(Parameters):
    """Value of a customer; without prices, `evaluation.decision.kept_customer_value`."""

    prices: Prices | None
    margin: float = Field(gt=0, le=1)
    annual_discount_rate: float = Field(ge=0, lt=1)
    months: int = Field(ge=1, le=60)


class ScoringParameters(Parameters):
    """Cutoff, reasons, curves, values of customers, and control group; `scoring` in conf/."""

    cutoff: date | None
    reasons: PositiveInt
    min_contribution_share: float = Field(ge=0, lt=1)
    min_exposure: float = Field(ge=0)
    max_contacts: PositiveInt
    curve_days: PositiveInt
    value: ValueParameters
    control_share: Literal[0] | SampleShare
    lasting_control_share: Literal[0] | SampleShare
    control_seed: Seed
    wanted_power: Share
    max_plausible_success: Share
