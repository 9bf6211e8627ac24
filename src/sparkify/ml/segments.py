"""Segments: latent classes of customers that differ in the rates of their actions.

A finite mixture (McLachlan and Peel 2000, "Finite Mixture Models"; latent class analysis in the
social sciences). Within a segment a count is Poisson with the denominator times the segment's rate
as its mean. Segments are learnt without labels, so all customers contribute, not only the few who
churn. The classifier that follows learns how segments relate to churn.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.param import TypeConverters
from pyspark.ml.param.shared import HasOutputCols
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.ml.bootstrap import Array
from sparkify.ml.poisson_mixture import RateData, fit_mixture
from sparkify.ml.shrunken_rates import HasRates, Rate, declare_param

DIGITS = 6  # significant digits of a rate; further ones depend on the processor
LOG_LIKELIHOOD = "log_of_"  # prefix of temporary columns


class CustomerSegments(
    Transformer,
    HasRates,
    HasOutputCols,
    DefaultParamsReadable["CustomerSegments"],
    DefaultParamsWritable,
):
    """Adds the posterior probability of each segment but the first, the largest.

    For a customer without history it equals the segment's share.
    """

    shares = declare_param("shares", "share of customers, by segment", TypeConverters.toListFloat)
    segment_rates = declare_param(
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
        self._set(outputCols=[_name_column(position) for position in range(1, len(shares))])

    def _transform(self, dataset: DataFrame) -> DataFrame:
        # SQL text: each operation on a Column would be a call to Java.
        shares = self.getOrDefault(self.shares)
        names = [_name_column(position) for position in range(len(shares))]
        logs = [f"{LOG_LIKELIHOOD}{name}" for name in names]
        values = map(self._format_log_likelihood, shares, self.getOrDefault(self.segment_rates))
        columns = (f"{value} AS {log}" for value, log in zip(values, logs, strict=True))
        probabilities = [
            f"1 / ({' + '.join(f'exp({other} - {log})' for other in logs)}) AS {name}"
            for name, log in zip(names[1:], logs[1:], strict=True)
        ]
        return dataset.selectExpr("*", *columns).selectExpr("*", *probabilities).drop(*logs)

    def _format_log_likelihood(self, share: float, segment_rates: list[float]) -> str:
        """Return log(share * likelihood) as SQL, without terms that are equal in all segments."""
        terms = (
            f"{rate.count} * {float(np.log(value))}D - {rate.denominator} * {value}D"
            for rate, value in zip(self.rates, segment_rates, strict=True)
        )
        return " + ".join([f"{float(np.log(share))}D", *terms])


def _name_column(position: int) -> str:
    return f"segment_{position + 1}"


def get_segments(model: PipelineModel) -> CustomerSegments | None:
    """Return the stage of a fitted model that adds segments; None if it has none."""
    return next((stage for stage in model.stages if isinstance(stage, CustomerSegments)), None)


def get_likely_segment(model: PipelineModel, names: Sequence[str] | None = None) -> Column:
    """Return the name of the most likely segment, from rows with the probabilities of segments.

    Null if the model has no segments. `names` are those of the segments, by default
    `segment_1`, `segment_2`, ...
    """
    segments = get_segments(model)
    if segments is None:
        return F.lit(None).cast("string")
    later = segments.getOutputCols()
    first = F.lit(1.0) - sum((F.col(name) for name in later), start=F.lit(0.0))
    probabilities = [first, *map(F.col, later)]
    highest = F.greatest(*probabilities)
    named = zip(names or [_name_column(0), *later], probabilities, strict=True)
    return F.coalesce(*(F.when(value == highest, F.lit(name)) for name, value in named))


def add_likely_segment(model: PipelineModel, customers: DataFrame) -> DataFrame:
    """Add the name of each customer's most likely segment as `segment`; null without segments."""
    segments = get_segments(model)
    with_probabilities = segments.transform(customers) if segments else customers
    later = segments.getOutputCols() if segments else []
    return with_probabilities.withColumn("segment", get_likely_segment(model)).drop(*later)


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
        rates: definitions; rates whose count or denominator is always 0 are left out.
        max_segments: the highest number of segments.
        starts: searches per number of segments; the one with the highest likelihood is kept.
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
    overall = zip(used, _round_digits(data.overall), strict=True)
    order = np.argsort(-mixture.shares, kind="stable")
    return CustomerSegments(
        [replace(rate, overall=value) for rate, value in overall],
        _round_digits(mixture.shares[order]),
        [_round_digits(values) for values in mixture.rates[order]],
    )


def _round_digits(values: Array) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
