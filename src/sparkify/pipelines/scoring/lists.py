"""What people get of the scores: the list, whom to contact, whom not to, and a summary."""

import logging
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.pipelines.evaluation.decision import describe_decision
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.pipelines.modelling.model_card import is_forecast
from sparkify.pipelines.scoring.parameters import ScoringParameters
from sparkify.spark.functions import is_in_share, to_sorted_pandas

logger = logging.getLogger(__name__)
# Digits that people read; the Parquet files have them all.
DIGITS = {"probability": 4, "percentile": 2, "days_since_last_seen": 1, "expected_gain": 2}
CUSTOMER = [
    *("rank", "user_id", "cutoff", "probability", "percentile"),
    *("level", "days_since_last_seen"),
]


def churn_scores_csv(
    churn_scores: DataFrame,
    scores_model_card: dict[str, Any],
    scoring: ScoringParameters,
    evaluation: EvaluationParameters,
) -> pd.DataFrame:
    """Flatten the scores for people, the likeliest first: one row per customer.

    `predicted` says whether the probability reaches the threshold. A column per reason and its
    contribution; empty where there are fewer reasons.
    """
    decided = describe_decision(evaluation.decision, scores_model_card["f1_threshold"])
    rows = to_sorted_pandas(churn_scores, "cutoff", "rank")
    rows["predicted"] = rows["probability"] >= decided["threshold"]
    shown = rows[[*CUSTOMER, "predicted"]]
    told = [_flat(rows[f"reasons_{side}"], side, scoring.reasons) for side in ("for", "against")]
    return pd.concat([shown, *told], axis="columns").round(DIGITS)


def _flat(reasons: pd.Series, side: str, most: int) -> pd.DataFrame:
    columns = {}
    for place in range(most):
        at_place = [of_one[place] if place < len(of_one) else None for of_one in reasons]
        columns[f"reason_{side}_{place + 1}"] = [one and one["reason"] for one in at_place]
        columns[f"contribution_{side}_{place + 1}"] = [
            round(one["contribution"], 3) if one else None for one in at_place
        ]
    return pd.DataFrame(columns, index=reasons.index)


def contacts(
    churn_scores: DataFrame,
    scores_model_card: dict[str, Any],
    scoring: ScoringParameters,
    evaluation: EvaluationParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List whom to contact, and whom of them not to: those whose probability reaches the threshold.

    One row per customer, the likeliest first, with the dollars that a contact is expected to
    gain: probability * contact_success * kept_customer_value - contact_cost. A share of them, by
    a hash of user, cutoff and seed, is the control group. A warning says where that share is
    nobody, or everybody.

    Returns:
        The customers to contact, and the control group.
    """
    decision = evaluation.decision
    threshold = describe_decision(decision, scores_model_card["f1_threshold"])["threshold"]
    hashed = F.xxhash64("user_id", "cutoff", F.lit("control"), F.lit(scoring.control_seed))
    is_control = is_in_share(hashed, scoring.control_share)
    called = churn_scores.where(F.col("probability") >= threshold).withColumns(
        {
            "expected_gain": F.col("probability") * decision.value_of_contact
            - decision.contact_cost,
            "is_control": is_control,
        }
    )
    rows = to_sorted_pandas(called, "cutoff", "rank")
    reasons = [f"reason_for_{place + 1}" for place in range(scoring.reasons)]
    flat = pd.concat([rows, _flat(rows["reasons_for"], "for", scoring.reasons)], axis="columns")
    people = flat[[*CUSTOMER, "expected_gain", *reasons]]
    controls = rows["is_control"].astype(bool)
    _warn_of_one_group(len(rows), int(controls.sum()), scoring.control_share)
    return people[~controls].reset_index(drop=True), people[controls].reset_index(drop=True)


def round_contacts(
    contacts: pd.DataFrame, control_group: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Round the customers to contact and the control group for people."""
    return contacts.round(DIGITS), control_group.round(DIGITS)


def _warn_of_one_group(listed: int, control: int, share: float) -> None:
    """Warn where the control group is empty, or leaves nobody to contact."""
    if listed and control == 0:
        logger.warning(
            "control_group is empty: scoring.control_share %g of %s listed customers is nobody, so "
            "that the effect of contacts cannot be measured. Raise scoring.control_share.",
            *(share, f"{listed:,}"),
        )
    elif listed and control == listed:
        logger.warning(
            "contacts is empty: scoring.control_share %g puts all %s listed customers into the "
            "control group. Lower scoring.control_share.",
            *(share, f"{listed:,}"),
        )


def score_summary(
    churn_scores: DataFrame,
    contacts: pd.DataFrame,
    control_group: pd.DataFrame,
    scores_model_card: dict[str, Any],
    scoring: ScoringParameters,
    evaluation: EvaluationParameters,
    feature_engineering: FeatureEngineeringParameters,
) -> dict[str, Any]:
    """Sum up the scores: how many customers, how many are expected to leave, whom to contact.

    `decision` has the threshold of the list, and the costs and the rule that it follows from.
    `is_forecast` is false, with a warning, where the model has learnt from labels that end after
    the cutoff.
    `main_reasons` counts, of those whose probability reaches the threshold, whose strongest
    reason is which input.
    """
    card = scores_model_card
    decided = describe_decision(evaluation.decision, card["f1_threshold"])
    is_predicted = F.col("probability") >= decided["threshold"]
    of_cutoff = churn_scores.groupBy("cutoff").agg(
        F.count("*").alias("customers"),
        F.count_if(F.col("level") == "paid").alias("paid"),
        F.sum("probability").alias("expected"),
        F.count_if(is_predicted).alias("predicted"),
    )
    (found,) = of_cutoff.collect()
    strongest = F.element_at("reasons_for", 1)["input"].alias("input")
    called = churn_scores.where(is_predicted & (F.size("reasons_for") > 0))
    main = called.groupBy(strongest).count().orderBy(F.desc("count"), "input").collect()
    customers, expected = found["customers"], float(found["expected"])
    forecast = is_forecast(card, found["cutoff"])
    if not forecast:
        logger.warning(
            "churn_model has learnt from days after %s: these scores are no forecast",
            found["cutoff"],
        )
    return {
        "cutoff": str(found["cutoff"]),
        "horizon_days": feature_engineering.horizon_days,
        "outcome": feature_engineering.outcome,
        "happened": card["question"]["happened"],
        "is_forecast": forecast,
        "customers": customers,
        "by_level": {"free": customers - found["paid"], "paid": found["paid"]},
        "expected_churners": round(expected, 1),
        "mean_probability": expected / customers,
        "predicted": found["predicted"],
        "to_contact": len(contacts),
        "control": len(control_group),
        "control_share": scoring.control_share,
        "expected_profit": round(float(contacts["expected_gain"].sum()), 2),
        "contact_costs": len(contacts) * evaluation.decision.contact_cost,
        "decision": decided,
        "main_reasons": {row["input"]: row["count"] for row in main},
        "model": {
            **{name: card[name] for name in ("candidate", "label", "calibration", "f1_threshold")},
            **{name: card[name] for name in ("source", "training")},
            "train_cutoffs": card["question"]["train_cutoffs"],
        },
    }
