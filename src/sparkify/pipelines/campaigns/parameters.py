"""Parameters of the effects of campaigns and of the movements of customers."""

from typing import Annotated

from pydantic import Field, PositiveInt

from sparkify.schemas.parameters import Parameters, Unique


class CampaignParameters(Parameters):
    """Which campaigns are evaluated, and when a customer is quiet; `campaigns` in conf/."""

    max_campaigns: PositiveInt
    min_churned: PositiveInt
    programme_days: Annotated[tuple[PositiveInt, ...], Field(min_length=1), Unique]
    silent_after_days: PositiveInt
    movement_weeks: PositiveInt
    retention_cohorts: PositiveInt
    retention_weeks: Annotated[tuple[PositiveInt, ...], Field(min_length=1), Unique]
