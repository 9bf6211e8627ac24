"""Curves of the current customers: the probability to have left by each day."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkify.figure_style import (
    BAD,
    CAUTION,
    GOOD,
    MODEL,
    REFERENCE,
    TEXT,
    TEXT_SIZE,
    create_figure,
)
from sparkify.ml.leaving_curve import LeavingCurve
from sparkify.pipelines.feature_engineering.outcomes import OUTCOME_WORDS
from sparkify.schemas import KEYS, TIME_TO_LEAVE

ALL = "all"
COLORS = [MODEL, BAD, GOOD, CAUTION, REFERENCE]
GROUPINGS = ("level", "segment")
# Spark's `grouping_id` of level and segment: a bit is 1 if the column is summed over.
GROUP_IDS = {0b11: ALL, 0b01: "level", 0b10: "segment"}


def list_time_to_leave(
    churn_scores: DataFrame, scores_model_card: dict[str, Any], curve_days: int
) -> DataFrame:
    """Return the probability of every customer to have left by each day.

    One row per customer and day, up to `curve_days` or as far as the training log shows. At the
    horizon the probability is that of `churn_scores`.
    """
    curve = LeavingCurve.from_card(scores_model_card, curve_days)
    day = np.arange(1, curve.days + 1, dtype="int32")

    def predict_days(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for rows in batches:
            repeated = rows[KEYS].loc[rows.index.repeat(curve.days)].reset_index(drop=True)
            left = curve.predict_customers(rows)
            yield repeated.assign(day=np.tile(day, len(rows)), probability=left.ravel())

    scores = churn_scores.select(*KEYS, "probability")
    return scores.mapInPandas(predict_days, TIME_TO_LEAVE.struct)


def summarize_time_to_leave(time_to_leave: DataFrame, churn_scores: DataFrame) -> pd.DataFrame:
    """Summarise the curves by level and by most likely segment: one row per group and day.

    `mean` is the mean probability to have left, so times `customers` the number expected to have
    left. `p10` and `p90` are the 10th and the 90th percentile of customers.
    """
    groups = churn_scores.select(*KEYS, "level", "segment")
    rows = time_to_leave.join(groups, on=KEYS, how="inner")
    # Equal rounded values are counted first: `percentile` keeps every distinct value in memory and
    # adds rows one by one.
    counts = rows.groupBy(
        "day", "level", "segment", F.round("probability", 4).alias("rounded")
    ).agg(F.count("*").alias("customers"), F.sum("probability").alias("expected"))
    quantiles = F.percentile("rounded", F.array(F.lit(0.1), F.lit(0.9)), F.col("customers"))
    customers = F.sum("customers")
    summary = (
        counts.groupingSets(
            [["day"], ["day", "level"], ["day", "segment"]], "day", "level", "segment"
        )
        .agg(
            F.grouping_id().alias("group_id"),
            customers.alias("customers"),
            F.round(F.sum("expected") / customers, 6).alias("mean"),
            quantiles.alias("quantiles"),
        )
        .select(
            *("group_id", "level", "segment", "day", "customers", "mean"),
            F.round(F.col("quantiles")[0], 6).alias("p10"),
            F.round(F.col("quantiles")[1], 6).alias("p90"),
        )
        .toPandas()
    )
    return name_groups(summary).sort_values(["grouping", "value", "day"], ignore_index=True)


def name_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Replace `group_id`, `level` and `segment` of grouping sets by `grouping` and `value`.

    Groups of customers without a segment are left out.
    """
    grouping = rows["group_id"].map(GROUP_IDS)
    value = rows["level"].where(grouping == "level", rows["segment"]).where(grouping != ALL, ALL)
    table = rows.drop(columns=["group_id", "level", "segment"])
    table.insert(0, "grouping", grouping)
    table.insert(1, "value", value)
    return table[value.notna()]


def draw_time_to_leave(
    time_to_leave_summary: pd.DataFrame, scores_model_card: dict[str, Any]
) -> Figure:
    """Draw the mean curve of each level and of each segment."""
    task = scores_model_card["prediction_task"]
    words = OUTCOME_WORDS[task["outcome"]]
    subtitle = "Mean probability by day, by plan and by segment; the vertical line is the horizon"
    figure, panels = create_figure(
        "When customers leave", subtitle, 5.4, rows=len(GROUPINGS), sharex=True
    )
    total = time_to_leave_summary[time_to_leave_summary["grouping"] == ALL]
    for axes, grouping in zip(panels, GROUPINGS, strict=True):
        rows = time_to_leave_summary[time_to_leave_summary["grouping"] == grouping]
        for color, (value, curve) in zip(cycle(COLORS), rows.groupby("value"), strict=False):
            name = f"{value} ({curve['customers'].iloc[0]:,})"
            axes.plot(curve["day"], curve["mean"], color=color, label=name.replace("_", " "))
        axes.plot(total["day"], total["mean"], color=TEXT, ls="--", label="all customers")
        axes.axvline(task["horizon_days"], color=REFERENCE, lw=0.8)
        axes.set(xlim=(0, None), ylim=(0, None), ylabel=f"{words.churned} by this day")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
        axes.legend(frameon=False, fontsize=TEXT_SIZE, loc="upper left", bbox_to_anchor=(1, 1))
    panels[-1].set(xlabel="Days after the cutoff")
    return figure
