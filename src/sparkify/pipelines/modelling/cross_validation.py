"""Trials fitted: on prepared rows, on folds of users, side by side."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple, TypeVar

import pandas as pd
from py4j.protocol import Py4JJavaError
from pyspark import inheritable_thread_target
from pyspark.ml import PipelineModel, Transformer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.ml.calibration import UNCALIBRATED
from sparkify.pipelines.modelling.candidates import Trial, build_pipeline, list_trials
from sparkify.pipelines.modelling.folds import fold_of
from sparkify.pipelines.modelling.inputs import (
    INPUTS,
    LABEL,
    find_moderator,
    fit_inputs,
    list_inputs,
)
from sparkify.pipelines.modelling.parameters import InputParameters, ModellingParameters
from sparkify.pipelines.modelling.resampling import balance_classes
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
# Spark repeats a task whose machine is lost, but not tasks that have to run together, as
# XGBoost's do: what it says then has this in it, and the whole fit is repeated.
LOST_TOGETHER = "failed barrier"
FITS_AGAIN = 2


def labelled(rows: DataFrame, partitions: int) -> DataFrame:
    """Return rows with a `label`, in partitions and an order that no machine changes."""
    with_label = rows.withColumn(LABEL, F.col("churned").cast("double"))
    return with_label.repartition(partitions, "user_id").sortWithinPartitions(*KEYS)


class Prepared(NamedTuple):
    """Training rows as every candidate takes them: described, balanced and kept in memory."""

    described: PipelineModel
    rows: DataFrame
    moderator: int | None


def prepared(
    train: DataFrame, inputs: InputParameters, parameters: ModellingParameters
) -> Prepared:
    """Learn from training rows how to describe customers, and describe and balance them."""
    described = fit_inputs(train, inputs)
    rows = labelled(described.transform(train), parameters.partitions)
    names, place = list_inputs(described), find_moderator(described, inputs)
    return Prepared(
        described,
        balance_classes(rows.select(*KEYS, LABEL, INPUTS), names, parameters).cache(),
        place,
    )


@contextmanager
def kept_prepared(
    train: DataFrame, inputs: InputParameters, parameters: ModellingParameters
) -> Iterator[Prepared]:
    """Prepare training rows, and let go of them at the end."""
    ready = prepared(train, inputs, parameters)
    try:
        yield ready
    finally:
        ready.rows.unpersist()


def fitted(ready: Prepared, trial: Trial, parameters: ModellingParameters) -> PipelineModel:
    """Fit a trial on prepared rows: from features to `uncalibrated`, a probability."""
    candidate = fitted_candidate(ready, trial, parameters)
    return PipelineModel([*ready.described.stages, *candidate.stages])


def fitted_candidate(
    ready: Prepared, trial: Trial, parameters: ModellingParameters
) -> PipelineModel:
    """Fit a trial's own stages on prepared rows: from `inputs` to `uncalibrated`.

    A fit that loses a machine of a cluster is made again, up to twice.
    """
    pipeline = build_pipeline(trial, ready.moderator, parameters.seed, parameters.partitions)
    for _ in range(FITS_AGAIN):
        try:
            return pipeline.fit(ready.rows)
        except Py4JJavaError as error:
            if LOST_TOGETHER not in str(error):
                raise
            logger.info("A worker was lost: fitting %s again", trial)
    return pipeline.fit(ready.rows)


def cross_validated(
    train: DataFrame, inputs: InputParameters, parameters: ModellingParameters
) -> pd.DataFrame:
    """Predict every training row with every trial, fitted on the other folds.

    Returns:
        One row per trial, repeat and training row: `trial` (its place in `list_trials`),
        `repeat`, `fold`, the row's keys, `churned`, `probability` (not calibrated) and the fit's
        `fit_seconds`.
    """
    competing = list_trials(parameters)
    rows = train.cache()
    splits = list(product(range(parameters.fold_repeats), range(parameters.folds)))
    total = len(competing) * len(splits)
    done: list[int] = []

    def prepare(repeat: int, fold: int) -> tuple[Prepared, DataFrame]:
        is_held_out = fold_of(repeat, parameters) == fold
        learnt_from = prepared(rows.where(~is_held_out), inputs, parameters)
        held_out = learnt_from.described.transform(rows.where(is_held_out))
        return learnt_from, held_out.select(*KEYS, "churned", INPUTS).cache()

    def out_of_fold(place: int, repeat: int, fold: int) -> pd.DataFrame:
        learnt_from, held_out = ready[repeat, fold]
        start = time.perf_counter()
        model = fitted_candidate(learnt_from, competing[place], parameters)
        seconds = time.perf_counter() - start
        predicted = probabilities(model, held_out)
        done.append(place)
        told = (len(done), total, competing[place], fold + 1, seconds)
        logger.info("Fit %d/%d: %s, fold %d, %.1f s", *told)
        return predicted.assign(trial=place, repeat=repeat, fold=fold, fit_seconds=seconds)

    ready: dict[tuple[int, int], tuple[Prepared, DataFrame]] = {}
    try:
        prepares = in_parallel(prepare, splits, rows, parameters.parallel_fits)
        ready.update(zip(splits, prepares, strict=True))
        # Unlike candidates side by side: some keep Java busy, others Python. The simplest last:
        # while the last of a long fit goes on, nothing is left for the other cores.
        fits = [(place, *split) for split in splits for place in reversed(range(len(competing)))]
        predictions = in_parallel(out_of_fold, fits, rows, parameters.parallel_fits)
    finally:
        for learnt_from, held_out in ready.values():
            learnt_from.rows.unpersist()
            held_out.unpersist()
        rows.unpersist()
    return pd.concat(predictions, ignore_index=True)


def in_parallel(
    work: Callable[..., Result],
    arguments: Sequence[tuple[Any, ...]],
    rows: DataFrame,
    parallel_fits: int,
) -> list[Result]:
    """Work side by side in threads, each in the rows' session."""
    in_session = inheritable_thread_target(rows.sparkSession)
    with ThreadPoolExecutor(parallel_fits) as pool:
        return list(pool.map(in_session(lambda given: work(*given)), arguments))


def probabilities(model: PipelineModel, rows: DataFrame) -> pd.DataFrame:
    """Forecast rows: keys, `churned` and `probability` before calibration, ordered by key."""
    probability = F.col(UNCALIBRATED).alias("probability")
    forecast = model.transform(rows).select(*KEYS, "churned", probability)
    return to_sorted_pandas(forecast, *KEYS)


def with_stages(model: PipelineModel, stages: list[Transformer]) -> PipelineModel:
    """Return a fitted pipeline with more stages at its end."""
    return PipelineModel([*model.stages, *stages])
