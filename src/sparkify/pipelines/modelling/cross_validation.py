"""Fit trials to prepared rows and to folds of users, several fits concurrently."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import reduce
from itertools import count, product
from typing import Any, NamedTuple, TypeVar

from py4j.protocol import Py4JJavaError
from pyspark import inheritable_thread_target
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.ml.calibration import UNCALIBRATED
from sparkify.pipelines.modelling.candidates import Trial, build_pipeline, list_trials
from sparkify.pipelines.modelling.folds import assign_fold
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

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
# Spark retries the task of a lost worker, but not XGBoost's, which run in a barrier stage. The
# error then contains this text, and the whole fit is repeated.
BARRIER_FAILED = "failed barrier"
MAX_REPEATED_FITS = 2


class Prepared(NamedTuple):
    """Training rows for every candidate, with inputs, balanced and cached."""

    input_model: PipelineModel
    rows: DataFrame
    moderator: int | None


def prepare_rows(
    train: DataFrame, inputs: InputParameters, parameters: ModellingParameters
) -> Prepared:
    """Learn the inputs from training rows, and compute, balance and cache them.

    Partitions and order of the rows do not depend on the machine. The caller unpersists `rows`, as
    `prepared_rows` does.
    """
    learnt = fit_inputs(train, inputs)
    labelled = learnt.transform(train).withColumn(LABEL, F.col("churned").cast("double"))
    ordered = labelled.repartition(parameters.partitions, "user_id").sortWithinPartitions(*KEYS)
    rows = balance_classes(ordered.select(*KEYS, LABEL, INPUTS), list_inputs(learnt), parameters)
    return Prepared(learnt, rows.cache(), find_moderator(learnt, inputs))


@contextmanager
def cache_rows(rows: DataFrame) -> Iterator[DataFrame]:
    """Keep a DataFrame in memory within the context."""
    try:
        yield rows.cache()
    finally:
        rows.unpersist()


@contextmanager
def prepared_rows(
    train: DataFrame, inputs: InputParameters, parameters: ModellingParameters
) -> Iterator[Prepared]:
    """Prepare training rows, and unpersist them when the context ends."""
    prepared = prepare_rows(train, inputs, parameters)
    with cache_rows(prepared.rows):
        yield prepared


def fit_trial(prepared: Prepared, trial: Trial, parameters: ModellingParameters) -> PipelineModel:
    """Fit a trial on prepared rows: from features to `uncalibrated`, a probability."""
    candidate = fit_candidate(prepared, trial, parameters)
    return PipelineModel([*prepared.input_model.stages, *candidate.stages])


def fit_candidate(
    prepared: Prepared, trial: Trial, parameters: ModellingParameters
) -> PipelineModel:
    """Fit only a trial's stages on prepared rows: from `inputs` to `uncalibrated`.

    A fit that loses a worker of a cluster is repeated, up to twice.
    """
    estimator = build_pipeline(trial, prepared.moderator, parameters.seed, parameters.partitions)
    for _ in range(MAX_REPEATED_FITS):
        try:
            return estimator.fit(prepared.rows)
        except Py4JJavaError as error:
            if BARRIER_FAILED not in str(error):
                raise
            logger.info("Spark lost a worker: fitting %s again", trial.label)
    return estimator.fit(prepared.rows)


def predict_out_of_fold(
    train: DataFrame, inputs: InputParameters, parameters: ModellingParameters
) -> DataFrame:
    """Predict every training row with every trial, fitted on the other folds.

    The fits are made at once; Spark predicts when the table is saved.

    Returns:
        One row per trial, repeat and training row: `trial` (its position in `list_trials`), its
        label as `candidate`, `repeat`, `fold`, the row's keys and `churned`. `probability` is not
        calibrated.
    """
    trials = list_trials(parameters)
    splits = list(product(range(parameters.fold_repeats), range(parameters.folds)))
    # Run different candidates concurrently: some use Java, some Python. The simplest ones start
    # last, so that no long fit is left to run alone.
    fits = [(number, *split) for split in splits for number in reversed(range(len(trials)))]
    finished_fits = count(1)

    def prepare(repeat: int, fold: int) -> Prepared:
        others = rows.where(assign_fold(repeat, parameters) != fold)
        return cached.enter_context(prepared_rows(others, inputs, parameters))

    def fit(number: int, repeat: int, fold: int) -> PipelineModel:
        start = time.perf_counter()
        model = fit_candidate(prepared[repeat, fold], trials[number], parameters)
        seconds = time.perf_counter() - start
        progress = f"{next(finished_fits)}/{len(fits)}"
        name = trials[number].candidate.replace("_", " ")
        logger.info("fit %5s  %s, fold %d, %.1f s", progress, name, fold + 1, seconds)
        return model

    with ExitStack() as cached:
        rows = cached.enter_context(cache_rows(train))
        folds = run_concurrently(prepare, splits, rows, parameters.parallel_fits)
        prepared = dict(zip(splits, folds, strict=True))
        fitted = run_concurrently(fit, fits, rows, parameters.parallel_fits)
        models = dict(zip(fits, fitted, strict=True))
    predictions = []
    for repeat, fold in splits:
        held_out = train.where(assign_fold(repeat, parameters) == fold)
        fold_models = [models[number, repeat, fold] for number in range(len(trials))]
        rows_of_fold = _predict_held_out(
            prepared[repeat, fold].input_model.transform(held_out), trials, fold_models
        )
        numbers = {"repeat": F.lit(repeat), "fold": F.lit(fold)}
        predictions.append(rows_of_fold.withColumns(numbers))
    return reduce(DataFrame.unionByName, predictions)


def _predict_held_out(
    held_out: DataFrame, trials: Sequence[Trial], models: Sequence[PipelineModel]
) -> DataFrame:
    """Predict rows with the models of all trials, in one pass: one row per trial and row."""
    columns = [*KEYS, "churned", INPUTS]
    rows = held_out.select(*columns)
    for number, model in enumerate(models):
        columns.append(f"forecast_{number}")
        forecast = F.col(UNCALIBRATED).alias(columns[-1])
        rows = model.transform(rows).select(*columns[:-1], forecast)
    by_trial = [
        F.struct(
            F.lit(number).alias("trial"),
            F.lit(trial.label).alias("candidate"),
            F.col(f"forecast_{number}").alias("probability"),
        )
        for number, trial in enumerate(trials)
    ]
    return rows.select(*KEYS, "churned", F.inline(F.array(*by_trial)))


def run_concurrently(
    function: Callable[..., Result],
    arguments: Sequence[tuple[Any, ...]],
    rows: DataFrame,
    parallel_fits: int,
) -> list[Result]:
    """Call a function with each tuple of arguments in threads that use the rows' Spark session."""
    in_session = inheritable_thread_target(rows.sparkSession)
    with ThreadPoolExecutor(parallel_fits) as pool:
        return list(pool.map(in_session(lambda values: function(*values)), arguments))


def predict_uncalibrated(model: PipelineModel, rows: DataFrame) -> DataFrame:
    """Predict rows: keys, `churned` and `probability` before calibration."""
    probability = F.col(UNCALIBRATED).alias("probability")
    return model.transform(rows).select(*KEYS, "churned", probability)
