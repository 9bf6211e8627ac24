from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from sparkify.pipelines.simulation.parameters import SimulationParameters
from sparkify.pipelines.simulation.rhythm import Rhythm

DAY = 86_400


def to_second(text: str) -> int:
    """Return the epoch second of a moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def make_rhythm(parameters: dict[str, Any], **changes: Any) -> Rhythm:
    mini = SimulationParameters.model_validate(parameters["simulation"])
    return Rhythm(SimulationParameters(**{**mini.model_dump(), **changes}))


def draw_starts(rhythm: Rhythm, first: str, count: int, gap_seconds: float) -> list[datetime]:
    """Draw consecutive session starts."""
    random, moment, starts = Random(7), to_second(first), []  # noqa: S311
    for _ in range(count):
        moment = rhythm.draw_next_start(random, moment, gap_seconds)
        starts.append(datetime.fromtimestamp(moment, UTC))
    return starts


@pytest.mark.parametrize(
    ("moment", "share"),
    [
        ("2018-11-14T12:00:00", 0.0),  # Wednesday
        ("2018-11-16T20:59:59", 0.0),  # Friday, before the ramp
        ("2018-11-16T22:30:00", 0.125),
        ("2018-11-17T00:00:00", 0.25),  # midnight to Saturday
        ("2018-11-17T01:30:00", 0.375),
        ("2018-11-17T03:00:00", 0.5),  # the ramp is over
        ("2018-11-18T00:00:00", 0.5),  # midnight between two days off
        ("2018-11-18T12:00:00", 0.5),
        ("2018-11-18T22:30:00", 0.375),
        ("2018-11-19T00:00:00", 0.25),  # midnight to Monday
        ("2018-11-19T01:30:00", 0.125),
        ("2018-11-19T03:00:00", 0.0),
        ("2018-11-22T12:00:00", 0.5),  # Thanksgiving, a Thursday
        ("2018-11-23T00:00:00", 0.25),
        ("2018-11-23T12:00:00", 0.0),
        ("2018-10-08T12:00:00", 0.0),  # Columbus Day, kept by some states only
        ("2018-11-12T12:00:00", 0.0),  # the Monday after Veterans Day
        ("2018-07-04T12:00:00", 0.5),  # Independence Day, before the log opens
    ],
)
def test_starts_are_rejected_on_weekends_and_holidays_with_ramps_at_midnight(
    parameters: dict[str, Any], moment: str, share: float
) -> None:
    assert make_rhythm(parameters)._compute_rejection_share(to_second(moment)) == pytest.approx(
        share
    )


def test_the_rejected_share_follows_the_parameter(parameters: dict[str, Any]) -> None:
    strict = make_rhythm(parameters, off_day_rejection=0.9)
    assert strict._compute_rejection_share(to_second("2018-11-18T12:00:00")) == 0.9
    assert strict._compute_rejection_share(to_second("2018-11-17T00:00:00")) == pytest.approx(0.45)


def test_sessions_start_in_order(parameters: dict[str, Any]) -> None:
    starts = draw_starts(make_rhythm(parameters), "2018-10-01T00:00:00", 2_000, gap_seconds=600)
    assert starts == sorted(starts)


def test_without_rhythm_or_days_off_gaps_are_the_break_and_the_pause(
    parameters: dict[str, Any],
) -> None:
    plain = make_rhythm(parameters, daily_rhythm_days=0, off_day_rejection=0)
    moment, random = to_second("2018-10-01T00:00:00"), Random(7)  # noqa: S311
    gaps = []
    for _ in range(4_000):
        gaps.append(plain.draw_next_start(random, moment, 7_200.0) - moment)
        moment += gaps[-1]
    assert min(gaps) >= 1_800
    assert sum(gaps) / len(gaps) == pytest.approx(1_800 + 7_200, rel=0.03)


def test_half_as_many_sessions_start_on_a_day_off(parameters: dict[str, Any]) -> None:
    starts = draw_starts(make_rhythm(parameters), "2018-10-01T00:00:00", 4_000, gap_seconds=5_400)
    days = {moment.date() for moment in starts}
    weekend = [day for day in days if day.weekday() >= 5]
    on_weekends = sum(moment.weekday() >= 5 for moment in starts) / len(weekend)
    on_other_days = sum(moment.weekday() < 5 for moment in starts) / (len(days) - len(weekend))
    # A rejected start is drawn again from its time, so the share is not exactly a half.
    assert 0.45 < on_weekends / on_other_days < 0.65


def test_more_sessions_start_in_the_afternoon(parameters: dict[str, Any]) -> None:
    starts = draw_starts(make_rhythm(parameters), "2018-10-01T00:00:00", 2_000, gap_seconds=2 * DAY)
    afternoon = sum(12 <= moment.hour < 18 for moment in starts)
    night = sum(moment.hour < 6 for moment in starts)
    assert afternoon > 1.5 * night
