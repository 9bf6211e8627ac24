"""Whether some customers are served worse than others."""

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd

from sparkify.formatting.baseline_comparison import TOO_FEW
from sparkify.pipelines.evaluation.customer_groups import ECE
from sparkify.pipelines.reporting import words
from sparkify.pipelines.reporting.blocks import Column, Section, Table, Text

COIN = 0.5  # AUC of a ranking by chance
Row = dict[Hashable, Any]


def groups(group_metrics: pd.DataFrame, metrics: dict[str, Any]) -> Section:
    """Say how the forecast does for groups of the hold-out's customers, beside all of them."""
    return Section(
        "groups",
        "How it serves groups of customers",
        (
            Text(_ranking(group_metrics, metrics)),
            *_level(group_metrics),
            _table(group_metrics, metrics),
        ),
    )


def served_worse(group_metrics: pd.DataFrame) -> list[Row]:
    """Return the groups whose AUC is below that of all customers by its whole 95 % interval."""
    worse = group_metrics[group_metrics["auc_difference_high"] < 0]
    rows: list[Row] = worse.sort_values("auc").to_dict("records")
    return rows


def undecided(group_metrics: pd.DataFrame) -> list[Row]:
    """Return the groups of which too few left to say how they are ranked.

    Either they have no AUC, or its interval holds both a coin's and that of all customers.
    """
    is_wide = (group_metrics["auc_low"] <= COIN) & ~(group_metrics["auc_difference_high"] < 0)
    rows: list[Row] = group_metrics[group_metrics["auc_low"].isna() | is_wide].to_dict("records")
    return rows


def ranked_worse(row: Row) -> str:
    """Write a group with its AUC, and how far that is below the AUC of all customers."""
    auc, below = (words.metric_of(row, name) for name in ("auc", "auc_difference"))
    assert below is not None  # noqa: S101 -- by its interval the group is worse
    return f"{named(row)}, AUC {words.measured(auc)}, {words.difference(below)}"


def named(row: Row) -> str:
    """Name a group: level free, or last seen 7 days ago or more."""
    return f"{words.plain(str(row['group']))} {row['value']}"


def _ranking(group_metrics: pd.DataFrame, metrics: dict[str, Any]) -> str:
    overall = f"all customers (AUC {words.measured(metrics['holdout'].get('auc'))})"
    unknown = undecided(group_metrics)
    few = f"{words.count(len(unknown))} of {words.count(len(group_metrics))} groups have too few "
    text = f"{few}leavers to say how they are ranked. " if unknown else ""
    if len(unknown) == len(group_metrics):
        return text.strip()
    worse = "; ".join(ranked_worse(row) for row in served_worse(group_metrics))
    if worse:
        return f"{text}Ranked measurably worse than {overall}: {worse}."
    others = "of the others " if unknown else ""
    return f"{text}None {others}is ranked measurably worse than {overall}."


def _level(group_metrics: pd.DataFrame) -> Iterator[Text]:
    """Say for which groups more or fewer left than forecast, by more than chance."""
    gaps = group_metrics[group_metrics["calibration_gap_low"].notna()]
    if gaps.empty:
        return
    is_off = (gaps["calibration_gap_low"] > 0) | (gaps["calibration_gap_high"] < 0)
    listed = "; ".join(
        f"{named(row)}: {words.share(row['mean_probability'])} forecast in the mean, "
        f"{words.share(row['base_rate'])} left ({words.count(row['churned'])} of "
        f"{words.count(row['users'])})"
        for row in gaps[is_off].to_dict("records")
    )
    if listed:
        yield Text(f"Measurably more or fewer left than forecast in {listed}.")
    else:
        yield Text(
            f"In none of the {words.count(len(gaps))} groups with enough leavers is the share that "
            "left measurably different from the forecast."
        )


def _table(group_metrics: pd.DataFrame, metrics: dict[str, Any]) -> Table:
    holdout, rows = metrics["holdout"], group_metrics.to_dict("records")
    of_groups = [words.metric_of(row, "auc") for row in rows]
    overall, *aucs = words.compared([holdout.get("auc"), *of_groups])
    everybody = (
        "all customers",
        words.count(holdout["users"]),
        words.count(holdout["churned"]),
        words.share(holdout["base_rate"]),
        words.UNKNOWN,
        overall,
        words.share(holdout.get(ECE, {}).get("value")),
    )
    return Table(
        "Groups of the hold-out's customers; AUC and calibration error only where enough left",
        (
            *[Column("Group", "text"), Column("Customers"), Column("Left"), Column("Base rate")],
            *[Column("Mean forecast"), Column("AUC"), Column("Calibration error")],
        ),
        (
            everybody,
            *(
                (
                    named(row),
                    words.count(row["users"]),
                    words.count(row["churned"]),
                    words.share(row["base_rate"]),
                    words.share(row["mean_probability"]),
                    auc if of_group else TOO_FEW,
                    words.share(row[ECE]) if of_group else TOO_FEW,
                )
                for row, of_group, auc in zip(rows, of_groups, aucs, strict=True)
            ),
        ),
    )
