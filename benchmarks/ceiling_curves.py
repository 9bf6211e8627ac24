"""Compare the project's curves of leaving with those that follow from the simulated process."""

import json
import math
import os
from collections.abc import Sequence
from functools import partial
from multiprocessing import Pool
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks import ceiling_report
from benchmarks.foresight import (
    CUSTOMERS_PER_TASK,
    MAX_FUTURES,
    Foresight,
    compute_cancel_probabilities,
)
from sparkify.ml.leaving_curve import LeavingCurve
from sparkify.pipelines.simulation.life import LastEvent, Traits
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters

Array = npt.NDArray[np.float64]
ORACLE, INFORMED = "oracle", "informed"
OURS, CONSTANT, MEAN = "ours", "constant hazard", "mean of the oracle"


class CurveForesight(Foresight):
    """Curves for one customer at a time, as `Foresight` predicts one day.

    Every step of a future adds the probability of cancelling next, on its day.
    """

    def __init__(self, simulation: SimulationParameters, cutoff: int, days: int, futures: int):
        """Set the cutoff; the log has to end `days` after it."""
        super().__init__(simulation, cutoff, cutoff + days * DAY_SECONDS, futures)
        self._days = days

    def predict_curves(self, user_number: int) -> tuple[Array, Array]:
        """Return the curves of a customer seen before the cutoff: oracle and informed."""
        process = self._process
        user, random = (
            process.draw_traits(user_number),
            process.create_random("curves", user_number),
        )
        life = process.simulate_user(user_number, user)
        before = [session for session in life if session.seconds[0] < self._cutoff]
        last_event = process.find_last_event(before[-1], self._cutoff)
        oracle = self.estimate_curve(random, user, last_event, self._futures)
        allocated = self.allocate_futures(random, *self.compute_posterior(user, before, last_event))
        guesses = [
            n * self.estimate_curve(random, guess, last_event, n) for guess, n in allocated.items()
        ]
        return oracle, np.sum(guesses, axis=0) / self._futures

    def estimate_curve(
        self, random: Random, user: Traits, last_event: LastEvent, futures: int
    ) -> Array:
        """Estimate the probability to have cancelled by the end of each day."""
        _, of_next = compute_cancel_probabilities(user.cohort, self._simulation.adverts)
        by_state = np.array(of_next)
        relative_gap = user.session_gap_seconds / (self._end - self._cutoff)
        count = math.ceil(futures * min(max(relative_gap, 1), MAX_FUTURES))
        added = np.zeros(self._days)
        for _ in range(count):
            for session in self._process.simulate_future(random, user, last_event, self._cutoff):
                day = (np.array(session.seconds) - self._cutoff) // DAY_SECONDS
                np.add.at(added, day, by_state[session.states])
        return np.minimum(added.cumsum() / count, 1.0)


def predict_users(
    simulation: SimulationParameters, cutoff: int, days: int, futures: int, users: Sequence[int]
) -> list[tuple[Array, Array]]:
    """Predict the curves of customers by their numbers."""
    foresight = CurveForesight(simulation, cutoff, days, futures)
    return [foresight.predict_curves(number) for number in users]


def predict_best_curves(
    log: ceiling_report.Log, holdout: pd.DataFrame, days: int, futures: int
) -> dict[str, Array]:
    """Return the curves of the hold-out's customers by both predictors; saved beside the log."""
    file = log.folder / f"curves_{days}_{futures}.npz"
    if not file.exists():
        cutoff = int(pd.Timestamp(holdout["cutoff"].max(), tz="UTC").timestamp())
        missing = cutoff + days * DAY_SECONDS - log.simulation.end_second
        further = log.simulation.further_days + max(-(-missing // DAY_SECONDS), 0)
        longer = log.simulation.model_copy(update={"further_days": further})
        users = [int(user_id) - 1 for user_id in holdout["user_id"]]
        starts = range(0, len(users), CUSTOMERS_PER_TASK)
        tasks = [users[start : start + CUSTOMERS_PER_TASK] for start in starts]
        with Pool(os.cpu_count()) as pool:
            task = partial(predict_users, longer, cutoff, days, futures)
            pairs = [pair for rows in pool.map(task, tasks) for pair in rows]
        oracle, informed = (np.array(curves) for curves in zip(*pairs, strict=True))
        np.savez_compressed(file, **{ORACLE: oracle, INFORMED: informed})
    with np.load(file) as saved:
        return {name: saved[name] for name in (ORACLE, INFORMED)}


def predict_our_curves(
    log: ceiling_report.Log, holdout: pd.DataFrame, days: int
) -> dict[str, Array]:
    """Return the project's curves of the hold-out, and those of a constant hazard."""
    saved = json.loads((log.layer("06_models") / "leaving_curve.json").read_text(encoding="utf-8"))
    curve = LeavingCurve.from_card({"leaving_curve": saved}, saved["days"])
    weekday = pd.to_datetime(holdout["cutoff"]).dt.weekday.to_numpy()
    probability = holdout["probability"].to_numpy(float)
    relative = np.arange(1, days + 1) / saved["horizon_days"]
    return {
        OURS: curve.predict(probability, weekday, days),
        CONSTANT: 1 - (1 - probability[:, None]) ** relative,
    }


def measure_distances(
    oracle: Array, curves: dict[str, Array], days: Sequence[int]
) -> list[dict[str, Any]]:
    """Return how far curves are from the oracle's: one row per day and predictor.

    `distance` is the mean absolute difference, `bias` the mean difference. `correlation` is that
    with the oracle's curves, missing where all customers have the same.
    """
    rows = []
    everyone = {MEAN: np.tile(oracle.mean(axis=0), (len(oracle), 1))}
    for day in days:
        truth = oracle[:, day - 1]
        for name, curve in (curves | everyone).items():
            forecast = curve[:, day - 1]
            difference = forecast - truth
            is_constant = np.ptp(forecast) == 0
            rows.append(
                {
                    "day": day,
                    "predictor": name,
                    "oracle_mean": float(truth.mean()),
                    "bias": float(difference.mean()),
                    "distance": float(np.abs(difference).mean()),
                    "correlation": None
                    if is_constant
                    else float(np.corrcoef(forecast, truth)[0, 1]),
                }
            )
    return rows


def compare_curves(
    log: ceiling_report.Log, holdout: pd.DataFrame, days: Sequence[int], futures: int
) -> list[dict[str, Any]]:
    """Return the distances of the project's curves on the hold-out from the oracle's."""
    best = predict_best_curves(log, holdout, max(days), futures)
    ours = predict_our_curves(log, holdout, max(days))
    return measure_distances(best[ORACLE], ours | {INFORMED: best[INFORMED]}, days)
