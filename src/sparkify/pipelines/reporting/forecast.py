"""What the forecast says: how many will leave, whom to contact, and what that is worth."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from scipy.stats import poisson

from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS
from sparkify.pipelines.modelling.model_card import is_same_model
from sparkify.pipelines.reporting import words
from sparkify.pipelines.reporting.blocks import (
    Block,
    Column,
    KeyFigures,
    Notice,
    Section,
    Table,
    Text,
)


def forecast(
    score_summary: dict[str, Any],
    contacts: pd.DataFrame,
    metrics: dict[str, Any],
    contacts_shown: int,
) -> Section:
    """Say how many customers are expected to leave, whom to contact, and what that is worth.

    Args:
        score_summary: as `scoring` saves it.
        contacts: one row per customer to contact, the likeliest first.
        metrics: of the model that the rest of the report is about.
        contacts_shown: of them, how many the list shows at most.
    """
    return Section(
        "forecast",
        "What the forecast says",
        (
            *_not_this_model(score_summary, metrics),
            *_other_decision(score_summary, metrics),
            *_known_outcome(score_summary),
            KeyFigures(tuple(_key_figures(score_summary))),
            Text(_told(score_summary)),
            *_one_group(score_summary),
            *_loss(score_summary),
            *_list(score_summary, contacts.head(contacts_shown)),
        ),
    )


def _not_this_model(summary: dict[str, Any], metrics: dict[str, Any]) -> list[Notice]:
    model, champion = summary["model"], metrics["champion"]
    if is_same_model(model, champion):
        return []
    return [
        Notice(
            f"These scores are of another model ({model['label']}, trained on cutoffs up to "
            f"{words.day(max(model['train_cutoffs']))}) than the one judged below "
            f"({champion['label']}): kedro run --pipelines "
            "modelling,evaluation,scoring,reporting evaluates and scores with one model."
        )
    ]


def _other_decision(summary: dict[str, Any], metrics: dict[str, Any]) -> list[Notice]:
    listed, evaluated = summary["decision"], metrics["decision"]
    if listed == evaluated:
        return []
    changed = ", ".join(
        f"{name} {_setting(listed[name])} instead of {_setting(evaluated[name])}"
        for name in listed
        if listed[name] != evaluated[name]
    )
    return [
        Notice(
            f"The list was made by another decision than precision, recall and profit below: "
            f"{changed}. kedro run --from-nodes modelling.compare_with_champion evaluates the "
            "model by the decision that is set now, and makes list and report anew."
        )
    ]


def _setting(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def _known_outcome(summary: dict[str, Any]) -> list[Notice]:
    if summary["is_forecast"]:
        return []
    return [
        Notice(
            f"The model has learnt from outcomes after {words.day(summary['cutoff'])}: these "
            "scores show how it looks at customers, and are no forecast."
        )
    ]


def _key_figures(summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    by_level = summary["by_level"]
    yield (
        words.count(summary["customers"]),
        f"customers on {words.day(summary['cutoff'])}: {words.count(by_level['paid'])} paid, "
        f"{words.count(by_level['free'])} free",
    )
    low, high = poisson.interval(0.95, summary["expected_churners"])
    yield (
        words.number(summary["expected_churners"]),
        f"expected to leave within {summary['horizon_days']} days "
        f"({words.share(summary['mean_probability'])}); by chance {words.count(low)} to "
        f"{words.count(high)} if the forecast is right",
    )
    yield (
        words.count(summary["to_contact"]),
        f"to contact; {words.count(summary['control'])} more are the control group, not to be "
        "contacted",
    )
    worth = summary["decision"]["kept_customer_value"]
    kept = (summary["expected_profit"] + summary["contact_costs"]) / worth
    low, high = (worth * stay - summary["contact_costs"] for stay in poisson.interval(0.95, kept))
    yield (
        words.dollars(summary["expected_profit"]),
        f"expected to be gained by that; by chance {words.dollars(low)} to {words.dollars(high)}",
    )


def _told(summary: dict[str, Any]) -> str:
    decision = summary["decision"]
    pays_from = _pays_from(decision)
    pays = f"a contact pays from a probability of {words.share(pays_from)} on"
    return (
        f"Those who leave are the customers who {OUTCOME_WORDS[summary['outcome']].will_happen} "
        f"within {summary['horizon_days']} days. Customers whose probability to leave is at "
        f"least {words.share(decision['threshold'])} are to be contacted, "
        f"{words.count(summary['predicted'])} in all; "
        f"{words.share(summary['control_share'])} of such, by a hash, are kept back as the control "
        f"group ({words.count(summary['control'])}), since without one nobody can say later what "
        "contacts achieved. A contact costs "
        f"{words.dollars(decision['contact_cost'])}, {words.share(decision['contact_success'])} of "
        "those who would leave are assumed to stay once contacted, and one who stays is worth "
        f"{words.dollars(decision['kept_customer_value'])}; so "
        f"{pays if pays_from < 1 else 'no contact pays'}."
    )


def _one_group(summary: dict[str, Any]) -> list[Notice]:
    """Warn where the control group is empty, or leaves nobody to contact."""
    listed = summary["to_contact"] + summary["control"]
    share = words.share(summary["control_share"])
    if listed and not summary["control"]:
        return [
            Notice(
                f"The control group is empty: {share} of {words.count(listed)} listed customers "
                "is nobody. Without a control group the effect of contacts cannot be measured: "
                "raise scoring.control_share."
            )
        ]
    if listed and not summary["to_contact"]:
        return [
            Notice(
                f"Nobody is to be contacted: a control share of {share} puts all "
                f"{words.count(listed)} listed customers into the control group. Lower "
                "scoring.control_share."
            )
        ]
    return []


def _pays_from(decision: dict[str, Any]) -> float:
    cost, success = decision["contact_cost"], decision["contact_success"]
    return float(cost / (success * decision["kept_customer_value"]))


def _loss(summary: dict[str, Any]) -> list[Notice]:
    if summary["expected_profit"] >= 0:
        return []
    loss = words.dollars(-summary["expected_profit"])
    return [
        Notice(
            f"Contacting the whole list is expected to lose {loss}: it begins at a probability of "
            f"{words.share(summary['decision']['threshold'])}, and a contact pays from "
            f"{words.share(_pays_from(summary['decision']))} on. With "
            "evaluation.decision.threshold=profit the list holds only contacts that pay."
        )
    ]


def _list(summary: dict[str, Any], shown: pd.DataFrame) -> Iterator[Block]:
    if shown.empty:
        nobody = "nobody reaches the threshold"
        reason = "all are in the control group" if summary["control"] else nobody
        yield Text(f"The list of customers to contact has 0 rows: {reason}.")
        return
    reasons = [name for name in map(str, shown) if name.startswith("reason_for_")]
    yield Table(
        f"The first {words.count(len(shown))} of {words.count(summary['to_contact'])} customers to "
        "contact; all are in contacts.csv, with what each contact is expected to gain",
        (
            *[Column("Rank"), Column("Customer", "code"), Column("Probability to leave")],
            *[Column("Level", "text"), Column("Last seen", "text")],
            *[Column("Expected gain"), Column("Why", "prose")],
        ),
        tuple(
            (
                words.count(row["rank"]),
                str(row["user_id"]),
                words.share(row["probability"]),
                str(row["level"]),
                words.days_ago(row["days_since_last_seen"]),
                words.dollars(row["expected_gain"]),
                "; ".join(str(row[name]) for name in reasons if pd.notna(row[name]))
                or words.UNKNOWN,
            )
            for row in shown.to_dict("records")
        ),
        stacks=True,
    )
