"""Segments: the kinds of customers that differ in the rates of what they do.

A finite mixture (McLachlan and Peel 2000, "Finite Mixture Models"; latent class analysis in the
social sciences): a customer is of one of a few segments, and in a segment a count is Poisson with
the mean `per` times the segment's rate. It is learnt without labels, from all that customers do,
and so from far more than the few who leave; what a segment has to do with leaving, a candidate
learns after it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasOutputCols
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.ml.log_odds import Array
from sparkify.ml.poisson_mixture import Counted, fitted_mixture
from sparkify.pipelines.modelling.parameters import SegmentParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

DIGITS = 6  # that are kept of a rate: beyond them processors differ, and no forecast does
LOG = "log_of_"  # prefix of scratch columns


@dataclass(frozen=True)
class LearntRate:
    """A rate as it was learnt: what is counted, on what, its prior and what everybody's is."""

    name: str
    count: str
    per: str
    prior: float
    overall: float


def _learnt(name: str, meaning: str, converter: Callable[[Any], Any]) -> "Param[Any]":
    return Param(Params._dummy(), name, meaning, converter)


class CustomerSegments(
    Transformer,
    HasOutputCols,
    DefaultParamsReadable["CustomerSegments"],
    DefaultParamsWritable,
):
    """Adds the probability of each segment but the first, the largest, by a customer's counts.

    Of somebody of whom nothing is known yet it is the segment's share among all.
    """

    names = _learnt("names", "of the rates", TypeConverters.toListString)
    counts = _learnt("counts", "what is counted, by rate", TypeConverters.toListString)
    pers = _learnt("pers", "what it is counted on, by rate", TypeConverters.toListString)
    priors = _learnt("priors", "of the rates", TypeConverters.toListFloat)
    overall = _learnt("overall", "everybody's rates", TypeConverters.toListFloat)
    shares = _learnt("shares", "of customers, by segment", TypeConverters.toListFloat)
    rates = _learnt("rates", "by segment and rate", TypeConverters.toListListFloat)

    def __init__(self, **learnt: list[str] | list[float] | list[list[float]]) -> None:
        super().__init__()
        self._set(**learnt)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        # As text: of Columns every sum and product would be a call to Java.
        shares, rates = (self.getOrDefault(name) for name in ("shares", "rates"))
        names = [f"{LOG}{_name(place)}" for place in range(len(shares))]
        logs = map(self._log_likelihood, shares, rates)
        named = (f"{log} AS {name}" for log, name in zip(logs, names, strict=True))
        likely = dataset.selectExpr("*", *named)
        probabilities = [
            f"1 / ({' + '.join(f'exp({other} - {own})' for other in names)}) AS {_name(place)}"
            for place, own in enumerate(names)
            if place
        ]
        return likely.selectExpr("*", *probabilities).drop(*names)

    @property
    def learnt_rates(self) -> list[LearntRate]:
        """The rates it tells segments by."""
        wanted = ("names", "counts", "pers", "priors", "overall")
        return [LearntRate(*of) for of in zip(*map(self.getOrDefault, wanted), strict=True)]

    def _log_likelihood(self, share: float, rates: list[float]) -> str:
        """Return the logarithm of a segment's share and likelihood, but for what all share."""
        counts, pers = (self.getOrDefault(name) for name in ("counts", "pers"))
        terms = (
            f"{count} * {float(np.log(rate))}D - {per} * {rate}D"
            for count, per, rate in zip(counts, pers, rates, strict=True)
        )
        return " + ".join([f"{float(np.log(share))}D", *terms])


def _name(place: int) -> str:
    return f"segment_{place + 1}"


def segments_of(model: PipelineModel) -> CustomerSegments | None:
    """Return the stage of a fitted model that tells segments; None where it has none."""
    return next((stage for stage in model.stages if isinstance(stage, CustomerSegments)), None)


def learnt_segments(train: DataFrame, parameters: SegmentParameters) -> CustomerSegments | None:
    """Learn from training rows which segments there are; None if all customers are alike.

    Each user counts once, with the last cutoff's history.
    """
    rows = _last_histories(train, parameters)
    seen = {
        name: rate
        for name, rate in parameters.rates.items()
        if rows[rate.count].sum() > 0 and rows[rate.per].sum() > 0
    }
    if not seen:
        return None
    counted = Counted.of(rows, list(seen.values()))
    mixture = fitted_mixture(counted, parameters)
    if len(mixture.shares) == 1:
        return None
    order = np.argsort(-mixture.shares, kind="stable")
    return CustomerSegments(
        names=list(seen),
        counts=[rate.count for rate in seen.values()],
        pers=[rate.per for rate in seen.values()],
        priors=[rate.prior for rate in seen.values()],
        overall=_rounded(counted.overall),
        shares=_rounded(mixture.shares[order]),
        rates=[_rounded(rates) for rates in mixture.rates[order]],
        outputCols=[_name(place) for place in range(1, len(order))],
    )


def _last_histories(train: DataFrame, parameters: SegmentParameters) -> pd.DataFrame:
    """Return the last row of each of at most `most_users` users, chosen and ordered by hash."""
    columns = sorted(
        {name for rate in parameters.rates.values() for name in (rate.count, rate.per)}
    )
    last = train.groupBy("user_id").agg(F.max_by(F.struct(*columns), "cutoff").alias("last"))
    by_hash = last.orderBy(F.xxhash64("user_id"), "user_id").limit(parameters.most_users)
    rows: pd.DataFrame = by_hash.select("last.*").toPandas()
    return rows.astype(float)


def _rounded(values: Array) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]


def segment_table(churn_model: PipelineModel, train: DataFrame) -> pd.DataFrame:
    """Describe the champion's segments, the largest first: one row per segment, and one of `all`.

    `share` is that among the users it learnt from, `churned` that of churners among the training
    snapshots, each as far as it is of the segment; then each rate by its name. No rows where all
    customers are alike.
    """
    stage = segments_of(churn_model)
    if stage is None:
        return pd.DataFrame(columns=["segment", "share", "churned"])
    names = [rate.name for rate in stage.learnt_rates]
    table = pd.DataFrame(stage.getOrDefault("rates"), columns=names)
    table.loc[len(table)] = [rate.overall for rate in stage.learnt_rates]
    others = stage.getOutputCols()
    rows = to_sorted_pandas(stage.transform(train).select(*KEYS, "churned", *others), *KEYS)
    first = 1 - rows[others].sum(axis="columns")
    weights = np.column_stack([first, rows[others], np.ones(len(rows))])
    churned = rows["churned"].to_numpy(float)
    told = {
        "segment": [*map(str, range(1, len(table))), "all"],
        "share": [*stage.getOrDefault("shares"), 1.0],
        "churned": (weights * churned[:, None]).sum(axis=0) / weights.sum(axis=0),
    }
    return pd.concat([pd.DataFrame(told), table], axis="columns")
