"""Segments: latent classes of customers that differ in the rates of what they do.

A finite mixture (McLachlan and Peel 2000, "Finite Mixture Models"; latent class analysis in the
social sciences). Within a segment a count is Poisson with the denominator times the segment's rate
as its mean. Segments are learnt without labels, so all customers contribute, not only the few who
churn. How a segment relates to churn is learnt by the classifier behind.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.param import TypeConverters
from pyspark.ml.param.shared import HasOutputCols
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame

from sparkify.ml.bootstrap import Array
from sparkify.ml.poisson_mixture import RateData, fit_mixture
from sparkify.ml.shrunken_rates import HasRates, Rate, learnt_param

DIGITS = 6  # kept of a rate: beyond them processors differ, without effect on a forecast
LOG_LIKELIHOOD = "log_of_"  # prefix of temporary columns


class CustomerSegments(
    Transformer,
    HasRates,
    HasOutputCols,
    DefaultParamsReadable["CustomerSegments"],
    DefaultParamsWritable,
):
    """Adds the posterior probability of each segment but the first, the largest.

    Without any history it is the segment's share.
    """

    shares = learnt_param("shares", "share of customers, by segment", TypeConverters.toListFloat)
    segment_rates = learnt_param(
        "segment_rates", "rates, by segment and rate", TypeConverters.toListListFloat
    )

    def __init__(
        self,
        rates: Sequence[Rate] = (),
        shares: Sequence[float] = (),
        segment_rates: Sequence[Sequence[float]] = (),
    ) -> None:
        super().__init__()
        self.set_rates(rates)
        self._set(shares=list(shares), segment_rates=list(map(list, segment_rates)))
        self._set(outputCols=[_column(place) for place in range(1, len(shares))])

    def _transform(self, dataset: DataFrame) -> DataFrame:
        # As text: each operation on a Column is a call to Java.
        shares = self.getOrDefault(self.shares)
        logs = [f"{LOG_LIKELIHOOD}{_column(place)}" for place in range(len(shares))]
        likelihoods = map(self._log_likelihood, shares, self.getOrDefault(self.segment_rates))
        columns = (f"{value} AS {log}" for value, log in zip(likelihoods, logs, strict=True))
        probabilities = [
            f"1 / ({' + '.join(f'exp({other} - {log})' for other in logs)}) AS {_column(place)}"
            for place, log in enumerate(logs)
            if place
        ]
        return dataset.selectExpr("*", *columns).selectExpr("*", *probabilities).drop(*logs)

    def _log_likelihood(self, share: float, segment_rates: list[float]) -> str:
        """Return log(share * likelihood), except for terms that are equal in all segments."""
        terms = (
            f"{rate.count} * {float(np.log(value))}D - {rate.denominator} * {value}D"
            for rate, value in zip(self.rates, segment_rates, strict=True)
        )
        return " + ".join([f"{float(np.log(share))}D", *terms])


def _column(place: int) -> str:
    return f"segment_{place + 1}"


def get_segments(model: PipelineModel) -> CustomerSegments | None:
    """Return the stage of a fitted model that adds segments; None if it has none."""
    return next((stage for stage in model.stages if isinstance(stage, CustomerSegments)), None)


def fit_segments(
    customers: pd.DataFrame,
    rates: Sequence[Rate],
    max_segments: int,
    starts: int,
    seed: int,
) -> CustomerSegments | None:
    """Fit segments to one row per customer; None if one segment fits best.

    Args:
        customers: the columns of the rates.
        rates: definitions; those with no count or no denominator at all are left out.
        max_segments: the highest number of segments.
        starts: searches per number of segments; the one with the highest likelihood counts.
        seed: seed of the searches.
    """
    totals = customers.astype(float).sum()
    used = [rate for rate in rates if totals[rate.count] > 0 and totals[rate.denominator] > 0]
    if not used:
        return None
    data = RateData(
        customers[[rate.count for rate in used]].to_numpy(float),
        customers[[rate.denominator for rate in used]].to_numpy(float),
        np.array([rate.prior for rate in used]),
    )
    mixture = fit_mixture(data, max_segments, starts, seed)
    if len(mixture.shares) == 1:
        return None
    overall = zip(used, _rounded(data.overall), strict=True)
    order = np.argsort(-mixture.shares, kind="stable")
    return CustomerSegments(
        [replace(rate, overall=value) for rate, value in overall],
        _rounded(mixture.shares[order]),
        [_rounded(values) for values in mixture.rates[order]],
    )


def _rounded(values: Array) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
