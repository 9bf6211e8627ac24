"""What can be set about the checking of a log."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    StringConstraints,
    model_validator,
)

from sparkify.pipelines.data_processing.parsing import CORRUPT, FIELDS

# A key becomes part of patterns and of SQL: only a plain word can be one.
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
# The last day whose milliseconds, times the items of a session, fit 63 bits.
LAST_DAY = date(2109, 1, 1)


class DataProcessingParameters(BaseModel):
    """Which timestamps are possible and how much is reported; `data_processing` in conf/."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    earliest_event: date
    latest_event: date = Field(le=LAST_DAY)
    longest_song_seconds: PositiveInt
    examples_per_rejection: int = Field(ge=0)
    characters_per_line: PositiveInt
    most_unknown_columns: PositiveInt
    max_listed_pages: PositiveInt
    max_rejected_share: float = Field(ge=0, le=1)
    unknown_columns_share: float = Field(ge=0, le=1)
    fields: dict[str, Key]
    levels: dict[Literal["free", "paid"], tuple[str, ...]]

    @model_validator(mode="after")
    def _seconds_can_be_told_from_milliseconds(self) -> Self:
        if not 0 < self.earliest_ms < self.latest_ms < 1_000 * self.earliest_ms:
            raise ValueError(
                "data_processing.earliest_event must come before latest_event and after 1970, "
                "and the span between be under a factor of 1,000 in milliseconds since then"
            )
        return self

    @model_validator(mode="after")
    def _every_field_has_a_key_of_its_own(self) -> Self:
        if set(self.fields) != set(FIELDS):
            raise ValueError(f"data_processing.fields has to name {', '.join(FIELDS)}, no others")
        _refuse_repeated("fields", [CORRUPT, *(key.lower() for key in self.fields.values())])
        return self

    @model_validator(mode="after")
    def _every_plan_is_of_one_level(self) -> Self:
        _refuse_repeated("levels", [plan for plans in self.levels.values() for plan in plans])
        return self

    @property
    def earliest_ms(self) -> int:
        """The first possible timestamp, epoch milliseconds UTC."""
        return _epoch_ms(self.earliest_event)

    @property
    def latest_ms(self) -> int:
        """The first timestamp that is no longer possible, epoch milliseconds UTC."""
        return _epoch_ms(self.latest_event)


def _refuse_repeated(of: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"data_processing.{of}: {', '.join(twice)} is taken twice")


def _epoch_ms(day: date) -> int:
    return int(datetime.combine(day, datetime.min.time(), UTC).timestamp()) * 1000
