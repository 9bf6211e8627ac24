"""Inputs computed from features: rates shrunken towards the average, and logarithms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.ml import Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasInputCols, HasOutputCols
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.spark.functions import collect_one_row


@dataclass(frozen=True)
class Rate:
    """A count per denominator, and its shrinkage towards the overall rate.

    A customer's rate is computed as if `prior` more of the denominator had been observed at the
    `overall` rate. That is the rate of all training rows together. It is 0 before it is learnt, or
    where training rows have a count of 0.
    """

    name: str
    count: str
    denominator: str
    prior: float
    overall: float = 0.0


def learn_overall_rates(train: DataFrame, rates: Sequence[Rate]) -> list[Rate]:
    """Return the rates with `overall` computed from training rows."""
    columns = sorted({name for rate in rates for name in (rate.count, rate.denominator)})
    if not columns:
        return []
    # Decimals: a sum of doubles would depend on the order of the rows.
    sums = [F.sum(F.col(name).cast("decimal(28,9)")).alias(name) for name in columns]
    row = collect_one_row(train.agg(*sums))
    totals: Mapping[str, float] = {name: float(row[name] or 0) for name in columns}
    return [
        replace(rate, overall=totals[rate.count] / totals[rate.denominator])
        if totals[rate.denominator]
        else rate
        for rate in rates
    ]


def declare_param(name: str, doc: str, converter: Callable[[Any], Any]) -> "Param[Any]":
    """Declare a parameter of a transformer."""
    return Param(Params._dummy(), name, doc, converter)


class HasRates(Params):
    """Mixin for transformers of rates: each parameter has one value per rate."""

    names = declare_param("names", "names of the rates", TypeConverters.toListString)
    counts = declare_param("counts", "columns with the counts", TypeConverters.toListString)
    denominators = declare_param(
        "denominators", "columns that the counts are divided by", TypeConverters.toListString
    )
    priors = declare_param(
        "priors", "weights of the priors, in units of the denominator", TypeConverters.toListFloat
    )
    overall = declare_param("overall", "rates of all training rows", TypeConverters.toListFloat)

    def set_rates(self, rates: Sequence[Rate]) -> None:
        """Set the parameters from rates."""
        self._set(
            names=[rate.name for rate in rates],
            counts=[rate.count for rate in rates],
            denominators=[rate.denominator for rate in rates],
            priors=[rate.prior for rate in rates],
            overall=[rate.overall for rate in rates],
        )

    @property
    def rates(self) -> list[Rate]:
        """The rates that the parameters hold."""
        params = (self.names, self.counts, self.denominators, self.priors, self.overall)
        return [Rate(*values) for values in zip(*map(self.getOrDefault, params), strict=True)]


class ShrunkenRates(
    Transformer, HasRates, DefaultParamsReadable["ShrunkenRates"], DefaultParamsWritable
):
    """Adds ln((count + prior * overall) / (denominator + prior) / overall) of each rate.

    0 for an average customer and for one without any history. Where the overall rate is 0, the
    column is 0 for all customers.
    """

    def __init__(self, rates: Sequence[Rate] = ()) -> None:
        super().__init__()
        self.set_rates(rates)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        # SQL text: each operation on a Column would be a call to Java.
        return dataset.selectExpr("*", *map(_format_shrunken_rate, self.rates))


def _format_shrunken_rate(rate: Rate) -> str:
    if rate.overall <= 0:
        return f"0.0D AS {rate.name}"
    count = f"({rate.count} + {rate.prior * rate.overall!r})"
    denominator = f"({rate.denominator} + {rate.prior!r})"
    return f"ln({count} / {denominator} / {rate.overall!r}) AS {rate.name}"


class Logarithms(
    Transformer,
    HasInputCols,
    HasOutputCols,
    DefaultParamsReadable["Logarithms"],
    DefaultParamsWritable,
):
    """Adds ln(1 + x) of each input column."""

    def __init__(
        self, input_columns: Sequence[str] = (), output_columns: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._set(inputCols=list(input_columns), outputCols=list(output_columns))

    def _transform(self, dataset: DataFrame) -> DataFrame:
        columns = zip(self.getInputCols(), self.getOutputCols(), strict=True)
        return dataset.selectExpr("*", *(f"ln(1 + {name}) AS {log}" for name, log in columns))
