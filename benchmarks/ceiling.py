"""How near our forecasts come to the best that anyone could make of a simulated log.

`python -m benchmarks.ceiling --seeds 1 2 3 4 5` simulates a log per seed, runs the project on it
and sets its hold-out forecasts beside those of two who know the process: the oracle knows every
customer's hidden traits too, the informed what the customer did before the cutoff. It writes
`ceiling.json` and `ceiling.png` to `--results`, and fails where ours is better than the oracle: it
must have seen what comes after the cutoff. What stands under `--logs` is used again.
"""

import argparse
import math
import os
import platform
import shlex
import sys
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache, partial
from itertools import pairwise, product
from multiprocessing import Pool
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks import ceiling_report
from benchmarks.speed import ROOT, told
from sparkify.pipelines.simulation.chain import build_chain, list_states
from sparkify.pipelines.simulation.life import Place, Process, Session, Traits
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters

Array = npt.NDArray[np.float64]
CUSTOMERS_PER_TASK = 200
MOST_FUTURES = 25  # times --futures
LONGEST_SESSION_SECONDS = 2 * DAY_SECONDS
WEEKEND = 2 / 7
# Session gaps that the informed holds for possible: standard deviations of their logarithm.
DEVIATIONS = np.linspace(-4, 4, 65)


@cache
def steps(cohort: str, adverts: float = 1.0) -> Array:
    """Return the share of every step of a cohort: a row per state, a column per next state.

    The last column is the end of the session; `adverts` is as for `chain`.
    """
    walked, found = (
        build_chain(cohort, adverts=adverts),
        np.zeros((len(list_states()), len(list_states()) + 1)),
    )
    for state, followers in enumerate(walked.followers):
        ends = [0.0, *walked.cumulative[state], 1.0]
        found[state, [*followers, -1]] = np.diff(ends).clip(0)
    return found


@cache
def cancelling(cohort: str, adverts: float = 1.0) -> tuple[list[float], list[float]]:
    """Return, by state, the chances that a session cancels and the cancellation is confirmed.

    First that of a session now in this state, at any time; then that of Cancel coming next and
    being confirmed after it, which is 0 on Cancel itself so that no cancellation counts twice.
    """
    onward = steps(cohort, adverts)[:, :-1]
    confirmed = np.array([state.auth == "Cancelled" for state in list_states()], float)
    of_session = np.linalg.solve(np.eye(len(onward)) - onward, confirmed)
    flow = confirmed + onward @ confirmed
    return of_session.tolist(), np.where(flow > 0, 0, onward @ flow).tolist()


class Forecast(NamedTuple):
    """Whether a customer churned, and the probability of it for those who know the process."""

    user_id: str
    lived_churned: bool
    oracle: float
    informed: float


class Foresight:
    """Forecasts of one who knows the process that simulated a log, customer by customer.

    A life is continued many times from where it stands at the cutoff. Instead of counting the
    futures that cancel, every session of theirs adds the chance that one so begun cancels; one
    that may outlast the horizon, those of cancelling next, over the states visited within it. The
    mean is the same, the probability of a cancellation, since the sum is the count's compensator:
    they differ by a martingale (Andersen et al. 1993, Statistical Models Based on Counting
    Processes, chapter II). But as in a Rao-Blackwell estimate the chance within sessions is taken
    out, and some tens of futures do for many hundreds.
    """

    def __init__(
        self, simulation: SimulationParameters, cutoff: int, horizon_end: int, futures: int
    ) -> None:
        """Stand at a cutoff.

        Args:
            simulation: the process.
            cutoff: epoch second from which on nothing is known.
            horizon_end: epoch second from which on no cancellation counts.
            futures: continuations of a life whose mean pause between sessions is at most the
                horizon; quieter lives get more in proportion, so that as many hold a session.
        """
        self._simulation, self._process = simulation, Process(simulation)
        self._cutoff, self._end, self._futures = cutoff, horizon_end, futures

    def forecast(self, user_number: int) -> Forecast:
        """Forecast a customer who was seen before the cutoff."""
        user, random = (
            self._process.draw_traits(user_number),
            self._process.create_random("end", user_number),
        )
        life = list(self._process.simulate_life(user_number, user))
        before = [session for session in life if session.seconds[0] < self._cutoff]
        place = self._process.find_place(before[-1], self._cutoff)
        ended, last_state = life[-1].seconds[-1], list_states()[life[-1].states[-1]]
        churned = last_state.auth == "Cancelled" and self._cutoff <= ended < self._end
        oracle = self.risk(random, user, place, self._futures)
        dealt = self.dealt(random, *self.posterior(user, before, place))
        summed = sum(n * self.risk(random, guess, place, n) for guess, n in dealt.items())
        informed = summed / self._futures
        return Forecast(str(user_number + 1), churned, min(oracle, 1.0), min(informed, 1.0))

    def risk(self, random: Random, user: Traits, place: Place, futures: int) -> float:
        """Estimate the probability that a life goes on to cancel within the horizon."""
        of_session, of_next = cancelling(user.cohort, self._simulation.adverts)
        quiet = user.session_gap_seconds / (self._end - self._cutoff)
        count, added = math.ceil(futures * min(max(quiet, 1), MOST_FUTURES)), 0.0
        for _ in range(count):
            for session in self._process.simulate_future(random, user, place, self._cutoff):
                seconds, visited = session.seconds, session.states
                if seconds[0] < self._end - LONGEST_SESSION_SECONDS:
                    added += of_session[visited[0]]
                else:
                    within = bisect_left(seconds, self._end)
                    added += sum(of_next[state] for state in visited[:within])
        return added / count

    def posterior(
        self, user: Traits, before: Sequence[Session], place: Place
    ) -> tuple[list[Traits], Array]:
        """Return which traits the past allows, and the probability of each.

        Hidden are the cohort, which shows in the steps within sessions, and the session gap, which
        shows in the pauses between them; the page gap is given, since the pages tell it. Refused
        starts stretch the mean pause, as if weekends were spread over the week.
        """
        simulation, breaks = self._simulation, self._simulation.session_break_seconds
        gaps = simulation.session_gap_days * DAY_SECONDS * np.exp(DEVIATIONS - 0.5)
        pauses = gaps / (1 - WEEKEND * simulation.off_day_rejection)
        shown = [s.states[: bisect_left(s.seconds, self._cutoff)] for s in before]
        # Of the last session it is not known that it ended: that is part of the silence.
        pairs = [pair for s in shown[:-1] for pair in pairwise([*s, -1])] + [*pairwise(shown[-1])]
        taken = tuple(np.array(pairs, int).reshape(-1, 2).T)
        waits = [b.seconds[0] - a.seconds[-1] - breaks for a, b in pairwise(before)]
        if user.auth != "Guest" and before[0].first_item == 0:
            waits.append(before[0].seconds[0] - simulation.start_second)
        waited = sum(max(wait, 0) for wait in waits)
        by_gap = -(DEVIATIONS**2) / 2 - len(waits) * np.log(pauses) - waited / pauses
        none_since = np.exp(-max(self._cutoff - place.second - breaks, 0) / pauses)
        logarithms = []
        with np.errstate(divide="ignore"):  # some cohorts never take some steps
            for cohort, weight in simulation.cohorts.items():
                by_cohort = np.log(weight) + np.log(steps(cohort, simulation.adverts)[taken]).sum()
                timeless = user._replace(cohort=cohort, session_gap_seconds=math.inf)
                *goes_on, ended = self._process.compute_silence_chances(
                    timeless, place, self._cutoff
                )
                silence = np.log(sum(goes_on) + ended * none_since)
                logarithms.append(by_cohort + by_gap + silence)
        weights = np.exp(np.concatenate(logarithms) - np.max(logarithms))
        hidden = product(simulation.cohorts, gaps.tolist())
        allowed = [user._replace(cohort=c, session_gap_seconds=gap) for c, gap in hidden]
        return allowed, weights / weights.sum()

    def dealt(self, random: Random, allowed: list[Traits], weights: Array) -> dict[Traits, int]:
        """Deal the futures out to traits by their probability: systematic resampling."""
        marks = (np.arange(self._futures) + random.random()) / self._futures
        ladder = np.cumsum(weights)
        drawn = np.bincount(np.searchsorted(ladder / ladder[-1], marks, side="right"))
        return {guess: n for guess, n in zip(allowed, drawn.tolist(), strict=False) if n}


def forecasts(
    simulation: SimulationParameters, span: tuple[int, int], futures: int, users: Sequence[int]
) -> list[Forecast]:
    """Forecast customers by their numbers; `span` is the cutoff and the horizon's end."""
    foresight = Foresight(simulation, *span, futures)
    return [foresight.forecast(user_number) for user_number in users]


def foreseen(log: ceiling_report.Log, held_out: pd.DataFrame, futures: int) -> pd.DataFrame:
    """Forecast the hold-out's customers on all cores: one row per customer.

    Raises:
        ValueError: if a life lived again ends otherwise than the log says.
    """
    file = log.folder / f"foresight_{futures}.parquet"
    if not file.exists():
        cutoff = int(pd.Timestamp(held_out["cutoff"].max(), tz="UTC").timestamp())
        horizon = log.parameters["feature_engineering"]["horizon_days"] * DAY_SECONDS
        users = [int(user_id) - 1 for user_id in held_out["user_id"]]
        starts = range(0, len(users), CUSTOMERS_PER_TASK)
        tasks = [users[start : start + CUSTOMERS_PER_TASK] for start in starts]
        task = partial(forecasts, log.simulation, (cutoff, cutoff + horizon), futures)
        with Pool(os.cpu_count()) as pool:
            found = [forecast for done in pool.imap(task, tasks) for forecast in done]
        pd.DataFrame(found, columns=Forecast._fields).to_parquet(file)
    joined = held_out.merge(pd.read_parquet(file), on="user_id", how="left", validate="1:1")
    apart = joined["churned"] != joined["lived_churned"]
    if apart.any():
        raise ValueError(
            f"{apart.sum()} of {len(joined)} lives lived again end otherwise than the log says: "
            f"it is of another simulator. Remove {log.folder} to simulate it anew."
        )
    return joined


def main(arguments: list[str] | None = None) -> None:
    """Measure the ceiling on the logs that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--users", type=int, help="simulate this many users instead")
    parser.add_argument("--futures", type=int, default=40, help="continuations of every life")
    parser.add_argument("--logs", type=Path, default=ROOT / "build/ceiling")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results")
    options = parser.parse_args(arguments)
    how = {
        "command": shlex.join(["python", "-m", "benchmarks.ceiling", *(arguments or sys.argv[1:])]),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "futures": options.futures,
    }
    seeds = {}
    for seed in options.seeds:
        told(f"seed {seed}: the log, the project on it")
        log = ceiling_report.Log(seed, options.users, options.logs.resolve())
        held_out, candidates = log.run()
        told(f"seed {seed}: {options.futures} futures of {len(held_out):,} customers")
        known = foreseen(log, held_out, options.futures)
        told(f"seed {seed}: scores")
        seeds[str(seed)] = ceiling_report.scored(known, candidates)
        print(f"Seed {seed}\n{ceiling_report.table(seeds[str(seed)]['scores'])}\n")
    ceiling_report.write(seeds, how, options.results)
    leaks = ceiling_report.leaks(seeds)
    if leaks:
        sys.exit(
            f"On seed {', '.join(leaks)} our AUC is above the interval of the oracle's: something "
            f"that comes after the cutoff leaks into the forecasts."
        )


if __name__ == "__main__":
    main()
