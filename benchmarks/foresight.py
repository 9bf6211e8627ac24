"""Predictions of customers from the simulated process, with or without their hidden traits."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from itertools import pairwise, product
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sparkify.pipelines.simulation.chain import build_chain, list_states
from sparkify.pipelines.simulation.life import LastEvent, Process, Session, Traits
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters

Array = npt.NDArray[np.float64]
CUSTOMERS_PER_TASK = 200
MAX_FUTURES = 25  # times --futures
MAX_SESSION_SECONDS = 2 * DAY_SECONDS
WEEKEND = 2 / 7
# Possible session gaps for the informed predictor, in standard deviations of their logarithm.
DEVIATIONS = np.linspace(-4, 4, 65)


@cache
def compute_step_shares(cohort: str, adverts: float = 1.0) -> Array:
    """Return a cohort's transition matrix: a row per state, a column per next state.

    The last column is the end of the session; `adverts` is as for `build_chain`.
    """
    markov, shares = (
        build_chain(cohort, adverts=adverts),
        np.zeros((len(list_states()), len(list_states()) + 1)),
    )
    for state, followers in enumerate(markov.followers):
        ends = [0.0, *markov.cumulative[state], 1.0]
        shares[state, [*followers, -1]] = np.diff(ends).clip(0)
    return shares


@cache
def compute_cancel_probabilities(
    cohort: str, adverts: float = 1.0
) -> tuple[list[float], list[float]]:
    """Return the probabilities of a confirmed cancellation, by state.

    The first list is for the rest of a session. The second is for Cancel as the next step; it is 0
    at Cancel, so that no cancellation counts twice.
    """
    onward = compute_step_shares(cohort, adverts)[:, :-1]
    confirmed = np.array([state.auth == "Cancelled" for state in list_states()], float)
    of_session = np.linalg.solve(np.eye(len(onward)) - onward, confirmed)
    flow = confirmed + onward @ confirmed
    return of_session.tolist(), np.where(flow > 0, 0, onward @ flow).tolist()


class Forecast(NamedTuple):
    """Whether a customer churned, and the probability according to both predictors."""

    user_id: str
    lived_churned: bool
    oracle: float
    informed: float


class Foresight:
    """Predictions for one customer at a time, from the simulated process.

    A life is continued many times from its state at the cutoff. Counting the futures that cancel
    would need many hundreds of them. Instead, every session adds the probability that a session
    with this start cancels. A session that may last beyond the horizon adds the probabilities of
    cancelling next, over its states within the horizon. The mean is the same because the sum is
    the compensator of the count (Andersen et al. 1993, Statistical Models Based on Counting
    Processes, chapter II). The variance is smaller, as in a Rao-Blackwell estimate: some tens of
    futures are enough.
    """

    def __init__(
        self, simulation: SimulationParameters, cutoff: int, horizon_end: int, futures: int
    ) -> None:
        """Set the cutoff.

        Args:
            simulation: the process.
            cutoff: epoch second from which events are unknown.
            horizon_end: epoch second from which no cancellation counts.
            futures: continuations of a life. Lives with a mean pause between sessions above the
                horizon get proportionally more, so that as many futures have a session.
        """
        self._simulation, self._process = simulation, Process(simulation)
        self._cutoff, self._end, self._futures = cutoff, horizon_end, futures

    def forecast(self, user_number: int) -> Forecast:
        """Predict for a customer who was seen before the cutoff."""
        user, random = (
            self._process.draw_traits(user_number),
            self._process.create_random("end", user_number),
        )
        life = list(self._process.simulate_user(user_number, user))
        before = [session for session in life if session.seconds[0] < self._cutoff]
        last_event = self._process.find_last_event(before[-1], self._cutoff)
        ended, last_state = life[-1].seconds[-1], list_states()[life[-1].states[-1]]
        churned = last_state.auth == "Cancelled" and self._cutoff <= ended < self._end
        oracle = self.estimate_risk(random, user, last_event, self._futures)
        allocated = self.allocate_futures(random, *self.compute_posterior(user, before, last_event))
        total = sum(
            n * self.estimate_risk(random, guess, last_event, n) for guess, n in allocated.items()
        )
        informed = total / self._futures
        return Forecast(str(user_number + 1), churned, min(oracle, 1.0), min(informed, 1.0))

    def estimate_risk(
        self, random: Random, user: Traits, last_event: LastEvent, futures: int
    ) -> float:
        """Estimate the probability that a customer cancels within the horizon."""
        of_session, of_next = compute_cancel_probabilities(user.cohort, self._simulation.adverts)
        relative_gap = user.session_gap_seconds / (self._end - self._cutoff)
        count, added = math.ceil(futures * min(max(relative_gap, 1), MAX_FUTURES)), 0.0
        for _ in range(count):
            for session in self._process.simulate_future(random, user, last_event, self._cutoff):
                seconds, visited = session.seconds, session.states
                if seconds[0] < self._end - MAX_SESSION_SECONDS:
                    added += of_session[visited[0]]
                else:
                    within = bisect_left(seconds, self._end)
                    added += sum(of_next[state] for state in visited[:within])
        return added / count

    def compute_posterior(
        self, user: Traits, before: Sequence[Session], last_event: LastEvent
    ) -> tuple[list[Traits], Array]:
        """Return the possible traits, and the posterior probability of each.

        The cohort is hidden and inferred from the steps within sessions; the session gap is hidden
        and inferred from the pauses between them. The page gap is known from the pages. Refused
        starts make the mean pause longer, as if weekends were spread over the week.
        """
        simulation, breaks = self._simulation, self._simulation.session_break_seconds
        gaps = simulation.session_gap_days * DAY_SECONDS * np.exp(DEVIATIONS - 0.5)
        pauses = gaps / (1 - WEEKEND * simulation.off_day_rejection)
        past_states = [s.states[: bisect_left(s.seconds, self._cutoff)] for s in before]
        # The end of the last session is unknown; it is part of the silence.
        pairs = [pair for s in past_states[:-1] for pair in pairwise([*s, -1])] + [
            *pairwise(past_states[-1])
        ]
        steps_taken = tuple(np.array(pairs, int).reshape(-1, 2).T)
        waits = [b.seconds[0] - a.seconds[-1] - breaks for a, b in pairwise(before)]
        if user.auth != "Guest" and before[0].first_item == 0:
            waits.append(before[0].seconds[0] - simulation.start_second)
        waited = sum(max(wait, 0) for wait in waits)
        by_gap = -(DEVIATIONS**2) / 2 - len(waits) * np.log(pauses) - waited / pauses
        none_since = np.exp(-max(self._cutoff - last_event.second - breaks, 0) / pauses)
        logarithms = []
        with np.errstate(divide="ignore"):  # some cohorts never take some steps
            for cohort, weight in simulation.cohorts.items():
                by_cohort = (
                    np.log(weight)
                    + np.log(compute_step_shares(cohort, simulation.adverts)[steps_taken]).sum()
                )
                timeless = user._replace(cohort=cohort, session_gap_seconds=math.inf)
                *goes_on, ended = self._process.compute_silence_probabilities(
                    timeless, last_event, self._cutoff
                )
                silence = np.log(sum(goes_on) + ended * none_since)
                logarithms.append(by_cohort + by_gap + silence)
        weights = np.exp(np.concatenate(logarithms) - np.max(logarithms))
        hidden = product(simulation.cohorts, gaps.tolist())
        allowed = [user._replace(cohort=c, session_gap_seconds=gap) for c, gap in hidden]
        return allowed, weights / weights.sum()

    def allocate_futures(
        self, random: Random, allowed: list[Traits], weights: Array
    ) -> dict[Traits, int]:
        """Allocate the futures to traits by their probability: systematic resampling."""
        positions = (np.arange(self._futures) + random.random()) / self._futures
        cumulative = np.cumsum(weights)
        counts = np.bincount(np.searchsorted(cumulative / cumulative[-1], positions, side="right"))
        return {guess: n for guess, n in zip(allowed, counts.tolist(), strict=False) if n}
