"""Whether some customers are served worse than others."""

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd

from sparkify.pipelines.reporting import words
from sparkify.pipelines.reporting.blocks import Column, Section, Table, Text

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


def served_worse(group_metrics: pd.DataFrame, metrics: dict[str, Any]) -> list[Row]:
    """Return the groups whose AUC is, up to its 95 % interval, below that of all customers."""
    auc = metrics["holdout"]["auc"]["value"]
    worse = group_metrics[group_metrics["auc_high"] < auc]
    rows: list[Row] = worse.sort_values("auc").to_dict("records")
    return rows


def auc_of(row: Row) -> str:
    """Write a group's AUC with its interval."""
    return words.interval(row["auc"], row["auc_low"], row["auc_high"])


def named(row: Row) -> str:
    """Name a group: level free, or last seen 7 days ago or more."""
    return f"{words.plain(str(row['group']))} {row['value']}"


def _ranking(group_metrics: pd.DataFrame, metrics: dict[str, Any]) -> str:
    everybody = words.measured(metrics["holdout"]["auc"])
    judged = group_metrics["auc"].notna()
    told = (
        f"Of {words.count(len(group_metrics))} groups, {words.count(judged.sum())} have enough "
        "leavers to be judged by themselves. "
    )
    worse = served_worse(group_metrics, metrics)
    if worse:
        listed = "; ".join(f"{named(row)}, AUC {auc_of(row)}" for row in worse)
        return f"{told}Ranked measurably worse than all customers (AUC {everybody}): {listed}."
    if not judged.any():
        return f"{told}Nothing can be said about how any of them is ranked."
    (lowest,) = group_metrics.nsmallest(1, "auc").to_dict("records")
    return (
        f"{told}None is ranked measurably worse than all customers (AUC {everybody}); the lowest "
        f"AUC is that of {named(lowest)}, {auc_of(lowest)}."
    )


def _level(group_metrics: pd.DataFrame) -> Iterator[Text]:
    judged = group_metrics[group_metrics["auc"].notna()]
    if judged.empty:
        return
    gap = (judged["mean_probability"] - judged["base_rate"]).abs()
    (row,) = judged.assign(gap=gap).nlargest(1, "gap").to_dict("records")
    yield Text(
        "Of these, the forecast is furthest from what happened for "
        f"{named(row)}: {words.share(row['mean_probability'])} forecast in the mean, "
        f"{words.share(row['base_rate'])} left ({words.count(row['churned'])} of "
        f"{words.count(row['users'])})."
    )


def _table(group_metrics: pd.DataFrame, metrics: dict[str, Any]) -> Table:
    holdout = metrics["holdout"]
    everybody = (
        "all customers",
        words.count(holdout["users"]),
        words.count(holdout["churned"]),
        words.share(holdout["base_rate"]),
        words.UNKNOWN,
        words.measured(holdout.get("auc")),
        words.share(holdout.get("expected_calibration_error", {}).get("value")),
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
                    auc_of(row),
                    words.share(row["expected_calibration_error"]),
                )
                for row in group_metrics.to_dict("records")
            ),
        ),
    )
