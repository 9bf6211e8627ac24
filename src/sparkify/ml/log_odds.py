"""Probabilities and their log-odds; all that Spark's Python workers need for it is NumPy."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
# No forecast is certain: one that was and failed would cost an infinite logarithm.
LEAST, MOST = 1e-6, 1 - 1e-6


def log_odds(probability: Array) -> Array:
    """Return the logarithm of p / (1 - p), with p kept off 0 and 1."""
    clipped = probability.clip(LEAST, MOST)
    return np.asarray(np.log(clipped / (1 - clipped)))


def of_log_odds(odds: Array) -> Array:
    """Return the probability that has these log-odds."""
    return np.asarray(1 / (1 + np.exp(-odds)))
