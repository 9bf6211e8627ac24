"""What the forecast must not be used for."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from sparkify.pipelines.reporting import words
from sparkify.pipelines.reporting.blocks import Listing, Section, Text
from sparkify.pipelines.reporting.groups import named, ranked_worse, served_worse, undecided


def limits(
    metrics: dict[str, Any],
    contact_plan: dict[str, Any],
    group_metrics: pd.DataFrame,
    score_summary: dict[str, Any],
) -> Section:
    """Say what nobody should do with the forecast, and by which figure."""
    return Section(
        "limits",
        "What it must not be used for",
        (
            Text("Each of these follows from a figure above."),
            Listing(
                (
                    *_simulated(metrics),
                    *_people(metrics),
                    *_resting(metrics["question"]),
                    *_effects(contact_plan, score_summary),
                    *_times(metrics),
                    *_groups(group_metrics, metrics),
                )
            ),
        ),
    )


def _simulated(metrics: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if metrics["source"] == "simulated":
        yield (
            "Nothing about real customers.",
            f"All {words.count(metrics['holdout']['users'])} customers of the hold-out are made up "
            "by the simulator.",
        )


def _people(metrics: dict[str, Any]) -> Iterator[tuple[str, str]]:
    holdout = metrics["holdout"]
    yield (
        "No decision against a customer.",
        "Of those whom the threshold calls, "
        f"{words.measured(holdout['precision'], 'share')} leave; the others are called wrongly. "
        "The list is for an offer that does no harm to those who would have stayed.",
    )
    yield (
        "No list of all who will leave.",
        f"The threshold finds {words.measured(holdout['recall'], 'share')} of those who leave.",
    )


def _resting(question: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if question["outcome"] == "inactivity":
        yield (
            "No list of who ends a subscription.",
            f"A customer who is not seen for {question['horizon_days']} days counts as one who "
            "left. Some of them still pay, and come back later.",
        )


def _effects(plan: dict[str, Any], summary: dict[str, Any]) -> Iterator[tuple[str, str]]:
    compare = (
        f"Leave the control group of {words.count(summary['control'])} customers alone and compare."
        if summary["control"]
        else "This list has no control group, so that it will not tell either."
    )
    yield (
        "No proof that contacts work.",
        "The log holds no contact, so what one achieves cannot be learnt from it: that "
        f"{words.share(plan['contact_success'])} of contacted leavers stay is an assumption. Those "
        "likeliest to leave are not always those whom a contact helps most (Ascarza 2018, Journal "
        f"of Marketing Research 55). {compare}",
    )
    yield (
        "No explanation of why people leave.",
        "Reasons and weights tell what goes with leaving; changing it need not change who leaves.",
    )


def _times(metrics: dict[str, Any]) -> Iterator[tuple[str, str]]:
    question = metrics["question"]
    yield (
        f"Nothing beyond {question['horizon_days']} days.",
        "The probabilities are of leaving within them, from the cutoff on; they have to be made "
        f"anew every week. How good they are was measured on one week, that of "
        f"{words.day(question['cutoff'])}, with {words.count(metrics['holdout']['churned'])} "
        "who left.",
    )


def _groups(group_metrics: pd.DataFrame, metrics: dict[str, Any]) -> Iterator[tuple[str, str]]:
    worse = "; ".join(ranked_worse(row) for row in served_worse(group_metrics))
    if worse:
        yield (
            "No ranking of some groups by themselves.",
            "Within these the ranking is measurably worse than that of all customers, AUC "
            f"{words.measured(metrics['holdout'].get('auc'))}: {worse}.",
        )
    unknown = undecided(group_metrics)
    if unknown:
        listed = "; ".join(f"{named(row)}, {words.count(row['churned'])}" for row in unknown)
        yield (
            "No claim that all groups are served alike.",
            f"{words.count(len(unknown))} of {words.count(len(group_metrics))} groups have too few "
            f"leavers to say: {listed}.",
        )
