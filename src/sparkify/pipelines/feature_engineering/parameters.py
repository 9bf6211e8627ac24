"""Parameters of snapshots and features."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from sparkify.errors.parameter_errors import format_choice
from sparkify.schemas import NewColumnName, feature_columns, user_day_columns
from sparkify.schemas.parameters import Parameters, Unique, reserved_name, wrong_value
from sparkify.schemas.table import ColumnName


class FeatureEngineeringParameters(Parameters):
    """Cutoffs, labels and counted pages; `feature_engineering` in conf/."""

    outcome: Literal["cancellation", "downgrade", "either", "inactivity"]
    returning_customers: Literal["return", "final"]
    horizon_days: PositiveInt
    active_within_days: PositiveInt
    cutoff_step_days: PositiveInt
    min_history_days: PositiveInt
    log_end_tolerance_hours: float = Field(ge=0, lt=24)
    max_gap_days: PositiveInt
    windows_days: Annotated[tuple[PositiveInt, ...], Field(min_length=1), Unique]
    pages: dict[NewColumnName, str]
    by_level: Annotated[tuple[ColumnName, ...], Unique]
    windowed: Annotated[tuple[ColumnName, ...], Unique]
    cancellation_page: str
    song_page: str
    downgrade_page: str

    @model_validator(mode="before")
    @classmethod
    def _default_to_pages(cls, values: Any) -> Any:
        """Set a song page or downgrade page of null to the page of its default column."""
        if not isinstance(values, dict) or not isinstance(values.get("pages"), dict):
            return values
        columns = {"song_page": "next_song", "downgrade_page": "submit_downgrade"}
        pages = {name: values["pages"].get(column) for name, column in columns.items()}
        return values | {name: values.get(name) or page for name, page in pages.items()}

    @model_validator(mode="after")
    def _require_counted_pages(self) -> Self:
        pages = {"song_page": self.song_page}
        if self.outcome in ("downgrade", "either"):
            pages["downgrade_page"] = self.downgrade_page
        for name, page in pages.items():
            if page not in self.pages.values():
                raise wrong_value(name, page, format_choice("page", page, [*self.pages.values()]))
        columns = {"by_level": [*self.pages], "windowed": [*self.pages, "sessions"]}
        for name, allowed in columns.items():
            for column in getattr(self, name):
                if column not in allowed:
                    raise wrong_value(
                        name, column, format_choice("name of a page", column, allowed)
                    )
        return self

    @model_validator(mode="after")
    def _require_distinct_columns(self) -> Self:
        user_days = user_day_columns(self.pages, self.by_level)
        for columns in (user_days, self.feature_columns):
            for name in self.pages:
                if columns.count(name) > 1:
                    raise reserved_name(f"pages.{name}")
        return self

    @property
    def feature_columns(self) -> list[str]:
        """The columns of `features` without its keys."""
        columns = feature_columns(self.pages, self.by_level, self.windowed, self.windows_days)
        return [column.name for column in columns]

    @property
    def outcome_columns(self) -> list[str]:
        """The columns of user_days that count the outcome; empty for inactivity."""
        downgrades = [name for name, page in self.pages.items() if page == self.downgrade_page]
        return {
            "cancellation": ["cancellations"],
            "downgrade": downgrades,
            "either": ["cancellations", *downgrades],
            "inactivity": [],
        }[self.outcome]

    @property
    def prediction_task(self) -> dict[str, str | int]:
        """The settings that define what a model predicts.

        `active_within_days` is one of them only for inactivity, where it defines a customer.
        """
        task: dict[str, str | int] = {"outcome": self.outcome, "horizon_days": self.horizon_days}
        if self.outcome == "inactivity":
            task["active_within_days"] = self.active_within_days
        return task
