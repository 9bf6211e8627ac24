"""Nodes from features and labels to a challenger: split, cross-validate, select, calibrate, fit."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.errors import TooLittleDataError, UserError
from sparkify.ml import calibration as ml_calibration
from sparkify.ml.calibration import (
    build_calibration_stages,
    learn_calibration,
    select_calibration,
)
from sparkify.ml.metrics import find_best_f1_threshold
from sparkify.pipelines.feature_engineering.log_summary import require_outcome_page
from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling import selection
from sparkify.pipelines.modelling import training_reference as reference
from sparkify.pipelines.modelling.candidates import Trial, list_trials
from sparkify.pipelines.modelling.cross_validation import (
    fit_trial,
    predict_out_of_fold,
    prepared_rows,
)
from sparkify.pipelines.modelling.departures import forecast_out_of_fold, learn_leaving_curve
from sparkify.pipelines.modelling.folds import (
    is_trainable,
    require_churners_in_folds,
    require_trainable_and_unseen,
)
from sparkify.pipelines.modelling.inputs import list_feature_columns
from sparkify.pipelines.modelling.model_card import add_card, summarize_training
from sparkify.pipelines.modelling.parameters import (
    InputParameters,
    ModellingParameters,
    ReferenceParameters,
)
from sparkify.pipelines.modelling.split import count_by_cutoff, require_churners, split_at
from sparkify.schemas import KEYS, OUT_OF_FOLD_PREDICTIONS
from sparkify.spark.functions import to_sorted_pandas


class CandidatesChangedError(UserError):
    """`modelling.candidates` has changed since the predictions were saved."""


def split_in_time(
    features: DataFrame,
    snapshots: DataFrame,
    event_summary: dict[str, Any],
    modelling: ModellingParameters,
    feature_engineering: FeatureEngineeringParameters,
    max_customers: int,
) -> tuple[DataFrame, DataFrame, dict[str, Any]]:
    """Split labelled snapshots into training rows and the hold-out, in time and by user.

    The hold-out has all customers of the last cutoff. Training has the cutoffs whose horizon ends
    by then (embargo), without a share of users that is held out of training. Beyond
    `max_customers` customers and `modelling.max_training_rows` rows, each is a sample of users.

    Returns:
        Training rows and hold-out, one row per user and cutoff, and the prediction task. Its
        `samples` has the numbers of rows if there is a sample.

    Raises:
        MissingPageError: if the log has no event on any page of the outcome.
        TooLittleDataError: with the counts, if either side has too few users or churners.
    """
    require_outcome_page(event_summary, feature_engineering)
    labelled = snapshots.withColumn("is_trainable", is_trainable(modelling))
    counts = count_by_cutoff(labelled)
    if not counts:
        raise TooLittleDataError(
            "snapshots has no rows: there is no customer at any cutoff. With the outcome "
            "`downgrade` a customer has to be on the paid level, with `inactivity` seen within "
            "feature_engineering.active_within_days. Use a log of more users or days."
        )
    *earlier, cutoff = counts
    embargo = timedelta(days=feature_engineering.horizon_days)
    train_cutoffs = [day for day in earlier if day + embargo <= cutoff]
    whole = split_at(labelled, counts, train_cutoffs, cutoff)
    split = whole.sample(modelling, max_customers)
    require_churners(split, len(train_cutoffs), cutoff, modelling)
    require_trainable_and_unseen(counts[cutoff]["users"], counts[cutoff]["trainable"], modelling)
    require_churners_in_folds(split.training.snapshots, modelling)
    prediction_task = {
        **feature_engineering.prediction_task,
        "description": f"{cutoff}, {feature_engineering.horizon_days} days ahead",
        "cutoff": str(cutoff),
        "outcome_phrase": OUTCOME_WORDS[feature_engineering.outcome].past_tense,
        "train_cutoffs": [str(day) for day in train_cutoffs],
        **split.describe_samples(whole),
    }
    train, test = (side.snapshots.join(features, on=KEYS, how="inner") for side in split)
    return train, test, prediction_task


def cross_validate(
    train: DataFrame, inputs: InputParameters, modelling: ModellingParameters
) -> DataFrame:
    """Predict every training row with every trial, fitted on the other folds of users.

    One row per trial, repeat, user and cutoff. Inputs are learnt inside each fold, too.
    """
    predictions = predict_out_of_fold(train, inputs, modelling)
    return predictions.select(*OUT_OF_FOLD_PREDICTIONS.columns)


def select_candidate(
    out_of_fold_predictions: DataFrame, modelling: ModellingParameters
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Select the simplest trial within one standard error of the best.

    Returns:
        The comparison, one row per trial, the best first; and the selected trial.

    Raises:
        CandidatesChangedError: if `modelling.candidates` has changed since `cross_validate`.
    """
    trials = list_trials(modelling)
    labels = out_of_fold_predictions.select("trial", "candidate").distinct().orderBy("trial")
    saved = [row["candidate"] for row in labels.collect()]
    if saved != [trial.label for trial in trials]:
        raise CandidatesChangedError(
            f"out_of_fold_predictions has {'; '.join(saved)}, which modelling.candidates no longer "
            f"lists. Run again from the node cross_validate (`kedro run --from-nodes "
            f"modelling.cross_validate`)."
        )
    scores = selection.score_folds(
        select_trial(out_of_fold_predictions, number) for number in range(len(trials))
    )
    cv_results = selection.compare_trials(scores, trials, modelling.selection)
    number = selection.choose_simplest(cv_results)
    selected = {"trial": number, **trials[number].description, "imbalance": modelling.imbalance}
    return cv_results, selected


def calibrate(
    out_of_fold_predictions: DataFrame,
    selected_candidate: dict[str, Any],
    modelling: ModellingParameters,
) -> dict[str, Any]:
    """Learn the calibration of the selected trial from its out-of-fold predictions.

    Returns:
        The `method`, its `parameters`, and `f1_threshold`, the threshold with the highest
        expected F1 of calibrated probabilities.
    """
    rows = select_trial(out_of_fold_predictions, selected_candidate["trial"])
    method = select_calibration(rows, modelling.calibrations)
    return {
        "method": method,
        "parameters": learn_calibration(out_of_fold_predictions.sparkSession, rows, method),
        "f1_threshold": find_best_f1_threshold(ml_calibration.calibrate(rows, method)),
    }


def select_trial(out_of_fold_predictions: DataFrame, trial: int) -> pd.DataFrame:
    """Return a trial's out-of-fold predictions, sorted by fold and key."""
    predictions = out_of_fold_predictions.where(F.col("trial") == trial).drop("candidate")
    return to_sorted_pandas(predictions, "repeat", "fold", *KEYS)


def fit_leaving_curve(
    out_of_fold_predictions: DataFrame,
    user_days: DataFrame,
    selected_candidate: dict[str, Any],
    calibration: dict[str, Any],
    prediction_task: dict[str, Any],
    curve_days: int,
    modelling: ModellingParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> dict[str, Any]:
    """Fit the course of leaving by day, for curves that start from a model's probability.

    A discrete-time hazard model on all days of all training snapshots, by the risk that the
    selected trial forecasts without the customer. Days from the hold-out's cutoff on are unknown.

    Returns:
        The coefficients, as `LeavingCurve.to_dict` returns them. `days` is the last day that the
        training rows show, at most `curve_days`.
    """
    forecasts = forecast_out_of_fold(
        out_of_fold_predictions, selected_candidate["trial"], calibration
    )
    holdout = date.fromisoformat(prediction_task["cutoff"])
    prior = modelling.curve_prior
    curve = learn_leaving_curve(
        forecasts, user_days, holdout, curve_days, prior, feature_engineering
    )
    return curve.to_dict()


def describe_candidate(
    selected_candidate: dict[str, Any], calibration: dict[str, Any]
) -> dict[str, Any]:
    """Return candidate, settings, imbalance, calibration and F1 threshold, as in a model card."""
    return {
        **{name: value for name, value in selected_candidate.items() if name != "trial"},
        "calibration": calibration["method"],
        "f1_threshold": calibration["f1_threshold"],
    }


def describe_training(
    features: DataFrame,
    user_days: DataFrame,
    page_counts: DataFrame,
    data_quality: dict[str, Any],
    prediction_task: dict[str, Any],
    inputs: InputParameters,
    reference_parameters: ReferenceParameters,
) -> dict[str, Any]:
    """Describe the customers of the last training cutoff, and the log, for monitoring.

    Returns:
        The `cutoff`, the `window_days` before it and the number of `customers`. `watched` has the
        distributions of inputs and rates. `pages`, `days` of the window and `lines`, with
        rejections by reason, describe the log. Monitoring uses the same settings for later data.
    """
    cutoff = max(prediction_task["train_cutoffs"])
    snapshot = features.where(F.col("cutoff") == F.lit(cutoff).cast("date"))
    settings = {
        "cutoff": cutoff,
        "window_days": reference_parameters.window_days,
        "max_customers": reference_parameters.max_customers,
        "bins": reference_parameters.bins,
        "customers": snapshot.count(),
    }
    customers = reference.sum_recent_days(snapshot, user_days, settings)
    days = reference.count_days(page_counts, data_quality)
    return {
        **settings,
        "watched": reference.describe_distributions(
            customers, user_days, settings, inputs, reference_parameters
        ),
        "pages": sorted(days["page"].unique()),
        "days": reference.select_window(days, user_days, settings),
        "lines": reference.count_lines(data_quality),
    }


def fit_selected(
    train: DataFrame,
    selected_candidate: dict[str, Any],
    calibration: dict[str, Any],
    inputs: InputParameters,
    modelling: ModellingParameters,
) -> tuple[PipelineModel, dict[str, Any]]:
    """Fit the selected trial to all training rows, and add its calibration.

    Returns:
        The model, from features to `probability`, and a description of it.
    """
    calibration_stages = build_calibration_stages(
        train.sparkSession, calibration["method"], calibration["parameters"]
    )
    with prepared_rows(train, inputs, modelling) as prepared:
        model = fit_trial(prepared, Trial.from_description(selected_candidate), modelling)
    description = describe_candidate(selected_candidate, calibration)
    return PipelineModel([*model.stages, *calibration_stages]), description


def fit_challenger(
    train: DataFrame,
    selected_candidate: dict[str, Any],
    calibration: dict[str, Any],
    prediction_task: dict[str, Any],
    leaving_curve: dict[str, Any],
    training_reference: dict[str, Any],
    data_quality: dict[str, Any],
    package_versions: dict[str, str],
    inputs: InputParameters,
    modelling: ModellingParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> PipelineModel:
    """Fit the selected trial to all training rows, with its calibration and its model card.

    The card describes the model, its features, the prediction task and the training rows, with a
    fingerprint of their content. It also has the `leaving_curve`, versions of packages, parameters,
    and the `reference` that monitoring compares later snapshots with.
    """
    model, description = fit_selected(train, selected_candidate, calibration, inputs, modelling)
    parameters = {
        "modelling": modelling,
        "inputs": inputs,
        "feature_engineering": feature_engineering,
    }
    card = {
        **description,
        "features": list_feature_columns(train),
        "prediction_task": prediction_task,
        "leaving_curve": leaving_curve,
        "source": data_quality["source"],
        "training": summarize_training(train),
        "reference": training_reference,
        "packages": package_versions,
        "parameters": {name: each.model_dump(mode="json") for name, each in parameters.items()},
    }
    return add_card(model, card)
