"""From features to a model's inputs: segments, shrunken rates, logarithms, plain features."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.errors import UserError
from sparkify.ml.segments import CustomerSegments, fit_segments, get_segments
from sparkify.ml.shrunken_rates import Logarithms, Rate, ShrunkenRates, learn_overall_rates
from sparkify.pipelines.modelling.input_definitions import LOG_PREFIX
from sparkify.pipelines.modelling.input_definitions import Rate as RateDefinition
from sparkify.pipelines.modelling.parameters import InputParameters, SegmentParameters
from sparkify.schemas import KEYS

Stage = TypeVar("Stage")
INPUTS, LABEL, WEIGHT = "inputs", "label", "weight"
NOT_FEATURES = (*KEYS, "churned", "is_trainable", LABEL, WEIGHT)


class InputError(UserError):
    """An input refers to a missing feature, or has the name of one."""


def list_feature_columns(model_input: DataFrame) -> list[str]:
    """List the columns of a model input except keys, label, split and weight."""
    return [name for name in model_input.columns if name not in NOT_FEATURES]


def fit_inputs(train: DataFrame, parameters: InputParameters) -> PipelineModel:
    """Return the stages that compute the vector `inputs` from features, fitted to training rows.

    The order is: probabilities of the segments, if there are several; rates; features, some of
    them as logarithms. Raises an InputError for a feature that is not in `train`, and for a rate
    with the name of a feature.
    """
    columns = list_feature_columns(train)
    _require_features(columns, parameters)
    plain = dict.fromkeys(columns, True)
    if parameters.plain is not None:
        plain = {name: definition.log for name, definition in parameters.plain.items()}
    logarithms = {name: LOG_PREFIX + name for name, is_log in plain.items() if is_log}
    names = [*parameters.rates, *(logarithms.get(name, name) for name in plain)]
    stages: list[Transformer] = [
        ShrunkenRates(learn_overall_rates(train, _create_rates(parameters.rates))),
        Logarithms(list(logarithms), list(logarithms.values())),
    ]
    segments = parameters.segments and fit_customer_segments(train, parameters.segments)
    if segments:
        stages.append(segments)
        names = [*segments.getOutputCols(), *names]
    return PipelineModel([*stages, VectorAssembler(inputCols=names, outputCol=INPUTS)])


def _require_features(columns: Sequence[str], parameters: InputParameters) -> None:
    duplicates = sorted(set(parameters.rates) & set(columns))
    if duplicates:
        raise InputError(
            f"inputs.rates: {', '.join(duplicates)} is the name of a feature already; rename it."
        )
    missing = sorted({*parameters.named_features.values()} - set(columns))
    if missing:
        raise InputError(
            f"inputs name features that the table does not have: {', '.join(missing)}."
        )


def _create_rates(definitions: Mapping[str, RateDefinition]) -> list[Rate]:
    return [Rate(name, rate.count, rate.per, rate.prior) for name, rate in definitions.items()]


def fit_customer_segments(
    train: DataFrame, parameters: SegmentParameters
) -> CustomerSegments | None:
    """Fit segments to the last row of at most `max_users` users; None if one segment fits best.

    Users are selected and ordered by hash.
    """
    rates = _create_rates(parameters.rates)
    columns = sorted({name for rate in rates for name in (rate.count, rate.denominator)})
    last = train.groupBy("user_id").agg(F.max_by(F.struct(*columns), "cutoff").alias("last"))
    by_hash = last.orderBy(F.xxhash64("user_id"), "user_id").limit(parameters.max_users)
    customers = by_hash.select("last.*").toPandas()
    return fit_segments(
        customers, rates, parameters.max_segments, parameters.starts, parameters.seed
    )


class PlainInput(NamedTuple):
    """An input of a fitted model that is not a rate."""

    name: str
    feature: str | None  # None for a segment's probability


def describe_inputs(model: PipelineModel) -> list[PlainInput | Rate]:
    """List the inputs of a fitted model in order, with the features that they are computed from."""
    rates = {rate.name: rate for rate in _get_stage(model, ShrunkenRates).rates}
    logarithms = _get_stage(model, Logarithms)
    features: dict[str, str | None] = dict(
        zip(logarithms.getOutputCols(), logarithms.getInputCols(), strict=True)
    )
    segments = get_segments(model)
    features |= dict.fromkeys(segments.getOutputCols() if segments else [])
    return [
        rates.get(name) or PlainInput(name, features.get(name, name)) for name in list_inputs(model)
    ]


def list_inputs(model: PipelineModel) -> list[str]:
    """List the names of a fitted model's inputs in order."""
    return list(_get_stage(model, VectorAssembler).getInputCols())


def list_features(model: PipelineModel) -> set[str]:
    """List the features that a fitted model's inputs are computed from."""
    segments = get_segments(model)
    inputs = [*describe_inputs(model), *(segments.rates if segments else [])]
    rates = [each for each in inputs if isinstance(each, Rate)]
    plain = {each.feature for each in inputs if isinstance(each, PlainInput) and each.feature}
    return plain | {name for rate in rates for name in (rate.count, rate.denominator)}


def find_moderator(model: PipelineModel, parameters: InputParameters) -> int | None:
    """Return the position of the moderator among a model's inputs; None if it has none."""
    name = parameters.moderator
    if name is None:
        return None
    names = list_inputs(model)
    return names.index(name if name in names else LOG_PREFIX + name)


def _get_stage(model: PipelineModel, kind: type[Stage]) -> Stage:
    return next(stage for stage in model.stages if isinstance(stage, kind))
