"""What can be set about the checking of a log."""

from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict, Field


class DataProcessingParameters(BaseModel):
    """Which timestamps are possible and how much is reported; `data_processing` in conf/."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    earliest_event: date
    latest_event: date
    examples_per_rejection: int = Field(ge=0)
    unknown_columns_share: float = Field(ge=0, le=1)

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
