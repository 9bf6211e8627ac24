"""Finite mixtures of Poisson counts, fitted to a table of customers."""

from typing import NamedTuple

import numpy as np

from sparkify.ml.bootstrap import Array

MIN_GAIN = 0.01  # of the log-likelihood; a search ends when a step gains less
MAX_STEPS = 200
SPREAD = 0.3  # standard deviation of the log-rates that a search starts from


class RateData(NamedTuple):
    """Customers' counts and denominators: a row per customer, a column per rate."""

    counts: Array
    denominators: Array
    priors: Array  # per rate: pseudo-observations of the denominator, at the overall rate

    @property
    def overall(self) -> Array:
        """The rates of all customers together."""
        return np.asarray(self.counts.sum(axis=0) / self.denominators.sum(axis=0))


class Mixture(NamedTuple):
    """Segments: the share of each, and one row of rates for each."""

    shares: Array
    rates: Array
    log_likelihood: float  # of the counts, except for terms that are equal in all segments


def fit_mixture(data: RateData, max_segments: int, starts: int, seed: int) -> Mixture:
    """Fit a mixture, adding segments while the BIC (Schwarz 1978) falls.

    Args:
        data: the customers.
        max_segments: the highest number of segments.
        starts: searches per number of segments; the one with the highest likelihood is kept.
        seed: seed of the searches' initial rates.
    """
    best = _fit_segments(data, 1, starts, seed)
    for segments in range(2, max_segments + 1):
        mixture = _fit_segments(data, segments, starts, seed)
        if _compute_bic(mixture, data) >= _compute_bic(best, data):
            break
        best = mixture
    return best


def _compute_bic(mixture: Mixture, data: RateData) -> float:
    parameters = mixture.rates.size + mixture.shares.size - 1
    return parameters * float(np.log(len(data.counts))) - 2 * mixture.log_likelihood


def _fit_segments(data: RateData, segments: int, starts: int, seed: int) -> Mixture:
    """Return the result with the highest likelihood of several searches."""
    random = np.random.default_rng(seed)
    size = segments, len(data.overall)
    factors = [np.exp(random.normal(0, SPREAD, size)) for _ in range(starts)]
    mixtures = [_maximise_likelihood(data, factor * data.overall) for factor in factors]
    return max(mixtures, key=lambda mixture: mixture.log_likelihood)


def _maximise_likelihood(data: RateData, rates: Array) -> Mixture:
    """Search by expectation-maximisation (Dempster, Laird and Rubin 1977) from initial rates.

    Uses einsum instead of matrix products: BLAS sums in an order that depends on the cores.
    """
    counts, denominators, priors = data
    overall = data.overall
    customers, segments = len(counts), len(rates)
    shares, previous = np.full(segments, 1 / segments), -np.inf
    for _ in range(MAX_STEPS):
        log_likelihoods = np.einsum("nr,kr->nk", counts, np.log(rates))
        log_likelihoods += np.log(shares) - np.einsum("nr,kr->nk", denominators, rates)
        highest = log_likelihoods.max(axis=1, keepdims=True)
        weights = np.exp(log_likelihoods - highest)
        total = weights.sum(axis=1, keepdims=True)
        likelihood = float((highest + np.log(total)).sum())
        if likelihood - previous < MIN_GAIN:
            break
        previous, weights = likelihood, weights / total
        shares = (weights.sum(axis=0) + 1) / (customers + segments)
        events = np.einsum("nk,nr->kr", weights, counts)
        exposure = np.einsum("nk,nr->kr", weights, denominators)
        rates = (events + priors * overall) / (exposure + priors)
    return Mixture(shares, rates, likelihood)
