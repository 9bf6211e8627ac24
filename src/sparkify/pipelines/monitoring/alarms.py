"""Alarms of a monitoring run: each has a name, a measure, its value and limit, and a sentence.

`reference` describes the training's last snapshot and its log, `newest` the newest ones.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from math import inf
from typing import Any

import pandas as pd

from sparkify.pipelines.monitoring.parameters import MonitoringParameters

Description = Mapping[str, Any]
Alarm = dict[str, Any]
DRIFT = "drift."  # prefix of the alarms about features and scores
PER_DAY = {"events": "events", "active": "active customers"}


def compare_volume(reference: Description, newest: Description) -> dict[str, dict[str, float]]:
    """Return events and active customers, each per customer and day, and their `ratio`."""
    compared = {}
    for name in PER_DAY:
        before, now = (
            sum(day[name] for day in each["days"]) / max(len(each["days"]) * each["customers"], 1)
            for each in (reference, newest)
        )
        ratio = now / before if before else 1.0
        compared[name] = {"reference": before, "newest": now, "ratio": ratio}
    return compared


def compare_weekdays(reference: Description, newest: Description) -> dict[str, float]:
    """Return the events of each newest day, as a share of those expected on its weekday.

    The expected number is the reference's events per customer on this weekday, times the newest
    number of customers.
    """
    by_weekday: dict[int, list[int]] = {}
    for day in reference["days"]:
        by_weekday.setdefault(date.fromisoformat(day["day"]).weekday(), []).append(day["events"])
    growth = newest["customers"] / max(reference["customers"], 1)
    shares = {}
    for day in newest["days"]:
        events = by_weekday.get(date.fromisoformat(day["day"]).weekday(), [])
        if sum(events):
            shares[day["day"]] = day["events"] / (growth * sum(events) / len(events))
    return shares


def compute_unseen_page_share(newest: Description) -> float:
    """Return the share of the window's events on pages that the training's log did not have."""
    events = sum(day["events"] for day in newest["days"])
    return float(sum(newest["unseen_pages"].values()) / events) if events else 0.0


def compare_rejections(reference: Description, newest: Description) -> dict[str, dict[str, float]]:
    """Return the share of records rejected in training and since, by reason.

    If the newest log continues the training's log, only its additional records count as new.
    """
    before, after = reference["lines"], newest["lines"]
    reasons = sorted({*before["rejections"], *after["rejections"]})
    old = {reason: before["rejections"].get(reason, 0) for reason in reasons}
    new = {reason: after["rejections"].get(reason, 0) for reason in reasons}
    total = after["lines"]
    is_same_start = after["first_event"] == before["first_event"]
    is_longer = total >= before["lines"] and all(new[reason] >= old[reason] for reason in reasons)
    if is_same_start and is_longer:
        new = {reason: new[reason] - old[reason] for reason in reasons}
        total -= before["lines"]
    old_shares = {reason: old[reason] / max(before["lines"], 1) for reason in reasons}
    return {
        reason: {"reference": share, "newest": new[reason] / total if total else share}
        for reason, share in old_shares.items()
    }


def find_drift_alarms(
    drift: pd.DataFrame, reference: Description, newest: Description, limit: float
) -> Iterator[Alarm]:
    """Yield an alarm for every feature that has drifted, the largest drift first."""
    rows = drift[drift["alarm"]].sort_values("psi", ascending=False, kind="stable")
    for row in rows.to_dict("records"):
        yield _create_alarm(
            f"{DRIFT}{row['feature']}",
            "population stability index",
            row["psi"],
            limit,
            f"{row['feature'].replace('_', ' ')}: the mean drifted from "
            f"{row['reference_mean']:.4g} at the training's cutoff {reference['cutoff']} to "
            f"{row['newest_mean']:.4g} at {newest['cutoff']}; PSI {row['psi']:.2f}, limit "
            f"{limit:g}",
        )


def find_volume_alarms(
    volume: Mapping[str, Mapping[str, float]],
    day_shares: Mapping[str, float],
    monitoring: MonitoringParameters,
) -> Iterator[Alarm]:
    """Yield alarms for much more or fewer events or customers, and for days with few events."""
    limit = monitoring.volume_ratio
    for name, compared in volume.items():
        ratio = compared["ratio"]
        if not 1 / limit <= ratio <= limit:
            yield _create_alarm(
                f"volume.{name}",
                f"{PER_DAY[name]} per customer and day, newest divided by training",
                ratio,
                limit,
                f"{PER_DAY[name]} per customer and day are {ratio:.2f} times the training's "
                f"({compared['reference']:.3g}, now {compared['newest']:.3g}); limits "
                f"{1 / limit:.2f} and {limit:g}",
            )
    quiet = [day for day, share in day_shares.items() if share < monitoring.quiet_day_share]
    if quiet:
        lowest = min(day_shares.values())
        yield _create_alarm(
            "volume.quiet_day",
            "a day's events divided by the usual number on its weekday",
            lowest,
            monitoring.quiet_day_share,
            f"events are missing on {', '.join(quiet)}: {lowest:.1%} of the usual number on this "
            f"weekday, limit {monitoring.quiet_day_share:.0%}",
        )


def find_page_alarms(newest: Description, limit: float) -> Iterator[Alarm]:
    """Yield an alarm if many events are on pages that the training's log did not have."""
    share = compute_unseen_page_share(newest)
    if share > limit:
        yield _create_alarm(
            "unseen_pages",
            "share of events on pages that the training's log did not have",
            share,
            limit,
            f"{share:.2%} of events are on pages that the training's log did not have "
            f"({', '.join(newest['unseen_pages'])}); limit {limit:.2%}",
        )


def find_rejection_alarms(
    rejections: Mapping[str, Mapping[str, float]], limit: float
) -> Iterator[Alarm]:
    """Yield an alarm for every reason that rejects many more records than in training."""
    for reason, share in rejections.items():
        rise = share["newest"] - share["reference"]
        if rise > limit:
            yield _create_alarm(
                f"rejections.{reason}",
                "rise of the share of records rejected for a reason",
                rise,
                limit,
                f"{share['newest']:.1%} of records are rejected for '{reason}', "
                f"{share['reference']:.1%} in training; limit {limit:.1%} more",
            )


def find_realised_alarms(
    realised_metrics: pd.DataFrame, holdout: Mapping[str, Any], limit: float
) -> Iterator[Alarm]:
    """Yield alarms if the newest scores whose horizon is over are much worse than expected.

    Earlier scores were checked when they were the newest.
    """
    for row in realised_metrics.tail(1).to_dict("records"):
        ratio = row["churned"] / row["expected"]
        is_chance = row["expected_low"] <= row["churned"] <= row["expected_high"]
        if not is_chance and not 1 / limit <= ratio <= limit:
            yield _create_alarm(
                "realised.churned",
                "churners divided by the sum of forecast probabilities",
                ratio,
                limit,
                f"{row['churned']} customers of {row['cutoff']} churned; the forecast was "
                f"{row['expected']:.1f} (likely range {row['expected_low']} to "
                f"{row['expected_high']}); limits {1 / limit:.2f} and {limit:g} times",
            )
        auc = holdout["auc"]
        low, high = auc["ci95"] or (-inf, inf)
        if row["auc_high"] < low:
            yield _create_alarm(
                "realised.auc",
                "AUC of earlier scores",
                row["auc"],
                low,
                f"the scores of {row['cutoff']} have an AUC of {row['auc']:.3f} "
                f"[{row['auc_low']:.3f}, {row['auc_high']:.3f}], all below that of the hold-out, "
                f"{auc['value']:.3f} [{low:.3f}, {high:.3f}]",
            )


def _create_alarm(name: str, what: str, value: float, threshold: float, sentence: str) -> Alarm:
    return {
        "name": name,
        "what": what,
        "value": float(value),
        "threshold": float(threshold),
        "sentence": f"{sentence[0].upper()}{sentence[1:]}.",
    }
