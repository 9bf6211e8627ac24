"""What can be set about the checking of a log."""

from datetime import UTC, date, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

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
    unknown_columns_share: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _seconds_can_be_told_from_milliseconds(self) -> Self:
        if not 0 < self.earliest_ms < self.latest_ms < 1_000 * self.earliest_ms:
            raise ValueError(
                "data_processing.earliest_event must come before latest_event and after 1970, "
                "and the span between be under a factor of 1,000 in milliseconds since then"
            )
        return self

    @property
    def earliest_ms(self) -> int:
        """The first possible timestamp, epoch milliseconds UTC."""
        return _epoch_ms(self.earliest_event)

    @property
    def latest_ms(self) -> int:
        """The first timestamp that is no longer possible, epoch milliseconds UTC."""
        return _epoch_ms(self.latest_event)


def _epoch_ms(day: date) -> int:
    return int(datetime.combine(day, datetime.min.time(), UTC).timestamp()) * 1000
