"""What is worth an alarm: each with a name, what moved, its value, the limit, and a sentence."""

from collections.abc import Iterator, Mapping
from datetime import date
from math import inf
from typing import Any

import pandas as pd

from sparkify.pipelines.monitoring.drift import drifted
from sparkify.pipelines.monitoring.parameters import MonitoringParameters

Described = Mapping[str, Any]
Alarm = dict[str, Any]
DRIFT = "drift."  # what the names of alarms of features and scores begin with
PER_DAY = {"events": "events", "active": "active customers"}


def of_drift(
    drift: pd.DataFrame, reference: Described, newest: Described, monitoring: MonitoringParameters
) -> Iterator[Alarm]:
    """Yield an alarm for every feature that has drifted, the farthest first."""
    for row in drifted(drift):
        yield _alarm(
            f"{DRIFT}{row['feature']}",
            "population stability index",
            row["psi"],
            monitoring.psi,
            f"{row['feature'].replace('_', ' ')}: drifted from {row['reference_mean']:.4g} in the "
            f"mean at the training's cutoff {reference['cutoff']} to {row['newest_mean']:.4g} at "
            f"{newest['cutoff']}; PSI {row['psi']:.2f}, limit {monitoring.psi:g}",
        )


def volume(reference: Described, newest: Described) -> dict[str, dict[str, float]]:
    """Compare what comes in per customer and day: `reference`, `newest` and their `ratio`."""
    compared = {}
    for name in PER_DAY:
        then, now = (
            sum(day[name] for day in one["days"]) / max(len(one["days"]) * one["customers"], 1)
            for one in (reference, newest)
        )
        compared[name] = {"reference": then, "newest": now, "ratio": now / then if then else 1.0}
    return compared


def quiet_days(reference: Described, newest: Described) -> dict[str, float]:
    """Return each of the newest days' events as a share of what is usual on its weekday.

    Usual are the reference's events per customer on such weekdays, times the customers now.
    """
    usual: dict[int, list[int]] = {}
    for day in reference["days"]:
        usual.setdefault(date.fromisoformat(day["day"]).weekday(), []).append(day["events"])
    growth = newest["customers"] / max(reference["customers"], 1)
    shares = {}
    for day in newest["days"]:
        events = usual.get(date.fromisoformat(day["day"]).weekday(), [])
        if sum(events):
            shares[day["day"]] = day["events"] / (growth * sum(events) / len(events))
    return shares


def of_volume(
    reference: Described, newest: Described, monitoring: MonitoringParameters
) -> Iterator[Alarm]:
    """Yield an alarm where much more or less comes in per customer, and for a day of silence."""
    for name, compared in volume(reference, newest).items():
        ratio, limit = compared["ratio"], monitoring.volume_ratio
        if not 1 / limit <= ratio <= limit:
            yield _alarm(
                f"volume.{name}",
                f"{PER_DAY[name]} per customer and day, now by training's",
                ratio,
                limit,
                f"{PER_DAY[name]} per customer and day are {ratio:.2f} times the training's "
                f"({compared['reference']:.3g}, now {compared['newest']:.3g}); limits "
                f"{1 / limit:.2f} and {limit:g}",
            )
    shares = quiet_days(reference, newest)
    quiet = [day for day, share in shares.items() if share < monitoring.quiet_day_share]
    if quiet:
        least = min(shares.values())
        yield _alarm(
            "volume.quiet_day",
            "a day's events by what is usual on its weekday",
            least,
            monitoring.quiet_day_share,
            f"events are missing on {', '.join(quiet)}: {least:.1%} of what is usual on the "
            f"weekday, limit {monitoring.quiet_day_share:.0%}",
        )


def of_pages(newest: Described, monitoring: MonitoringParameters) -> Iterator[Alarm]:
    """Yield an alarm where many events are on pages that the training's log did not have."""
    share = unseen_share(newest)
    if share > monitoring.unseen_page_share:
        names = ", ".join(newest["unseen_pages"])
        yield _alarm(
            "unseen_pages",
            "share of events on pages that the training's log did not have",
            share,
            monitoring.unseen_page_share,
            f"{share:.2%} of events are on pages unknown to the training ({names}); limit "
            f"{monitoring.unseen_page_share:.2%}",
        )


def unseen_share(newest: Described) -> float:
    """Return the share of the window's events on pages that the training's log did not have."""
    events = sum(day["events"] for day in newest["days"])
    return float(sum(newest["unseen_pages"].values()) / events) if events else 0.0


def rejections(reference: Described, newest: Described) -> dict[str, dict[str, float]]:
    """Compare the share of records rejected, by reason: in training, and since.

    Where the log goes on from the training's, the records since are those that came on top; a log
    of its own is looked at whole.
    """
    then, now = reference["lines"], newest["lines"]
    reasons = sorted({*then["rejections"], *now["rejections"]})
    before = {why: then["rejections"].get(why, 0) for why in reasons}
    after = {why: now["rejections"].get(why, 0) for why in reasons}
    counts, total = after, now["lines"]
    goes_on = now["first_event"] == then["first_event"] and now["lines"] >= then["lines"]
    if goes_on and all(after[why] >= before[why] for why in reasons):
        counts = {why: after[why] - before[why] for why in reasons}
        total = now["lines"] - then["lines"]
    return {
        why: {
            "reference": before[why] / max(then["lines"], 1),
            "newest": counts[why] / total if total else before[why] / max(then["lines"], 1),
        }
        for why in reasons
    }


def of_rejections(
    reference: Described, newest: Described, monitoring: MonitoringParameters
) -> Iterator[Alarm]:
    """Yield an alarm for every reason for which many more records are rejected than in training."""
    for why, share in rejections(reference, newest).items():
        rise, limit = share["newest"] - share["reference"], monitoring.rejected_share_rise
        if rise > limit:
            yield _alarm(
                f"rejections.{why}",
                "rise of the share of records rejected for a reason",
                rise,
                limit,
                f"{share['newest']:.1%} of records are rejected for '{why}', "
                f"{share['reference']:.1%} in training; limit {limit:.1%} more",
            )


def of_realised(
    realised: pd.DataFrame, promised: Mapping[str, Any], monitoring: MonitoringParameters
) -> Iterator[Alarm]:
    """Yield alarms where the newest scores whose horizon is over are not what was promised.

    Those before it were judged when they were the newest.
    """
    for row in realised.tail(1).to_dict("records"):
        ratio, limit = row["churned"] / row["expected"], monitoring.churn_ratio
        is_chance = row["expected_low"] <= row["churned"] <= row["expected_high"]
        if not is_chance and not 1 / limit <= ratio <= limit:
            yield _alarm(
                "realised.churned",
                "churners by the sum of their forecast probabilities",
                ratio,
                limit,
                f"of the customers of {row['cutoff']} {row['churned']} churned, and forecasts sum "
                f"up to {row['expected']:.1f} (by chance {row['expected_low']} to "
                f"{row['expected_high']}); limits {1 / limit:.2f} and {limit:g} times",
            )
        low, high = promised["auc"]["ci95"] or (-inf, inf)
        if row["auc_high"] < low:
            yield _alarm(
                "realised.auc",
                "AUC of earlier scores",
                row["auc"],
                low,
                f"the scores of {row['cutoff']} came true with an AUC of {row['auc']:.3f} "
                f"[{row['auc_low']:.3f}, {row['auc_high']:.3f}], all below what the hold-out "
                f"promised, {promised['auc']['value']:.3f} [{low:.3f}, {high:.3f}]",
            )


def _alarm(name: str, what: str, value: float, threshold: float, sentence: str) -> Alarm:
    return {
        "name": name,
        "what": what,
        "value": float(value),
        "threshold": float(threshold),
        "sentence": f"{sentence[0].upper()}{sentence[1:]}.",
    }
