"""Finite mixtures of Poisson counts, fitted to a table of customers."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sparkify.ml.log_odds import Array
from sparkify.pipelines.modelling.input_definitions import Rate
from sparkify.pipelines.modelling.parameters import SegmentParameters

LEAST_GAIN = 0.01  # of the log-likelihood; a step of the search that wins less is its last
MOST_STEPS = 200
SPREAD = 0.3  # of the logarithms of the rates that a search starts from


class Counted(NamedTuple):
    """Customers' counts and what they are counted on: a row per customer, a column per rate."""

    counts: Array
    pers: Array
    prior: Array  # of each rate: as if so much more of `per` had been seen at everybody's rate
    overall: Array  # everybody's rates

    @classmethod
    def of(cls, rows: pd.DataFrame, rates: Sequence[Rate]) -> "Counted":
        """Take the columns that rates are made of."""
        counts = rows[[rate.count for rate in rates]].to_numpy()
        pers = rows[[rate.per for rate in rates]].to_numpy()
        prior = np.array([rate.prior for rate in rates])
        return cls(counts, pers, prior, counts.sum(axis=0) / pers.sum(axis=0))


class Mixture(NamedTuple):
    """Segments: the share of each, and its rates in a row."""

    shares: Array
    rates: Array
    log_likelihood: float  # of what was counted, but for terms that no segment changes


def fitted_mixture(counted: Counted, parameters: SegmentParameters) -> Mixture:
    """Fit as many segments, up to `most`, as lower the criterion, one after the other.

    It is the Bayesian information criterion (Schwarz 1978).
    """
    best = _best_mixture(counted, 1, parameters)
    for segments in range(2, parameters.most + 1):
        mixture = _best_mixture(counted, segments, parameters)
        if _criterion(mixture, counted) >= _criterion(best, counted):
            break
        best = mixture
    return best


def _criterion(mixture: Mixture, counted: Counted) -> float:
    free = mixture.rates.size + mixture.shares.size - 1
    return free * float(np.log(len(counted.counts))) - 2 * mixture.log_likelihood


def _best_mixture(counted: Counted, segments: int, parameters: SegmentParameters) -> Mixture:
    """Return the likeliest mixture of so many segments that any of several searches finds."""
    random = np.random.default_rng(parameters.seed)
    size = segments, len(counted.overall)
    starts = [np.exp(random.normal(0, SPREAD, size)) for _ in range(parameters.starts)]
    found = [_searched(counted, start * counted.overall) for start in starts]
    return max(found, key=lambda mixture: mixture.log_likelihood)


def _searched(counted: Counted, rates: Array) -> Mixture:
    """Search by expectation and maximisation (Dempster, Laird and Rubin 1977) from given rates.

    einsum and no product of matrices: BLAS adds in an order that depends on the cores.
    """
    customers, segments = len(counted.counts), len(rates)
    shares, before = np.full(segments, 1 / segments), -np.inf
    for _ in range(MOST_STEPS):
        logs = np.einsum("nr,kr->nk", counted.counts, np.log(rates))
        logs += np.log(shares) - np.einsum("nr,kr->nk", counted.pers, rates)
        highest = logs.max(axis=1, keepdims=True)
        weights = np.exp(logs - highest)
        total = weights.sum(axis=1, keepdims=True)
        likelihood = float((highest + np.log(total)).sum())
        if likelihood - before < LEAST_GAIN:
            break
        before, weights = likelihood, weights / total
        shares = (weights.sum(axis=0) + 1) / (customers + segments)
        expected = np.einsum("nk,nr->kr", weights, counted.counts)
        exposed = np.einsum("nk,nr->kr", weights, counted.pers)
        prior = counted.prior
        rates = (expected + prior * counted.overall) / (exposed + prior)
    return Mixture(shares, rates, likelihood)
