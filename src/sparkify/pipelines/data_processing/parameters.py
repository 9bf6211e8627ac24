"""What can be set about the checking of a log."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, StringConstraints, model_validator

from sparkify.parameters import Parameters, unknown_name, wrong_value
from sparkify.pipelines.data_processing.parsing import CORRUPT, FIELDS

# A key becomes part of patterns and of SQL: only a plain word can be one.
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
# The last day whose milliseconds, times the items of a session, fit 63 bits.
LAST_DAY = date(2109, 1, 1)


class DataProcessingParameters(Parameters):
    """Which timestamps are possible and how much is reported; `data_processing` in conf/."""

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
            raise wrong_value(
                "earliest_event",
                self.earliest_event,
                "a day after 1970 and before latest_event, whose milliseconds since 1970 are "
                "more than a thousandth of those of latest_event",
            )
        return self

    @model_validator(mode="after")
    def _every_field_has_a_key_of_its_own(self) -> Self:
        for name in self.fields:
            if name not in FIELDS:
                raise unknown_name(f"fields.{name}", list(FIELDS))
        if len(self.fields) < len(FIELDS):
            raise wrong_value("fields", self.fields, f"a key for each of {', '.join(FIELDS)}")
        _require_once("fields", self.fields, [CORRUPT, *map(str.lower, self.fields.values())])
        return self

    @model_validator(mode="after")
    def _every_plan_is_of_one_level(self) -> Self:
        plans = [plan for plans in self.levels.values() for plan in plans]
        if not plans:
            raise wrong_value("levels", self.levels, "at least one name of a plan")
        _require_once("levels", self.levels, plans)
        return self

    @property
    def earliest_ms(self) -> int:
        """The first possible timestamp, epoch milliseconds UTC."""
        return _epoch_ms(self.earliest_event)

    @property
    def latest_ms(self) -> int:
        """The first timestamp that is no longer possible, epoch milliseconds UTC."""
        return _epoch_ms(self.latest_event)


def _require_once(name: str, value: object, texts: list[str]) -> None:
    for text in texts:
        if texts.count(text) > 1:
            raise wrong_value(name, value, f"{text} once")


def _epoch_ms(day: date) -> int:
    return int(datetime.combine(day, datetime.min.time(), UTC).timestamp()) * 1000
