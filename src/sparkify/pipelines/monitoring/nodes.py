"""Compare the newest snapshot with what the model was trained on, and old scores with the truth."""

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
from sparkify.pipelines.monitoring import alarms, drift, realised
from sparkify.pipelines.monitoring.parameters import MonitoringParameters
from sparkify.spark.functions import collect_one_row, to_sorted_pandas

SCORE = "score"  # what the drift of the scores is called, beside the features'


class NoReferenceError(UserError):
    """The model was trained before anything was kept for monitoring."""


class OtherModelError(UserError):
    """What was measured on the hold-out is not of the model in service."""


def model_reference(churn_model: PipelineModel, metrics: dict[str, Any]) -> dict[str, Any]:
    """Return what the model's training kept for comparison.

    Raises:
        NoReferenceError: if it kept nothing.
        OtherModelError: if `metrics`, which later scores are compared with, are of another model.
    """
    card = read_card(churn_model)
    reference: dict[str, Any] = card.get("reference") or {}
    if not reference:
        raise NoReferenceError(
            "churn_model holds nothing to compare with: it was trained by another release. "
            "Train it anew with `kedro run`."
        )
    if not is_same_model(card, metrics["champion"]):
        raise OtherModelError(
            f"metrics are of another model ({metrics['champion']['label']}) than churn_model "
            f"({card['label']}): a run stopped before it promoted its model, or one of them is of "
            f"another version. Evaluate and promote with `kedro run --pipelines "
            f"modelling,evaluation`, or load both of one version with --load-versions."
        )
    return reference


def newest_description(
    current_features: DataFrame,
    user_days: DataFrame,
    event_counts: DataFrame,
    data_quality: dict[str, Any],
    model_reference: dict[str, Any],
) -> dict[str, Any]:
    """Describe the newest snapshot and its log as the model's training described its own.

    Rates, windows and bins are the reference's own, whatever conf/ says today. On top,
    `unseen_pages` has the window's events on pages that the training's log did not have.
    """
    cutoff = collect_one_row(current_features.agg(F.max("cutoff")))
    described = {**model_reference, "cutoff": str(cutoff[0])}
    customers = training.sum_recent_days(current_features, user_days, described)
    days = training.count_days(event_counts, data_quality)
    window = training.select_window(days, user_days, described)
    is_unseen = days["day"].astype(str).between(window[0]["day"], window[-1]["day"]) & ~days[
        "page"
    ].isin(model_reference["pages"])
    unseen = days[is_unseen].groupby("page")["events"].sum().sort_values(ascending=False)
    return {
        "cutoff": str(cutoff[0]),
        "window_days": model_reference["window_days"],
        "customers": current_features.count(),
        "watched": {
            name: training.count_in_bins(
                training.select_values(customers, how, described), how["edges"]
            )
            for name, how in model_reference["watched"].items()
        },
        "unseen_pages": {str(page): int(events) for page, events in unseen.items()},
        "days": window,
        "lines": training.count_lines(data_quality),
    }


def feature_drift(
    model_reference: dict[str, Any],
    newest_description: dict[str, Any],
    test_predictions: DataFrame,
    churn_scores: DataFrame,
    monitoring: MonitoringParameters,
) -> pd.DataFrame:
    """Compare what customers do, and how they are scored, with the training's.

    One row per feature that the model's reference has, and one for the scores, which are compared
    with the hold-out's; columns as `drift.compared` says.
    """
    held_out, scored = (
        to_sorted_pandas(scores.select("user_id", "probability"), "user_id")[
            "probability"
        ].to_numpy(float)
        for scores in (test_predictions, churn_scores)
    )
    spread = training.learn_bins(held_out, {"kind": training.NUMBER}, model_reference["bins"])
    return drift.compared(
        {**model_reference["watched"], SCORE: spread},
        {**newest_description["watched"], SCORE: training.count_in_bins(scored, spread["edges"])},
        monitoring,
    )


def realised_metrics(
    score_history: dict[str, Any],
    user_days: DataFrame,
    newest_description: dict[str, Any],
    metrics: dict[str, Any],
    feature_engineering: FeatureEngineeringParameters,
    evaluation: EvaluationParameters,
    monitoring: MonitoringParameters,
) -> pd.DataFrame:
    """Judge earlier scores whose horizon is over: one row per cutoff, the newest last."""
    newest = date.fromisoformat(newest_description["cutoff"])
    names = realised.matured(
        score_history, newest, feature_engineering.horizon_days, monitoring.realised_cutoffs
    )
    if not names:
        return pd.DataFrame(columns=realised.COLUMNS)
    known = realised.came_true(score_history, names, user_days, feature_engineering)
    certain = 1 - monitoring.false_alarms, realised.learnt_from(metrics, feature_engineering)
    rows = [
        realised.judged(one, *certain, evaluation.bootstrap) for _, one in known.groupby("cutoff")
    ]
    return pd.DataFrame(rows, columns=realised.COLUMNS)


def monitoring_summary(
    model_reference: dict[str, Any],
    newest_description: dict[str, Any],
    drift: pd.DataFrame,
    realised_metrics: pd.DataFrame,
    metrics: dict[str, Any],
    monitoring: MonitoringParameters,
) -> dict[str, Any]:
    """Sum up what was compared, with what, and what is worth an alarm.

    `alarms` lists, each with `name`, `what`, `value`, `threshold` and `sentence`, what moved too
    far; `thresholds` are those of conf/. The rest is what the alarms were drawn from.
    """
    described = model_reference, newest_description
    found = [
        *alarms.of_drift(drift, *described, monitoring),
        *alarms.of_volume(*described, monitoring),
        *alarms.of_pages(newest_description, monitoring),
        *alarms.of_rejections(*described, monitoring),
        *alarms.of_realised(realised_metrics, metrics["holdout"], monitoring),
    ]
    return {
        "cutoff": newest_description["cutoff"],
        "customers": newest_description["customers"],
        "reference_cutoff": model_reference["cutoff"],
        "reference_customers": model_reference["customers"],
        "window_days": model_reference["window_days"],
        "alarms": found,
        "fail_on_alarm": monitoring.fail_on_alarm,
        "thresholds": monitoring.model_dump(exclude={"fail_on_alarm"}),
        "features": _records(drift),
        "volume": alarms.volume(*described),
        "least_day": min(alarms.quiet_days(*described).values(), default=None),
        "days": newest_description["days"],
        "unseen_pages": newest_description["unseen_pages"],
        "unseen_page_share": alarms.unseen_share(newest_description),
        "rejections": alarms.rejections(*described),
        "promised": {name: metrics["holdout"][name] for name in realised.RANKED},
        "realised": _records(realised_metrics),
    }


def _records(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return a table's rows for JSON, which knows no NaN."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
