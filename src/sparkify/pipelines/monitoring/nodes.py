"""Compare the newest snapshot with the training, and past scores with the outcomes."""

from collections.abc import Hashable
from datetime import date
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.errors import UserError
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling import training_reference as training
from sparkify.pipelines.modelling.model_card import is_same_model, read_card
from sparkify.pipelines.monitoring import alarms, realised
from sparkify.pipelines.monitoring.drift import compare_distributions
from sparkify.pipelines.monitoring.parameters import MonitoringParameters
from sparkify.spark.functions import collect_one_row, to_sorted_pandas

SCORE = "score"  # name of the scores' row in `drift`


class NoReferenceError(UserError):
    """The model card has no reference for monitoring."""


class OtherModelError(UserError):
    """The hold-out metrics belong to another model than the champion."""


def extract_reference(churn_model: PipelineModel, metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the description of the training's customers and log, from the model's card.

    Raises:
        NoReferenceError: if the card has none.
        OtherModelError: if `metrics` belong to another model.
    """
    card = read_card(churn_model)
    reference: dict[str, Any] = card.get("reference") or {}
    if not reference:
        raise NoReferenceError(
            "churn_model has no reference for monitoring: it was trained by another version of "
            "this project. Train it again with `kedro run`."
        )
    if not is_same_model(card, metrics["champion"]):
        raise OtherModelError(
            f"metrics belong to another model ({metrics['champion']['label']}) than churn_model "
            f"({card['label']}): a run stopped before it promoted its model, or one of them has "
            f"another version. Evaluate and promote with `kedro run --pipelines "
            f"modelling,evaluation`, or load both with the same version by --load-versions."
        )
    return reference


def describe_newest_snapshot(
    current_features: DataFrame,
    user_days: DataFrame,
    event_counts: DataFrame,
    data_quality: dict[str, Any],
    model_reference: dict[str, Any],
) -> dict[str, Any]:
    """Describe the newest snapshot and its log in the same way as the last training snapshot.

    Rates, windows and bins come from the model, not from conf/. `unseen_pages` counts the
    window's events on pages that the training's log did not have.
    """
    cutoff = str(collect_one_row(current_features.agg(F.max("cutoff")))[0])
    described = {**model_reference, "cutoff": cutoff, "customers": current_features.count()}
    customers = training.sum_recent_days(current_features, user_days, described)
    days = training.count_days(event_counts, data_quality)
    window = training.select_window(days, user_days, described)
    is_in_window = days["day"].astype(str).between(window[0]["day"], window[-1]["day"])
    is_unseen = is_in_window & ~days["page"].isin(model_reference["pages"])
    unseen = days[is_unseen].groupby("page")["events"].sum().sort_values(ascending=False)
    return {
        "cutoff": cutoff,
        "window_days": model_reference["window_days"],
        "customers": described["customers"],
        "watched": {
            name: training.count_in_bins(
                training.select_values(customers, definition, described), definition["edges"]
            )
            for name, definition in model_reference["watched"].items()
        },
        "unseen_pages": {str(page): int(events) for page, events in unseen.items()},
        "days": window,
        "lines": training.count_lines(data_quality),
    }


def measure_drift(
    model_reference: dict[str, Any],
    newest_description: dict[str, Any],
    test_predictions: DataFrame,
    churn_scores: DataFrame,
    monitoring: MonitoringParameters,
) -> pd.DataFrame:
    """Compare features with those of the training, and scores with those of the hold-out.

    One row per feature, and one for the scores; columns as in `drift.compare_distributions`. The
    newest scores are those of the sampled customers, as the features are.
    """
    sampled = training.sample_customers(churn_scores, {**model_reference, **newest_description})
    holdout, newest = (
        to_sorted_pandas(scores.select("user_id", "probability"), "user_id")["probability"]
        for scores in (test_predictions, sampled)
    )
    kind, bins = {"kind": training.NUMBER}, model_reference["bins"]
    holdout_bins = training.learn_bins(holdout.to_numpy(float), kind, bins)
    newest_counts = training.count_in_bins(newest.to_numpy(float), holdout_bins["edges"])
    return compare_distributions(
        {**model_reference["watched"], SCORE: holdout_bins},
        {**newest_description["watched"], SCORE: newest_counts},
        monitoring,
    )


def evaluate_past_scores(
    score_history: dict[str, Any],
    user_days: DataFrame,
    newest_description: dict[str, Any],
    metrics: dict[str, Any],
    feature_engineering: FeatureEngineeringParameters,
    evaluation: EvaluationParameters,
    monitoring: MonitoringParameters,
) -> pd.DataFrame:
    """Evaluate past scores whose horizon is over: one row per cutoff, the newest last.

    Beyond `evaluation.max_customers` scores of all these cutoffs, they are a sample of users.
    """
    newest = date.fromisoformat(newest_description["cutoff"])
    names = realised.list_matured_cutoffs(
        score_history, newest, feature_engineering.horizon_days, monitoring.realised_cutoffs
    )
    if not names:
        return pd.DataFrame(columns=realised.COLUMNS)
    history = {name: score_history[name]() for name in names}
    scores = realised.add_outcomes(history, user_days, feature_engineering, evaluation)
    churners = realised.count_training_churners(metrics["train"]["churned"], feature_engineering)
    certainty = 1 - monitoring.false_alarms
    rows = [
        realised.evaluate_scores(rows, certainty, churners, evaluation.bootstrap)
        for _, rows in scores.groupby("cutoff")
    ]
    return pd.DataFrame(rows, columns=realised.COLUMNS)


def summarize_monitoring(
    model_reference: dict[str, Any],
    newest_description: dict[str, Any],
    drift: pd.DataFrame,
    realised_metrics: pd.DataFrame,
    metrics: dict[str, Any],
    monitoring: MonitoringParameters,
) -> dict[str, Any]:
    """Return the alarms, and the comparisons that they are based on.

    Each of `alarms` has `name`, `what`, `value`, `threshold` and `sentence`; `thresholds` are the
    limits of conf/.
    """
    reference, newest, holdout = model_reference, newest_description, metrics["holdout"]
    volume = alarms.compare_volume(reference, newest)
    day_shares = alarms.compare_weekdays(reference, newest)
    rejections = alarms.compare_rejections(reference, newest)
    return {
        "cutoff": newest["cutoff"],
        "customers": newest["customers"],
        "reference_cutoff": reference["cutoff"],
        "reference_customers": reference["customers"],
        "window_days": reference["window_days"],
        "alarms": [
            *alarms.find_drift_alarms(drift, reference, newest, monitoring.psi),
            *alarms.find_volume_alarms(volume, day_shares, monitoring),
            *alarms.find_page_alarms(newest, monitoring.unseen_page_share),
            *alarms.find_rejection_alarms(rejections, monitoring.rejected_share_rise),
            *alarms.find_realised_alarms(realised_metrics, holdout, monitoring.churn_ratio),
        ],
        "fail_on_alarm": monitoring.fail_on_alarm,
        "thresholds": monitoring.model_dump(exclude={"fail_on_alarm"}),
        "features": _to_records(drift),
        "volume": volume,
        "min_day_share": min(day_shares.values(), default=None),
        "days": newest["days"],
        "unseen_pages": newest["unseen_pages"],
        "unseen_page_share": alarms.compute_unseen_page_share(newest),
        "rejections": rejections,
        "holdout": {name: holdout[name] for name in realised.RANKED},
        "realised": _to_records(realised_metrics),
    }


def _to_records(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the rows with None for NaN, which is not valid in JSON."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
