"""Parameters of a simulated log."""

from datetime import UTC, date, datetime

from pydantic import Field, NonNegativeFloat, field_validator

from sparkify.pipelines.simulation.chain import list_cohorts
from sparkify.schemas.parameters import Parameters, Seed, unknown_name, wrong_value

DAY_SECONDS = 86_400


class SimulationParameters(Parameters):
    """The size, the span and the process of a simulated log; `simulation` in conf/."""

    seed: Seed
    users: int = Field(gt=0)
    start: date
    days: int = Field(gt=0)
    further_days: int = Field(ge=0)
    contact_success: float = Field(ge=0, le=1)
    contact_days: int = Field(gt=0)
    growth_per_year: float = Field(ge=0)
    registration_days: float = Field(gt=0)
    cohorts: dict[str, NonNegativeFloat] = Field(min_length=1)
    adverts: float = Field(ge=0, le=5)
    logged_in_share: float = Field(ge=0, le=1)
    paid_share: float = Field(ge=0, le=1)
    page_gap_seconds: float = Field(gt=0)
    session_gap_days: float = Field(gt=0)
    session_break_seconds: int = Field(gt=0)
    daily_rhythm_days: float = Field(ge=0)
    off_day_rejection: float = Field(ge=0, lt=1)
    off_day_ramp_seconds: int = Field(gt=0)
    songs: int = Field(gt=0)
    artists: int = Field(gt=0)
    artist_size_exponent: float = Field(ge=0, lt=1)
    song_popularity_exponent: float = Field(gt=1)
    song_popularity_offset: float = Field(gt=0)
    song_seconds_mean: float = Field(gt=0)
    song_seconds_sd: float = Field(gt=0)
    userless_id: str
    files: int = Field(gt=0)

    @field_validator("cohorts")
    @classmethod
    def _require_known_cohorts(cls, cohorts: dict[str, float]) -> dict[str, float]:
        for name in cohorts:
            if name not in list_cohorts():
                raise unknown_name(name, list_cohorts())
        if not sum(cohorts.values()):
            raise wrong_value("", cohorts, "at least one weight above 0")
        return cohorts

    @property
    def start_second(self) -> int:
        """The first second of the log, since the epoch, UTC."""
        return int(datetime.combine(self.start, datetime.min.time(), UTC).timestamp())

    @property
    def end_second(self) -> int:
        """The second after the end of the log, since the epoch, UTC."""
        return self.start_second + (self.days + self.further_days) * DAY_SECONDS
