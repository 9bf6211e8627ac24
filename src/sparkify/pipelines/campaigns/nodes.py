"""Measure whether contacts kept customers, and count how customers are lost."""

import logging
from collections.abc import Callable, Hashable, Mapping
from datetime import date, timedelta
from functools import reduce
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkify.pipelines.campaigns.contact_record import (
    CONTACT,
    CONTROL,
    LASTING,
    join_contacts,
    list_contacts_made,
)
from sparkify.pipelines.campaigns.effects import (
    ALL,
    COLUMNS,
    PROGRAMME,
    list_effects,
    list_programme_effects,
)
from sparkify.pipelines.campaigns.movements import count_steps, list_week_ends
from sparkify.pipelines.campaigns.parameters import CampaignParameters
from sparkify.pipelines.campaigns.retention import count_retained
from sparkify.pipelines.evaluation.parameters import EvaluationParameters
from sparkify.pipelines.feature_engineering.customers import find_log_span
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters
from sparkify.schemas import KEYS

logger = logging.getLogger(__name__)
CUSTOMER_COLUMNS = [
    *("user_id", "campaign", "cutoff", "group", "probability", "level", "segment", "kept_value"),
    *("churned", "gone_on", "contacts", "late_contacts", "other_contacts"),
]


def join_campaign_outcomes(
    campaign_history: Mapping[str, Callable[[], pd.DataFrame]],
    contact_record: pd.DataFrame | None,
    user_days: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
    campaigns: CampaignParameters,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Join outcomes and contacts to the customers of every finished campaign.

    A campaign is the list of a cutoff; it is finished when the horizon is over.

    Returns:
        One row per customer and campaign. `churned` is whether the outcome happened within the
        horizon, `gone_on` the first day of the outcome at any time. With `inactivity` that is the
        day after the last event, once a horizon has passed without another. Contacts come from
        the contact record; without one, all customers to contact count as contacted.

        The status: `log_end`, the `finished` campaigns, those `waiting`, the source of the
        contacts (`contacts_by`), and the number of contacts of `unlisted` customers.

    Raises:
        ContactRecordError: if the contact record cannot be read.
    """
    _, log_end = find_log_span(user_days, feature_engineering)
    horizon_days = feature_engineering.horizon_days
    names = sorted(campaign_history)[-campaigns.max_campaigns :]
    status: dict[str, Any] = {
        "log_end": str(log_end),
        "horizon_days": horizon_days,
        "outcome": feature_engineering.outcome,
        "finished": [
            name
            for name in names
            if date.fromisoformat(name) + timedelta(days=horizon_days) <= log_end
        ],
        "contacts_by": "lists" if contact_record is None else "record",
        "unlisted": 0,
    }
    status["waiting"] = [name for name in names if name not in status["finished"]]
    lists = [campaign_history[name]().assign(campaign=name) for name in names]
    if not lists:
        return pd.DataFrame(columns=CUSTOMER_COLUMNS), status
    listed = pd.concat(lists, ignore_index=True)
    if "kept_value" not in listed:  # lists of version 0.9
        listed["kept_value"] = float("nan")
    contacts = list_contacts_made(listed, contact_record)
    pairs = contacts.merge(listed[["user_id", "campaign"]], how="left", indicator=True)
    status["unlisted"] = int((pairs["_merge"] == "left_only").sum())
    if status["unlisted"]:
        logger.warning(
            "contact_record: %s of %s contacts are of customers whom the list of their campaign "
            "does not have; they are left out. campaign is the cutoff of the list, as in %s.",
            *(f"{status['unlisted']:,}", f"{len(contacts):,}", names[-1]),
        )
    finished = listed[listed["campaign"].isin(status["finished"])]
    with_contacts = join_contacts(finished, contacts, horizon_days)
    outcomes = _find_outcomes(with_contacts, user_days, feature_engineering, log_end)
    joined = with_contacts.merge(outcomes, on=KEYS, how="left", validate="1:1")
    return joined[CUSTOMER_COLUMNS].sort_values(["campaign", "user_id"], ignore_index=True), status


def _find_outcomes(
    listed: pd.DataFrame,
    user_days: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
    log_end: date,
) -> pd.DataFrame:
    """Return `churned` and `gone_on` by user and cutoff."""
    horizon_days, columns = feature_engineering.horizon_days, feature_engineering.outcome_columns
    is_outcome = reduce(Column.__or__, [F.col(name) > 0 for name in columns] or [F.lit(False)])
    days = user_days.select("user_id", "day", is_outcome.alias("is_outcome"))
    keys = list(listed[KEYS].itertuples(index=False, name=None))
    customers = user_days.sparkSession.createDataFrame(keys, "user_id string, cutoff date")
    end = F.date_add("cutoff", horizon_days)
    is_later = F.col("day") >= F.col("cutoff")
    sums = (
        customers.join(days, on="user_id", how="left")
        .groupBy(*KEYS)
        .agg(
            F.min(F.when(F.col("is_outcome") & is_later, F.col("day"))).alias("outcome_on"),
            F.max("day").alias("last_day"),
            F.count_if(is_later & (F.col("day") < end)).alias("active_days"),
        )
    )
    if columns:
        churned, gone_on = F.col("outcome_on") < end, F.col("outcome_on")
    else:
        silent_from = F.greatest(F.date_add("last_day", 1), "cutoff")
        churned = F.col("active_days") == 0
        gone_on = F.when(F.date_add(silent_from, horizon_days) <= F.lit(log_end), silent_from)
    outcomes: pd.DataFrame = sums.select(
        *KEYS, F.coalesce(churned, F.lit(False)).alias("churned"), gone_on.alias("gone_on")
    ).toPandas()
    return outcomes


def estimate_effects(
    campaign_customers: pd.DataFrame,
    campaign_status: dict[str, Any],
    evaluation: EvaluationParameters,
    campaigns: CampaignParameters,
) -> pd.DataFrame:
    """Return the effect of the contacts: one row per campaign and group of customers.

    `campaign` is the cutoff of the list, or `all` for all campaigns together. `programme` is the
    effect since a customer was first listed, against the lasting control group. The columns are
    those of `effects.compare_groups`, and for groups of customers `corrected_p_value`.
    Customers without a `kept_value` of their list are worth `kept_customer_value`.
    """
    decision = evaluation.decision
    customers = campaign_customers.fillna({"kept_value": decision.kept_customer_value})
    log_end = pd.Timestamp(campaign_status["log_end"])
    rows = [
        *list_effects(customers, decision.contact_cost, campaigns.min_churned),
        *list_programme_effects(customers, log_end, campaigns.programme_days),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def summarize_campaigns(
    campaign_customers: pd.DataFrame,
    campaign_effects: pd.DataFrame,
    campaign_status: dict[str, Any],
    evaluation: EvaluationParameters,
) -> dict[str, Any]:
    """Return the results of the campaigns for the report.

    `campaigns` has every finished campaign with its `effect`, and whether contacts were made as
    listed. `proposal` is the `contact_success` estimated from all finished campaigns, next to the
    one in use, which a run never changes. `programme` is the effect against the lasting control
    group, by days.
    """
    overall = campaign_effects[campaign_effects["grouping"] == ALL]
    effects = {row["campaign"]: row for row in _list_records(overall)}
    programme = campaign_effects[campaign_effects["campaign"] == PROGRAMME]
    return {
        **campaign_status,
        "campaigns": [
            {
                "campaign": name,
                **_measure_compliance(rows, effects[name]),
                "effect": effects[name],
            }
            for name, rows in campaign_customers.groupby("campaign")
            if name in effects
        ],
        "groups": _list_records(
            campaign_effects[
                (campaign_effects["campaign"] == ALL) & (campaign_effects["grouping"] != ALL)
            ]
        ),
        "all": effects.get(ALL),
        "proposal": _propose_success(effects.get(ALL), evaluation.decision.contact_success),
        "programme": _list_records(programme),
    }


def _list_records(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return rows for JSON, which has neither NaN nor infinity."""
    finite = table.astype(object).where(~table.isin([float("inf"), float("-inf")]), None)
    return finite.where(table.notna(), None).to_dict("records")


def _measure_compliance(rows: pd.DataFrame, effect: Mapping[Any, Any]) -> dict[str, Any]:
    """Return how many contacts were made as listed, and the effect on those contacted.

    `kept_by_contact` is the effect on customers who were contacted because of the list (Bloom
    1984): the effect of the assignment, divided by the difference between the shares contacted in
    both groups. Its bounds treat that difference as known.
    """
    randomised = rows[rows["group"] != LASTING]
    was_contacted = randomised["contacts"] + randomised["other_contacts"] > 0
    is_contact = randomised["group"] == CONTACT
    shares = {
        "contacted_share": float((randomised["contacts"] > 0)[is_contact].mean()),
        "control_contacted_share": float(was_contacted[~is_contact].mean()),
    }
    difference = float(was_contacted[is_contact].mean()) - shares["control_contacted_share"]
    best = "adjusted_kept" if effect["adjusted_kept"] is not None else "kept"
    bounds = [effect[f"{best}{bound}"] for bound in ("", "_low", "_high")]
    is_known = difference > 0 and None not in bounds
    names = ("kept_by_contact", "kept_by_contact_low", "kept_by_contact_high")
    return {
        **{group: int((rows["group"] == group).sum()) for group in (CONTACT, CONTROL, LASTING)},
        **{name: None if pd.isna(share) else share for name, share in shares.items()},
        "late_contacts": int(rows["late_contacts"].sum()),
        "other_contacts": int(rows["other_contacts"].sum()),
        **{
            name: bound / difference if is_known else None
            for name, bound in zip(names, bounds, strict=True)
        },
    }


def _propose_success(
    effect: Mapping[Any, Any] | None, contact_success: float
) -> dict[str, Any] | None:
    """Return the `contact_success` estimated from finished campaigns; None if there is none.

    `is_effective` is whether its interval lies above 0.
    """
    if effect is None:
        return None
    best = "adjusted_success" if effect["adjusted_success"] is not None else "success"
    value, low, high = (effect[f"{best}{bound}"] for bound in ("", "_low", "_high"))
    return {
        "in_use": contact_success,
        "contact_success": value,
        "low": low,
        "high": high,
        "is_adjusted": best != "success",
        "is_effective": low is not None and low > 0,
    }


def count_movements(
    user_days: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
    campaigns: CampaignParameters,
) -> pd.DataFrame:
    """Count customers by their state before and after each week: active, quiet, cancelled, ….

    Returns one row per `week_end`, `level`, `before` and `now`, with `customers`; the states are
    those of `movements.count_steps`. Empty where the log is shorter than `silent_after_days` and
    a week.
    """
    silent_after_days = campaigns.silent_after_days
    first_day, log_end = find_log_span(user_days, feature_engineering)
    week_ends = list_week_ends(first_day, log_end, silent_after_days, campaigns.movement_weeks)
    return count_steps(user_days, week_ends, silent_after_days, feature_engineering)


def measure_retention(
    user_days: DataFrame,
    feature_engineering: FeatureEngineeringParameters,
    campaigns: CampaignParameters,
) -> pd.DataFrame:
    """Count customers who have not cancelled, by sign-up week and the weeks since then.

    Returns one row per sign-up week and number of weeks, as `retention.count_retained` does.
    """
    span = find_log_span(user_days, feature_engineering)
    return count_retained(user_days, *span, campaigns.retention_cohorts, campaigns.retention_weeks)
