"""What can be set about snapshots and features."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from sparkify.table import ColumnName


class FeatureEngineeringParameters(BaseModel):
    """Which moments are looked at, and what is counted; `feature_engineering` in conf/."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Literal["cancellation", "downgrade", "either"]
    returning_customers: Literal["return", "final"]
    horizon_days: PositiveInt
    cutoff_step_days: PositiveInt
    min_history_days: PositiveInt
    log_end_tolerance_hours: float = Field(ge=0, lt=24)
    most_days_without_events: PositiveInt
    windows_days: tuple[PositiveInt, ...]
    pages: dict[ColumnName, str]
    by_level: tuple[ColumnName, ...]
    windowed: tuple[ColumnName, ...]
    song_page: str
    cancellation_page: str
    downgrade_page: str

    @model_validator(mode="after")
    def _what_is_named_is_counted(self) -> Self:
        counted = [self.song_page]
        if self.outcome != "cancellation":
            counted.append(self.downgrade_page)
        for page in counted:
            if page not in self.pages.values():
                raise ValueError(f"page '{page}' is not among feature_engineering.pages")
        needed = {*self.by_level, *self.windowed} - ({"sessions"} - set(self.by_level))
        unknown = sorted(needed - set(self.pages))
        if unknown:
            raise ValueError(f"feature_engineering.pages has no {', '.join(unknown)}")
        return self

    @property
    def outcome_columns(self) -> list[str]:
        """The columns of user_days in which the outcome shows."""
        downgrades = [name for name, page in self.pages.items() if page == self.downgrade_page]
        return {
            "cancellation": ["cancellations"],
            "downgrade": downgrades,
            "either": ["cancellations", *downgrades],
        }[self.outcome]
