"""Simulate a user: the events of every session within the log's span."""

import math
from bisect import bisect, bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from random import Random
from typing import NamedTuple

from sparkify.pipelines.simulation.chain import build_chain, list_requests, list_states
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters
from sparkify.pipelines.simulation.rhythm import Rhythm
from sparkify.pipelines.simulation.songs import SongCatalogue

OTHER, REDIRECT, SONG = range(3)
NO_SONG = -1


class Traits(NamedTuple):
    """The hidden traits of a user; of these, the log has only the registration."""

    cohort: str
    page_gap_seconds: float
    session_gap_seconds: float
    auth: str
    level: str
    arrival_second: int
    registration_second: int


class Session(NamedTuple):
    """The events of one session within the log's span, in order.

    `first_item` is above 0 if the session began before the log.
    """

    first_item: int
    seconds: list[int]
    states: list[int]
    songs: list[int]


class LastEvent(NamedTuple):
    """A user's last event so far; future events depend only on it and the traits."""

    second: int
    state: int
    song_end: int


class Process:
    """The random process of a simulated user.

    Each user has separate random generators, seeded by the log's seed and the user's number. So a
    user's events do not depend on other users or on partitions.
    """

    MAX_DRAWS = 1_000

    def __init__(self, parameters: SimulationParameters) -> None:
        self._parameters = parameters
        self._rhythm, self._songs = Rhythm(parameters), SongCatalogue(parameters)
        self._chain = partial(build_chain, adverts=parameters.adverts)
        redirects = {page for page, (_, status) in list_requests().items() if status == 307}
        self._kinds = [
            SONG if state.page == "NextSong" else REDIRECT if state.page in redirects else OTHER
            for state in list_states()
        ]

    def create_random(self, purpose: str, user_number: int) -> Random:
        """Return a new random generator for a user and a purpose."""
        return Random(f"{self._parameters.seed}/{purpose}/{user_number}")  # noqa: S311

    def draw_traits(self, user_number: int) -> Traits:
        """Draw a user's hidden traits.

        Numbers from `users` up are newcomers: guests on the free level. They arrive at a random
        moment of the log and register through its pages.
        """
        parameters, random = self._parameters, self.create_random("traits", user_number)
        cohort = random.choices(list(parameters.cohorts), list(parameters.cohorts.values()))[0]
        page_gap = parameters.page_gap_seconds * _draw_mean_one_lognormal(random)
        session_gap = parameters.session_gap_days * DAY_SECONDS * _draw_mean_one_lognormal(random)
        start = parameters.start_second
        if user_number >= parameters.users:
            arrival = start + int(random.random() * parameters.days * DAY_SECONDS)
            return Traits(cohort, page_gap, session_gap, "Guest", "free", arrival, arrival)
        auth = "Logged In" if random.random() < parameters.logged_in_share else "Logged Out"
        level = "paid" if random.random() < parameters.paid_share else "free"
        member_seconds = int(random.expovariate(1 / (parameters.registration_days * DAY_SECONDS)))
        return Traits(cohort, page_gap, session_gap, auth, level, start, start - member_seconds)

    def simulate_user(
        self, user_number: int, user: Traits, contact_seconds: Iterable[int] = ()
    ) -> Iterator[Session]:
        """Yield a user's sessions by time, until cancellation or the log's end.

        With probability `contact_success` each, a contact prevents cancellations within
        `contact_days` after it: the session ends instead of the confirmation. Earlier events are
        the same as without contacts.
        """
        random, contacts = (self.create_random(name, user_number) for name in ("life", "contacts"))
        success, days = self._parameters.contact_success, self._parameters.contact_days
        persuaded = [
            (second, second + days * DAY_SECONDS)
            for second in sorted(contact_seconds)
            if contacts.random() < success
        ]
        start = self._draw_first_start(random, user)
        yield from self._simulate_sessions(random, user, start, (user.auth, user.level), persuaded)

    def compute_silence_probabilities(
        self, user: Traits, last_event: LastEvent, now: int
    ) -> list[float]:
        """Return the probabilities of no event from the last event to `now`, an epoch second.

        One for each next state if the session continues. The last one: the session has ended and
        no other has begun, ignoring days off. All are 0 if the traits rule out this silence.
        """
        cohort = self._chain(user.cohort)
        shares = [0.0, *cohort.cumulative[last_event.state]]
        followers = cohort.followers[last_event.state]
        continued = [
            (share - before) * self._compute_silence_probability(user, last_event, state, now)
            for (before, share), state in zip(pairwise(shares), followers, strict=True)
        ]
        idle = max(now - last_event.second - self._parameters.session_break_seconds, 0)
        return [*continued, max(1 - shares[-1], 0.0) * math.exp(-idle / user.session_gap_seconds)]

    def simulate_future(
        self, random: Random, user: Traits, last_event: LastEvent, now: int
    ) -> Iterator[Session]:
        """Yield random future sessions, given no event between the last one and `now`.

        A session that continues begins with its next event. Every call draws another future.
        Raises a ValueError if these traits rule out such a silence.
        """
        probabilities = self.compute_silence_probabilities(user, last_event, now)
        followers = self._chain(user.cohort).followers[last_event.state]
        if not any(probabilities):
            raise ValueError(f"{user} cannot have no event from {last_event} to {now}.")
        choice = random.choices(range(len(probabilities)), probabilities)[0]
        last_state = last_event.state
        if choice < len(followers):
            state = followers[choice]
            second = self._find_fixed_second(last_event, state)
            if second is None:
                second = now - int(user.page_gap_seconds * math.log(1.0 - random.random()))
            session, second, last_state = self._continue_session(
                random, user, second, state, last_event.song_end
            )
            if session.seconds:
                yield session
            start = self._rhythm.draw_next_start(random, second, user.session_gap_seconds)
        else:
            start = self._draw_start_after(random, user, last_event.second, now)
        _, auth, level = list_states()[last_state]
        if auth != "Cancelled":
            yield from self._simulate_sessions(random, user, start, (auth, level))

    def _draw_first_start(self, random: Random, user: Traits) -> int:
        """Draw starts from two gaps before arrival on; return the first in or after the last."""
        gap = int(user.session_gap_seconds)
        second = user.arrival_second - 2 * gap
        while True:
            second = self._rhythm.draw_next_start(random, second, user.session_gap_seconds)
            if second >= user.arrival_second - gap:
                return second

    def _simulate_sessions(
        self,
        random: Random,
        user: Traits,
        second: int,
        auth_and_level: tuple[str, str],
        persuaded: Sequence[tuple[int, int]] = (),
    ) -> Iterator[Session]:
        while second < self._parameters.end_second:
            firsts, shares = self._chain(user.cohort).first[auth_and_level]
            state = firsts[bisect(shares, random.random(), hi=len(firsts) - 1)]
            session, second, last_state = self._continue_session(random, user, second, state)
            if any(begin <= second < end for begin, end in persuaded):
                session, last_state = _drop_cancellation(session, last_state)
            if session.seconds:
                yield session
            _, auth, level = list_states()[last_state]
            if auth == "Cancelled":
                return
            auth_and_level = auth, level
            second = self._rhythm.draw_next_start(random, second, user.session_gap_seconds)

    def _continue_session(
        self, random: Random, user: Traits, second: int, state: int, song_end: int = 0
    ) -> tuple[Session, int, int]:
        """Continue a session; return its events in the log, its last second and its last state.

        A redirected page (status 307) follows after one second. A song waits for the current song
        to end. Any other page follows after an exponential pause.
        """
        start, end = self._parameters.start_second, self._parameters.end_second
        cohort, kinds, gap = self._chain(user.cohort), self._kinds, user.page_gap_seconds
        lengths, draw_song, draw = self._songs.length_seconds, self._songs.draw, random.random
        song, song_end = NO_SONG, max(second, song_end)
        if kinds[state] == SONG:
            song = draw_song(draw())
            song_end = second + int(lengths[song])
        events = Session(0, [], [], [])
        item, first_item = 0, 0
        while second < end:
            if second >= start:
                if not events.seconds:
                    first_item = item
                events.seconds.append(second)
                events.states.append(state)
                events.songs.append(song)
            shares = cohort.cumulative[state]
            choice = bisect(shares, draw())
            if choice == len(shares):
                break
            state = cohort.followers[state][choice]
            kind = kinds[state]
            item += 1
            song = NO_SONG
            if kind == REDIRECT:
                second += 1
            elif kind == OTHER:
                second -= int(gap * math.log(1.0 - draw()))
            else:
                if second < song_end:
                    second = song_end
                else:
                    second -= int(gap * math.log(1.0 - draw()))
                song = draw_song(draw())
                song_end = second + int(lengths[song])
        return events._replace(first_item=first_item), second, state

    def find_last_event(self, session: Session, now: int) -> LastEvent:
        """Return the last event before `now` of a session that began before it."""
        seconds, songs, lengths = session.seconds, session.songs, self._songs.length_seconds
        last = bisect_left(seconds, now) - 1
        plays = [item for item in range(last + 1) if songs[item] != NO_SONG]
        ends = [seconds[item] + int(lengths[songs[item]]) for item in plays[-1:]]
        return LastEvent(seconds[last], session.states[last], ends[0] if ends else seconds[0])

    def _find_fixed_second(self, last_event: LastEvent, state: int) -> int | None:
        """Return when a step to `state` happens, or None if its pause is random."""
        if self._kinds[state] == REDIRECT:
            return last_event.second + 1
        waits = self._kinds[state] == SONG and last_event.second < last_event.song_end
        return last_event.song_end if waits else None

    def _compute_silence_probability(
        self, user: Traits, last_event: LastEvent, state: int, now: int
    ) -> float:
        """Return the probability that a step to `state` happens no earlier than `now`."""
        second = self._find_fixed_second(last_event, state)
        if second is not None:
            return float(second >= now)
        return math.exp(-max(now - last_event.second, 0) / user.page_gap_seconds)

    def _draw_start_after(self, random: Random, user: Traits, second: int, now: int) -> int:
        """Draw the next start after a session that ended at `second`, not before `now`.

        Draws until a start fits. After `MAX_DRAWS`, it draws as if the session had ended a break
        before `now`, since the exponential pause is memoryless.
        """
        for _ in range(self.MAX_DRAWS):
            start = self._rhythm.draw_next_start(random, second, user.session_gap_seconds)
            if start >= now:
                return start
        ready = now - self._parameters.session_break_seconds
        return max(now, self._rhythm.draw_next_start(random, ready, user.session_gap_seconds))


def _draw_mean_one_lognormal(random: Random) -> float:
    return math.exp(random.gauss(0, 1) - 0.5)


def _drop_cancellation(session: Session, last_state: int) -> tuple[Session, int]:
    """Return a session without a cancellation at its end, and its last state."""
    is_cancelled = list_states()[last_state].auth == "Cancelled"
    if not is_cancelled or session.states[-1:] != [last_state] or len(session.states) < 2:
        return session, last_state
    events = (session.seconds[:-1], session.states[:-1], session.songs[:-1])
    return Session(session.first_item, *events), session.states[-2]
