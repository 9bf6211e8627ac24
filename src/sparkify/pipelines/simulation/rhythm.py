"""When sessions start: a daily rhythm, and fewer of them on weekends and holidays."""

import math
from datetime import timedelta
from random import Random

from pandas.tseries.holiday import (
    AbstractHolidayCalendar,
    Holiday,
    USLaborDay,
    USMemorialDay,
    USThanksgivingDay,
)

from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters

EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday, day 3 of a week that begins on Monday
QUIETEST_SECOND = 3 * 3_600
EARLIEST_SESSION = timedelta(days=730)  # warm-up before the log; its sessions are not written


class Holidays(AbstractHolidayCalendar):
    """National holidays of the United States, never moved to a working day.

    As in eventsim. In a genuine log of a related service, 41 sessions start on Monday 2018-11-12,
    when Veterans Day was observed. An ordinary working day has 34, Thanksgiving 15.
    """

    rules = [  # noqa: RUF012 -- as in pandas
        Holiday("New Year's Day", month=1, day=1),
        USMemorialDay,
        Holiday("Independence Day", month=7, day=4),
        USLaborDay,
        Holiday("Veterans Day", month=11, day=11),
        USThanksgivingDay,
        Holiday("Christmas Day", month=12, day=25),
    ]


class Rhythm:
    """Draws the start of a user's next session."""

    def __init__(self, parameters: SimulationParameters) -> None:
        self._break = parameters.session_break_seconds
        self._swing = parameters.daily_rhythm_days * DAY_SECONDS
        self._rejection = parameters.off_day_rejection
        self._ramp = parameters.off_day_ramp_seconds
        holidays = Holidays().holidays(
            start=parameters.start - EARLIEST_SESSION,
            end=parameters.start + timedelta(days=parameters.days),
        )
        self._holidays = {int(day.timestamp()) // DAY_SECONDS for day in holidays}

    def draw_next_start(self, random: Random, second: int, gap_seconds: float) -> int:
        """Draw the start of the session after one that ended at `second`, an epoch second.

        `gap_seconds` is the mean of the exponential pause between sessions.
        """
        while True:
            candidate = second + int(random.expovariate(1 / gap_seconds)) + self._break
            second_of_day = candidate % DAY_SECONDS - QUIETEST_SECOND
            candidate += int(self._swing * math.sin(second_of_day * 2 * math.pi / DAY_SECONDS))
            if candidate < second:
                second += self._break
                continue
            rejection = self._compute_rejection_share(candidate)
            if not rejection or random.random() >= rejection:
                return candidate
            second = candidate

    def _compute_rejection_share(self, second: int) -> float:
        """Return the share of session starts to reject at this second.

        Between a working day and a day off, the share changes linearly over `_ramp` seconds around
        midnight.
        """
        day, second_of_day = divmod(second, DAY_SECONDS)
        today, half_ramp = self._is_day_off(day), self._ramp / 2
        neighbour, distance = today, half_ramp
        if second_of_day < half_ramp:
            neighbour, distance = self._is_day_off(day - 1), second_of_day
        elif DAY_SECONDS - second_of_day < half_ramp:
            neighbour, distance = self._is_day_off(day + 1), DAY_SECONDS - second_of_day
        if neighbour == today:
            return self._rejection * today
        share_of_today = 0.5 + distance / self._ramp
        return self._rejection * (share_of_today if today else 1 - share_of_today)

    def _is_day_off(self, day: int) -> bool:
        return (day + EPOCH_WEEKDAY) % 7 >= 5 or day in self._holidays
