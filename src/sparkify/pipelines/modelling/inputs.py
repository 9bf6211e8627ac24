"""From features to what a model looks at: segments, rates shrunk towards all, and logarithms."""

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.feature import SQLTransformer, VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.errors import UserError
from sparkify.ml.segments import LearntRate, learnt_segments, segments_of
from sparkify.pipelines.modelling.input_definitions import LOG
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import collect_one_row

Stage = TypeVar("Stage")
INPUTS, LABEL, WEIGHT = "inputs", "label", "weight"
# What `input_model` writes of a rate, of a logarithm, and of a rate that is always 0.
RATE = re.compile(r"ln\(\((\w+) \+ \S+\) / \((\w+) \+ (\S+)\) / (\S+)\) AS (\w+)")
LOGGED = re.compile(r"ln\(1 \+ (\w+)\) AS (\w+)")
UNKNOWN = re.compile(r"0\.0D AS (\w+)")
NOT_FEATURES = (*KEYS, "churned", "is_trainable", LABEL, WEIGHT)


class InputError(UserError):
    """An input names a feature that the table does not have."""


def feature_columns(model_input: DataFrame) -> list[str]:
    """List the columns of a model input that a model may use."""
    return [name for name in model_input.columns if name not in NOT_FEATURES]


def _input_names(columns: Sequence[str], parameters: InputParameters) -> list[str]:
    """List the inputs in order, but for segments.

    Raises:
        InputError: if a feature that is named is not there, or a rate is called like one.
    """
    rates, plain = parameters.rates, parameters.plain
    doubled = sorted(set(rates) & set(columns))
    if doubled:
        raise InputError(f"inputs.rates: {', '.join(doubled)} is the name of a feature already.")
    missing = sorted({*parameters.named_features.values()} - set(columns))
    if missing:
        raise InputError(
            f"inputs name features that the table does not have: {', '.join(missing)}."
        )
    if plain is None:
        return [*rates, *(LOG + name for name in columns)]
    return [*rates, *(LOG + name if how.log else name for name, how in plain.items())]


def input_model(train: DataFrame, parameters: InputParameters) -> PipelineModel:
    """Return what adds the vector `inputs` to features, as it is learnt from training rows.

    First come the probabilities of the segments, if there are several. A rate is the logarithm of
    (count + prior * r) / (per + prior) / r, with r the rate of all training rows together: 0 for
    a customer like all others, and for one not known yet. Where r is 0 there is nothing to tell
    customers apart by, and the input is 0.

    Raises:
        InputError: if a feature that is named is not in `train`, or a rate is called like one.
    """
    columns = feature_columns(train)
    names = _input_names(columns, parameters)
    rates = parameters.rates.values()
    total = _totals(train, sorted({name for rate in rates for name in (rate.count, rate.per)}))
    terms = []
    for name, rate in parameters.rates.items():
        overall = total[rate.count] / total[rate.per] if total[rate.per] else 0.0
        if overall > 0:
            shrunk = f"({rate.count} + {rate.prior * overall!r}) / ({rate.per} + {rate.prior!r})"
            terms.append(f"ln({shrunk} / {overall!r}) AS {name}")
        else:
            terms.append(f"0.0D AS {name}")
    logged = [name for name in names if name not in {*parameters.rates, *columns}]
    terms += [f"ln(1 + {name.removeprefix(LOG)}) AS {name}" for name in logged]
    statement = f"SELECT {', '.join(['*', *terms])} FROM __THIS__"  # noqa: S608 -- own names
    stages: list[Transformer] = [SQLTransformer(statement=statement)]
    segments = learnt_segments(train, parameters.segments) if parameters.segments else None
    if segments is not None:
        stages.append(segments)
        names = [*segments.getOutputCols(), *names]
    return PipelineModel([*stages, VectorAssembler(inputCols=names, outputCol=INPUTS)])


def _totals(train: DataFrame, columns: list[str]) -> dict[str, float]:
    if not columns:
        return {}
    # Decimals: a sum of fractions in doubles would depend on the order of the rows.
    exact = [F.sum(F.col(name).cast("decimal(28,9)")).alias(name) for name in columns]
    row = collect_one_row(train.agg(*exact))
    return {name: float(row[name] or 0) for name in columns}


class LearntInput(NamedTuple):
    """An input of a fitted model that is no rate: a feature, or a segment's probability."""

    name: str
    # None for a segment, and for a rate that training knew nothing of: the input is 0.
    feature: str | None


def learnt_inputs(model: PipelineModel) -> list[LearntInput | LearntRate]:
    """List what the inputs of a fitted model are made of, in order, as its own stages say.

    They begin as what `input_model` returns.
    """
    statement = str(_first(model, SQLTransformer).getStatement())
    segments = segments_of(model)
    rates = {
        name: LearntRate(name, count, per, float(prior), float(overall))
        for count, per, prior, overall, name in RATE.findall(statement)
    }
    logged = {name: LearntInput(name, feature) for feature, name in LOGGED.findall(statement)}
    unknown = {name: LearntInput(name, None) for name in UNKNOWN.findall(statement)}
    told = segments.getOutputCols() if segments else []
    of_segments = {name: LearntInput(name, None) for name in told}
    made: dict[str, LearntInput | LearntRate] = {**rates, **logged, **unknown, **of_segments}
    return [made.get(name, LearntInput(name, name)) for name in inputs_of(model)]


def inputs_of(model: PipelineModel) -> list[str]:
    """Name the inputs of a fitted model, in order."""
    return list(_first(model, VectorAssembler).getInputCols())


def moderator_place(model: PipelineModel, parameters: InputParameters) -> int | None:
    """Return the place of the moderator among a model's inputs; None where there is none."""
    name = parameters.moderator
    if name is None:
        return None
    names = inputs_of(model)
    return names.index(name if name in names else LOG + name)


def features_of(model: PipelineModel) -> set[str]:
    """Name the features that a fitted model's inputs are made of."""
    segments = segments_of(model)
    learnt = [*learnt_inputs(model), *(segments.learnt_rates if segments else [])]
    rates = [one for one in learnt if isinstance(one, LearntRate)]
    plain = {one.feature for one in learnt if isinstance(one, LearntInput) and one.feature}
    return plain | {name for rate in rates for name in (rate.count, rate.per)}


def _first(model: PipelineModel, kind: type[Stage]) -> Stage:
    return next(stage for stage in model.stages if isinstance(stage, kind))
