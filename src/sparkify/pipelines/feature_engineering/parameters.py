"""What can be set about snapshots and features."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator


class FeatureEngineeringParameters(BaseModel):
    """Which moments are looked at, and what is counted; `feature_engineering` in conf/."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon_days: PositiveInt
    cutoff_step_days: PositiveInt
    min_history_days: PositiveInt
    log_end_tolerance_hours: float = Field(ge=0, lt=24)
    windows_days: tuple[PositiveInt, ...]
    pages: dict[str, str]
    song_page: str
    advert_page: str
    cancellation_page: str
    prior_songs: float = Field(gt=0)

    @model_validator(mode="after")
    def _special_pages_are_counted(self) -> Self:
        for name in (self.song_page, self.advert_page):
            if name not in self.pages.values():
                raise ValueError(f"page '{name}' is not among feature_engineering.pages")
        return self
