"""Score the current customers, explain the scores, and list the customers to contact."""

import logging
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from sparkify.errors import UserError
from sparkify.ml.leaving_curve import LeavingCurve, find_median_days
from sparkify.ml.remaining_value import average_kept_value
from sparkify.ml.segments import get_likely_segment, get_segments
from sparkify.ml.two_groups import (
    compute_power,
    find_detectable_success,
    find_needed_campaigns,
    find_needed_control,
)
from sparkify.pipelines.evaluation.decision import describe_decision
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.evaluation.segment_table import name_segments
from sparkify.pipelines.feature_engineering.customers import (
    LogTooShortError,
    find_log_span,
    list_customers,
)
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.inputs import list_features, list_inputs
from sparkify.pipelines.modelling.model_card import is_forecast, read_card
from sparkify.pipelines.modelling.parameters import InputParameters
from sparkify.pipelines.scoring.compatibility import require_compatible
from sparkify.pipelines.scoring.explanation import explain_model
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.schemas import CHURN_SCORES, KEYS
from sparkify.spark.functions import collect_one_row, is_in_share, to_sorted_pandas

logger = logging.getLogger(__name__)
REASONS = ["reasons_for", "reasons_against"]
PREDICTED = ["median_days", *REASONS]  # columns that Python workers add
TRAINING_ONLY = {"parameters", "reference"}  # parts of a card that scores do not need
CUSTOMER_COLUMNS = [
    *("rank", "user_id", "cutoff", "probability", "percentile"),
    *("level", "days_since_last_seen", "segment", "median_days"),
]
# Decimals in the CSV files; the Parquet files are not rounded.
DIGITS = {
    **{"probability": 4, "percentile": 2, "days_since_last_seen": 1, "expected_gain": 2},
    **{"kept_value": 2, "value_at_risk": 2},
}
CONTRIBUTION_DIGITS = 3
VALUE_COLUMNS = ["kept_value", "value_at_risk"]


class CutoffError(UserError):
    """The cutoff is outside the log, or has no customers."""


def list_current_customers(
    user_days: DataFrame, feature_engineering: FeatureEngineeringParameters, cutoff: date | None
) -> DataFrame:
    """Return one row per customer at the cutoff, without a label.

    Args:
        user_days: one row per user and UTC day.
        feature_engineering: the definition of a customer, and the windows of the features.
        cutoff: the day to score; None for the day after the last full day of the log.

    Raises:
        CutoffError: if `scoring.cutoff` is outside the log, or has no customers.
        LogTooShortError: if the log before the cutoff is shorter than `min_history_days` or the
            longest window of the features.
    """
    first_day, log_end = find_log_span(user_days, feature_engineering)
    cutoff = cutoff or log_end
    if not first_day < cutoff <= log_end:
        raise CutoffError(
            f"scoring.cutoff {cutoff} is outside the log: whole days with events go from "
            f"{first_day} to {log_end - timedelta(days=1)}. Choose a day after {first_day}, up to "
            f"{log_end}, or leave it out to get {log_end}."
        )
    needed = max([feature_engineering.min_history_days, *feature_engineering.windows_days])
    if (cutoff - first_day).days < needed:
        raise LogTooShortError(
            f"the log begins on {first_day}, {(cutoff - first_day).days} days before the cutoff "
            f"{cutoff}: too short to score, because {needed} days have to come before it "
            f"(feature_engineering.min_history_days, and the longest of windows_days of "
            f"feature_engineering). Choose a later scoring.cutoff or a longer log."
        )
    customers = list_customers(user_days, [cutoff], feature_engineering)
    if customers.isEmpty():
        raise CutoffError(
            f"{_format_no_customer(cutoff, feature_engineering)}. Choose another scoring.cutoff or "
            f"another log."
        )
    return customers


def _format_no_customer(cutoff: date, feature_engineering: FeatureEngineeringParameters) -> str:
    paid = " on the paid level" if feature_engineering.outcome == "downgrade" else ""
    message = f"there is no customer{paid} at the cutoff {cutoff}"
    if feature_engineering.outcome == "inactivity":
        return (
            f"{message}: no user was seen in the {feature_engineering.active_within_days} days "
            f"before it (feature_engineering.active_within_days), or all who were had cancelled"
        )
    return f"{message}: all users seen before it had cancelled"


def check_champion(
    churn_model: PipelineModel,
    package_versions: dict[str, str],
    feature_engineering: FeatureEngineeringParameters,
) -> PipelineModel:
    """Return the champion if it can score the features of this run.

    Raises:
        ModelMismatchError: if the model cannot score these features or predicts something else.
    """
    require_compatible(read_card(churn_model), feature_engineering, package_versions)
    return churn_model


def score_customers(
    current_features: DataFrame,
    scoring_model: PipelineModel,
    inputs: InputParameters,
    scoring: ScoringParameters,
) -> tuple[DataFrame, dict[str, Any]]:
    """Predict the probability to churn of every current customer, with ranks and reasons.

    `median_days` is the first day with a probability of at least a half to have left, by the curve
    of `time_to_leave`.

    Returns:
        One row per customer, and the card of the model that made these scores.
    """
    card = read_card(scoring_model)
    explanation = explain_model(scoring_model, inputs, scoring)
    curve = LeavingCurve.from_card(card, scoring.curve_days)
    level = F.when(F.col("is_paid") > 0, "paid").otherwise("free").alias("level")
    columns = [*KEYS, "probability", "level", "days_since_last_seen", "segment"]
    input_columns = list_inputs(scoring_model)
    explanation_columns = sorted({*list_features(scoring_model), *input_columns} - {*columns})
    names = name_segments(segments, inputs) if (segments := get_segments(scoring_model)) else []
    segment = get_likely_segment(scoring_model, names).alias("segment")
    predictions = scoring_model.transform(current_features).select("*", level, segment)

    def add_predictions(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for rows in batches:
            pair = explanation.list_reasons(rows[input_columns].to_numpy(float), rows)
            medians = pd.Series(find_median_days(curve.predict_customers(rows)), dtype="Int32")
            added = medians.mask(medians == 0), *pair
            predicted = pd.DataFrame(dict(zip(PREDICTED, added, strict=True)))
            yield pd.concat([rows[columns], predicted], axis="columns")

    explained = predictions.select(*columns, *explanation_columns).mapInPandas(
        add_predictions,
        T.StructType([CHURN_SCORES.struct[name] for name in [*columns, *PREDICTED]]),
    )
    at_cutoff = Window.partitionBy("cutoff")
    rank = F.row_number().over(at_cutoff.orderBy(F.desc("probability"), "user_id"))
    customers = F.count("*").over(at_cutoff)
    percentile = 100 * (customers - F.col("rank")) / customers
    ranked = explained.withColumn("rank", rank).withColumn("percentile", percentile)
    scores_card = {name: value for name, value in card.items() if name not in TRAINING_ONLY}
    return ranked.select(*CHURN_SCORES.columns), scores_card


def archive_scores(churn_scores: DataFrame) -> dict[str, DataFrame]:
    """Return the partition of `score_history`, named after the cutoff: a row per customer.

    Scoring a cutoff again replaces its partition.
    """
    cutoff = collect_one_row(churn_scores.agg(F.max("cutoff")))[0]
    return {str(cutoff): churn_scores.select(*KEYS, "probability")}


def decide_threshold(
    evaluation: EvaluationParameters, scores_model_card: dict[str, Any]
) -> dict[str, Any]:
    """Return the minimum probability of a contact (`threshold`), its rule and its costs."""
    return describe_decision(evaluation.decision, scores_model_card["f1_threshold"])


def flatten_scores(
    churn_scores: DataFrame,
    contact_decision: dict[str, Any],
    scores_model_card: dict[str, Any],
    scoring: ScoringParameters,
) -> DataFrame:
    """Return one row per customer for a spreadsheet, rounded, the highest probability first.

    `predicted` is true if the probability reaches the threshold. Each reason and each contribution
    has a column, which is empty for customers with fewer reasons. `median_days` is a text if it is
    later than the last day of `time_to_leave`.
    """
    predicted = F.col("probability") >= contact_decision["threshold"]
    later = F.lit(_format_later(scores_model_card, scoring))
    text = {"median_days": F.coalesce(F.col("median_days").cast("string"), later)}
    rounded = {name: _round(F.col(name), digits) for name, digits in DIGITS.items()}
    customer = [(text | rounded).get(name, F.col(name)).alias(name) for name in CUSTOMER_COLUMNS]
    reasons = [
        column
        for side in ("for", "against")
        for number in range(1, scoring.reasons + 1)
        for column in (
            _get_reason(side, number),
            _get_contribution(side, number),
        )
    ]
    flat = churn_scores.select(*customer, predicted.alias("predicted"), *reasons)
    return flat.orderBy("cutoff", "rank")


def _format_later(card: dict[str, Any], scoring: ScoringParameters) -> str:
    days = LeavingCurve.from_card(card, scoring.curve_days).days
    return f"later than {days} days"


def _round_for_spreadsheet(
    customers: pd.DataFrame, card: dict[str, Any], scoring: ScoringParameters
) -> pd.DataFrame:
    medians = customers["median_days"].map("{:.0f}".format, na_action="ignore")
    return customers.assign(median_days=medians.fillna(_format_later(card, scoring))).round(DIGITS)


def _get_reason(side: str, number: int) -> Column:
    """Return a customer's first, second, … reason for or against; null if there are fewer."""
    reason = F.get(f"reasons_{side}", F.lit(number - 1))["reason"]
    return reason.alias(f"reason_{side}_{number}")


def _get_contribution(side: str, number: int) -> Column:
    """Return the rounded contribution of a reason; null if there are fewer."""
    contribution = F.get(f"reasons_{side}", F.lit(number - 1))["contribution"]
    return _round(contribution, CONTRIBUTION_DIGITS).alias(f"contribution_{side}_{number}")


def _round(value: Column, digits: int) -> Column:
    """Return a rounded column, half to even, exactly as `DataFrame.round` of pandas."""
    return F.rint(value * 10.0**digits) / 10.0**digits


def list_contacts(
    churn_scores: DataFrame,
    customer_values: DataFrame,
    contact_decision: dict[str, Any],
    scoring: ScoringParameters,
    actions: dict[str, str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the customers to contact and the control group: all who reach the threshold.

    One row per customer, the highest probability first, at most `scoring.max_contacts` customers in
    both together. `expected_gain` is in dollars:
    probability * contact_success * kept_value - contact_cost, where `kept_value` is that of
    `customer_values`. With prices, the list has the customers with an expected gain, unless the
    threshold is `f1`, and the highest gain is first. `action` is the first of `actions` whose label
    is that of a reason or of the segment. A hash of user, cutoff and seed selects the control
    group, a share of `control_share`. It also has the listed customers of the lasting control
    group (`is_lasting`). That is a share of `lasting_control_share` of all users, by a hash of user
    and seed, the same at every cutoff.
    """
    seed = F.lit(scoring.control_seed)
    hashed = F.xxhash64("user_id", "cutoff", F.lit("control"), seed)
    hashed_user = F.xxhash64("user_id", F.lit("lasting control"), seed)
    values = customer_values.select(*KEYS, *VALUE_COLUMNS)
    kept_value = F.lit(contact_decision["contact_success"]) * F.col("kept_value")
    added = {
        "expected_gain": F.col("probability") * kept_value - contact_decision["contact_cost"],
        "is_control": is_in_share(hashed, scoring.control_share),
        "is_lasting": is_in_share(hashed_user, scoring.lasting_control_share),
    }
    has_prices = scoring.value.prices is not None
    is_listed = F.col("probability") >= contact_decision["threshold"]
    if has_prices and contact_decision["threshold_by"] == "profit":
        is_listed = F.col("expected_gain") >= 0
    order = [F.desc("expected_gain"), "rank"] if has_prices else ["rank"]
    valued = churn_scores.join(values, on=KEYS, how="inner").withColumns(added)
    listed = valued.where(is_listed).orderBy(*order).limit(scoring.max_contacts)
    columns = [*CUSTOMER_COLUMNS, *added, *(VALUE_COLUMNS if has_prices else [])]
    reasons = [_get_reason("for", number) for number in range(1, scoring.reasons + 1)]
    rows = to_sorted_pandas(listed.select(*columns, "reasons_for", *reasons), "cutoff", "rank")
    if has_prices:
        rows = rows.sort_values("expected_gain", ascending=False, kind="stable", ignore_index=True)
    rows["action"] = _choose_actions(rows, actions)
    reason_names = [name for name in rows if str(name).startswith("reason_for_")]
    customers = rows[[*columns, "action", *reason_names]].drop(columns=["is_control", "is_lasting"])
    is_lasting = rows["is_lasting"].astype(bool)
    is_control = rows["is_control"].astype(bool) | is_lasting
    _warn_if_group_is_empty(len(rows), int(is_control.sum()), scoring.control_share)
    contacts, control_group = customers[~is_control], customers.assign(is_lasting=is_lasting)
    return contacts.reset_index(drop=True), control_group[is_control].reset_index(drop=True)


def _choose_actions(rows: pd.DataFrame, actions: dict[str, str]) -> list[str | None]:
    """Return the first action for any of each customer's reasons or segment, or None."""
    return [
        next((action for label, action in actions.items() if label in labels), None)
        for labels in (
            {*(reason["label"] for reason in reasons), segment}
            for reasons, segment in zip(rows["reasons_for"], rows["segment"], strict=True)
        )
    ]


def _warn_if_group_is_empty(customers: int, controls: int, share: float) -> None:
    if customers and not controls:
        logger.warning(
            "control_group is empty: scoring.control_share %g of %s listed customers selects none, "
            "so that the effect of contacts cannot be measured. Raise scoring.control_share.",
            *(share, f"{customers:,}"),
        )
    elif customers and controls == customers:
        logger.warning(
            "contacts is empty: scoring.control_share %g puts all %s listed customers into the "
            "control group. Lower scoring.control_share.",
            *(share, f"{customers:,}"),
        )


def round_contacts(
    contacts: pd.DataFrame,
    control_group: pd.DataFrame,
    scores_model_card: dict[str, Any],
    scoring: ScoringParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the customers to contact and the control group, rounded for a spreadsheet.

    `median_days` is a text if it is later than the last day of `time_to_leave`.
    """
    shared = scores_model_card, scoring
    return (
        _round_for_spreadsheet(contacts, *shared),
        _round_for_spreadsheet(control_group, *shared),
    )


def archive_campaign(
    contacts: pd.DataFrame, control_group: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the partition of `campaign_history`: one row per listed customer.

    It is named after the cutoff. `group` is contact, control or lasting. `kept_value` is missing
    without prices. `campaigns` evaluates it after the horizon. Listing a cutoff again replaces its
    partition; an empty list has none.
    """
    groups = control_group["is_lasting"].map({True: "lasting", False: "control"})
    listed = pd.concat(
        [contacts.assign(group="contact"), control_group.assign(group=groups)], ignore_index=True
    )
    if "kept_value" not in listed:
        listed["kept_value"] = float("nan")
    columns = [*KEYS, "group", "probability", "level", "segment", "expected_gain", "kept_value"]
    ordered = listed[columns].sort_values(KEYS)
    return {
        str(cutoff): customers.reset_index(drop=True)
        for cutoff, customers in ordered.groupby("cutoff")
    }


def plan_campaign(
    contacts: pd.DataFrame,
    control_group: pd.DataFrame,
    contact_decision: dict[str, Any],
    scoring: ScoringParameters,
) -> dict[str, Any]:
    """Return the smallest effect of contacts that the list can show, before anything is sent.

    Rates are forecasts. `detectable_success` is the smallest share of leavers kept by contacts
    that the comparison finds with `wanted_power`; None if there is none. `needed_control` is the
    size of a control group that shows the assumed `contact_success`; None if half of the list is
    too small. `needed_campaigns` is the number of such lists; None if 1,000 are too few.
    `is_conclusive` is true if the detectable success is plausible.
    """
    controls = control_group[~control_group["is_lasting"].astype(bool)]
    listed = pd.concat([contacts["probability"], controls["probability"]])
    success, wanted = contact_decision["contact_success"], scoring.wanted_power
    plan: dict[str, Any] = {
        "contacts": len(contacts),
        "control": len(controls),
        "lasting_control": len(control_group) - len(controls),
        "expected_rate": float(listed.mean()) if len(listed) else None,
        "contact_success": success,
        "wanted_power": wanted,
        "max_plausible_success": scoring.max_plausible_success,
        **{"power": 0.0, "detectable_success": None},
        **{"needed_control": None, "needed_campaigns": None},
    }
    if len(listed):
        sizes = {"treated": len(contacts), "control": len(controls)}
        rate = plan["expected_rate"]
        plan |= {
            "power": compute_power(rate, success, **sizes),
            "detectable_success": find_detectable_success(rate, **sizes, wanted=wanted),
            "needed_control": find_needed_control(rate, success, len(listed), wanted),
            "needed_campaigns": find_needed_campaigns(rate, success, **sizes, wanted=wanted),
        }
    detectable = plan["detectable_success"]
    is_plausible = detectable is not None and detectable <= scoring.max_plausible_success
    return plan | {"is_conclusive": is_plausible}


def summarize_scores(
    churn_scores: DataFrame,
    contacts: pd.DataFrame,
    control_group: pd.DataFrame,
    scores_model_card: dict[str, Any],
    contact_decision: dict[str, Any],
    control_share: float,
) -> dict[str, Any]:
    """Return how many customers were scored, are expected to churn, and are to be contacted.

    `decision` has the threshold of the list, its rule and its costs. `kept_value` is the mean value
    of a listed customer who is kept. `with_median` counts the customers whose `median_days` is
    known. `is_forecast` is false, with a warning, if a training horizon ends after the cutoff.
    `main_reasons` counts, by label, the customers above the threshold whose strongest reason it is.
    `segments` has the customers of each segment, those expected to churn and to contact, and the
    expected gain in dollars.
    """
    card, prediction_task = scores_model_card, scores_model_card["prediction_task"]
    is_predicted = F.col("probability") >= contact_decision["threshold"]
    per_cutoff = churn_scores.groupBy("cutoff").agg(
        F.count("*").alias("customers"),
        F.count_if(F.col("level") == "paid").alias("paid"),
        F.sum("probability").alias("expected"),
        F.count_if(is_predicted).alias("predicted"),
        F.count("median_days").alias("with_median"),
    )
    (totals,) = per_cutoff.collect()
    strongest = F.element_at("reasons_for", 1)["label"].alias("label")
    selected = churn_scores.where(is_predicted & (F.size("reasons_for") > 0))
    reasons = selected.groupBy(strongest).count().orderBy(F.desc("count"), "label").collect()
    cutoff, customers, expected = totals["cutoff"], totals["customers"], float(totals["expected"])
    has_prices = "kept_value" in contacts  # then the list is not that of the threshold
    if not has_prices:
        _warn_if_list_is_shorter(len(contacts) + len(control_group), totals["predicted"])
    if not is_forecast(card, cutoff):
        logger.warning(
            "churn_model was trained on days after %s, so these scores are not a forecast. Load an "
            "earlier model with --load-versions, or set a later scoring.cutoff.",
            cutoff,
        )
    return {
        "cutoff": str(cutoff),
        "horizon_days": prediction_task["horizon_days"],
        "outcome": prediction_task["outcome"],
        "outcome_phrase": prediction_task["outcome_phrase"],
        "is_forecast": is_forecast(card, cutoff),
        "customers": customers,
        "by_level": {"free": customers - totals["paid"], "paid": totals["paid"]},
        "expected_churners": round(expected, 1),
        "mean_probability": expected / customers,
        "with_median": totals["with_median"],
        "predicted": totals["predicted"],
        "to_contact": len(contacts),
        "control": len(control_group),
        "control_share": control_share,
        "expected_profit": round(float(contacts["expected_gain"].sum()), 2),
        "contact_costs": len(contacts) * contact_decision["contact_cost"],
        "has_prices": has_prices,
        "kept_value": _compute_mean_kept_value(contacts, contact_decision),
        "decision": contact_decision,
        "main_reasons": {row["label"]: row["count"] for row in reasons},
        "segments": _summarize_segments(churn_scores, contacts),
        "model": {
            **{name: card[name] for name in ("candidate", "label", "calibration", "f1_threshold")},
            **{name: card[name] for name in ("source", "training")},
            "train_cutoffs": prediction_task["train_cutoffs"],
        },
    }


def _warn_if_list_is_shorter(listed: int, predicted: int) -> None:
    if listed < predicted:
        logger.warning(
            "contacts and control_group have the %s customers with the highest probability of the "
            "%s that reach the threshold. Raise scoring.max_contacts for a longer list.",
            *(f"{listed:,}", f"{predicted:,}"),
        )


def _summarize_segments(churn_scores: DataFrame, contacts: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a row per segment, with the most expected churners first; none without segments."""
    totals = churn_scores.where("segment IS NOT NULL").groupBy("segment")
    rows = totals.agg(F.count("*").alias("customers"), F.sum("probability").alias("expected"))
    listed = contacts.groupby("segment")["expected_gain"].agg(["size", "sum"])
    gains = listed.to_dict("index")
    return [
        {
            "segment": row["segment"],
            "customers": row["customers"],
            "expected_churners": round(float(row["expected"]), 1),
            "to_contact": int(gains.get(row["segment"], {}).get("size", 0)),
            "expected_gain": round(float(gains.get(row["segment"], {}).get("sum", 0)), 2),
        }
        for row in rows.orderBy(F.desc("expected"), "segment").collect()
    ]


def _compute_mean_kept_value(
    contacts: pd.DataFrame, contact_decision: dict[str, Any]
) -> float | None:
    """Return the mean value of a contact that is kept; None for an empty list with prices.

    With prices, the mean is weighted by the probability to leave.
    """
    if "kept_value" not in contacts:
        return float(contact_decision["kept_customer_value"])
    if contacts.empty:
        return None
    return average_kept_value(contacts)
