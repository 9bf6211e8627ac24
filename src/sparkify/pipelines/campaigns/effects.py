"""The effects of campaigns: overall, by group of customers, and of the whole programme."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from sparkify.ml.remaining_value import average_kept_value
from sparkify.ml.two_groups import LEVEL, Effect, compare, estimate_rates
from sparkify.pipelines.campaigns.contact_record import CONTACT, LASTING

ALL = "all"  # all campaigns together; all customers of a campaign
PROGRAMME = "programme"
DAYS_SINCE = "days since first listed"
GROUPINGS = ("level", "segment")
COLUMNS = [
    *("campaign", "grouping", "value"),
    *("contacted", "control", "churned_contacted", "churned_control"),
    *("contacted_rate", "control_rate"),
    *("kept", "kept_low", "kept_high", "success", "success_low", "success_high", "p_value"),
    *("adjusted_kept", "adjusted_kept_low", "adjusted_kept_high"),
    *("adjusted_success", "adjusted_success_low", "adjusted_success_high", "adjusted_p_value"),
    *("looks", "corrected_p_value"),
    *("gain", "gain_low", "gain_high"),
]


def compare_groups(
    rows: pd.DataFrame, contact_cost: float, min_churned: int, looks: int = 1
) -> dict[str, Any]:
    """Compare the customers assigned to contact with the control group, as one row.

    By assignment, whether or not the contact was made (intention to treat). `kept`, `success` and
    their bounds are those of `Effect`. `adjusted_…` are the same with the forecast as covariate;
    they are missing if fewer than `min_churned` churned in either group. `gain` is in dollars: the
    value of the kept customers less the costs of all contacts. It uses the adjusted estimate if
    there is one. A kept customer has the mean value of the assigned customers, weighted by their
    probability to leave.

    Args:
        rows: one row per customer and campaign: `user_id`, `campaign`, `group`, `churned`,
            `probability`, `contacts`, `kept_value`.
        contact_cost: dollars per contact.
        min_churned: minimum of churners in each group for an adjusted estimate.
        looks: number of simultaneous comparisons. Intervals are widened so that all of them
            contain the true effect with 95 % probability (Bonferroni).
    """
    is_contact = (rows["group"] == CONTACT).to_numpy()
    churned = rows["churned"].to_numpy(float)
    counts = {
        "contacted": int(is_contact.sum()),
        "control": int((~is_contact).sum()),
        "churned_contacted": int(churned[is_contact].sum()),
        "churned_control": int(churned[~is_contact].sum()),
    }
    grouped = churned, is_contact
    by: dict[str, Any] = {
        "strata": pd.factorize(rows["campaign"])[0],
        "users": pd.factorize(rows["user_id"])[0],
    }
    rates = estimate_rates(*grouped, **by)
    level = 1 - (1 - LEVEL) / looks
    best = compare(rates, level)
    row = {
        **counts,
        **{"contacted_rate": rates.treated, "control_rate": rates.control},
        **best._asdict(),
    }
    if min(counts["churned_contacted"], counts["churned_control"]) >= min_churned:
        forecast = rows["probability"].to_numpy(float)
        best = compare(estimate_rates(*grouped, covariate=forecast, **by), level)
        row |= {f"adjusted_{name}": value for name, value in best._asdict().items()}
    return {**row, "looks": looks, **_gain(best, rows[is_contact], contact_cost)}


def _gain(effect: Effect, contacted: pd.DataFrame, contact_cost: float) -> dict[str, float]:
    value = len(contacted) * average_kept_value(contacted)
    costs = contacted["contacts"].sum() * contact_cost
    return {
        "gain": value * effect.kept - costs,
        "gain_low": value * effect.kept_low - costs,
        "gain_high": value * effect.kept_high - costs,
    }


def list_effects(
    customers: pd.DataFrame, contact_cost: float, min_churned: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of every campaign, and of all campaigns together, without the lasting control.

    A customer on several lists counts in each campaign. The intervals of all campaigns together
    allow for that.
    """
    randomised = customers[customers["group"] != LASTING]
    campaigns = [(name, rows) for name, rows in randomised.groupby("campaign")]
    for name, rows in [*campaigns, (ALL, randomised)]:
        if rows.empty:
            continue
        start = {"campaign": name, "grouping": ALL, "value": ALL}
        yield start | compare_groups(rows, contact_cost, min_churned)
        looks = [
            (grouping, value, members)
            for grouping in GROUPINGS
            for value, members in rows.groupby(grouping)
            if _has_both_groups(members)
        ]
        effects = [
            {"campaign": name, "grouping": grouping, "value": str(value)}
            | compare_groups(members, contact_cost, min_churned, len(looks))
            for grouping, value, members in looks
        ]
        yield from correct_for_looks(effects)


def _has_both_groups(rows: pd.DataFrame) -> bool:
    """Return whether any campaign has both contacted customers and a control group."""
    shares = (rows["group"] == CONTACT).groupby(rows["campaign"]).mean()
    return bool(shares.between(0, 1, inclusive="neither").any())


def list_programme_effects(
    customers: pd.DataFrame, log_end: pd.Timestamp, days: tuple[int, ...]
) -> Iterator[dict[str, Any]]:
    """Yield the effect of the whole programme by days since a customer was first listed.

    No customer was contacted before, so until then the lasting control group and all others differ
    by chance alone. `contacted` counts all others, whether or not they were contacted.
    """
    first = customers.sort_values("campaign").drop_duplicates("user_id")
    if not (first["group"] == LASTING).any():
        return
    cutoff = pd.to_datetime(first["cutoff"])
    readings = []
    for number in sorted(days):
        rows = first[cutoff + pd.Timedelta(days=number) <= log_end]
        is_other = (rows["group"] != LASTING).to_numpy()
        if 0 < is_other.sum() < len(rows):
            gone_after = pd.to_datetime(rows["gone_on"]) - cutoff[rows.index]
            readings.append((number, is_other, (gone_after < pd.Timedelta(days=number)).to_numpy()))
    level = 1 - (1 - LEVEL) / max(len(readings), 1)
    effects = []
    for number, is_other, churned in readings:
        rates = estimate_rates(churned.astype(float), is_other)
        effects.append(
            {
                **{"campaign": PROGRAMME, "grouping": DAYS_SINCE, "value": str(number)},
                **{"contacted": int(is_other.sum()), "control": int((~is_other).sum())},
                "churned_contacted": int(churned[is_other].sum()),
                "churned_control": int(churned[~is_other].sum()),
                **{"contacted_rate": rates.treated, "control_rate": rates.control},
                **compare(rates, level)._asdict(),
                "looks": len(readings),
            }
        )
    yield from correct_for_looks(effects)


def correct_for_looks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add p-values corrected by Holm (1979): at most 5 % probability of any false finding."""
    p_values = [row.get("adjusted_p_value", row["p_value"]) for row in rows]
    is_known = np.isfinite(p_values)
    corrected = np.full(len(rows), np.nan)
    if is_known.any():
        corrected[is_known] = multipletests(np.array(p_values)[is_known], method="holm")[1]
    return [
        row | {"corrected_p_value": float(value)}
        for row, value in zip(rows, corrected, strict=True)
    ]
