"""What a later snapshot is compared with: how customers behaved when the model was trained.

Whole-history sums grow with the calendar, whoever is looked at. What is kept here has the same
window before every cutoff, and can be told again, the same way, of a later one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from sparkify.pipelines.data_processing.nodes import require_usable_log
from sparkify.pipelines.feature_engineering.nodes import add_countable_columns
from sparkify.pipelines.modelling.parameters import InputParameters, ReferenceParameters
from sparkify.schemas import KEYS
from sparkify.spark.functions import to_sorted_pandas

OBSERVED = "observed_days"
LEVEL, NUMBER, CLOCK = "level", "number", "clock"


def describe_training(
    features: DataFrame,
    user_days: DataFrame,
    event_counts: DataFrame,
    data_quality: dict[str, Any],
    question: dict[str, Any],
    inputs: InputParameters,
    reference: ReferenceParameters,
) -> dict[str, Any]:
    """Describe the customers of the last training cutoff, and the log, for later comparison.

    Returns:
        The `cutoff`, the `window_days` before it, the `customers` then, what is `watched` and how
        its values spread, the log's `pages`, its `days` within the window and its `lines`, by
        reason of rejection. It says by itself how a later snapshot is described the same way.
    """
    cutoff = max(question["train_cutoffs"])
    snapshot = features.where(F.col("cutoff") == F.lit(cutoff).cast("date"))
    described = {
        "cutoff": cutoff,
        "window_days": reference.window_days,
        "most_customers": reference.most_customers,
        "bins": reference.bins,
    }
    customers = recent_behaviour(snapshot, user_days, described)
    recent = [name for name in customers.columns if name in summed(user_days)]
    watched = _watched(inputs, reference, [*recent, *reference.comparable])
    days = log_days(event_counts, data_quality)
    return {
        **described,
        "customers": snapshot.count(),
        "watched": {
            name: {**how, **spread(values_of(customers, how, described), how, reference.bins)}
            for name, how in watched.items()
        },
        "pages": sorted(days["page"].unique()),
        "days": in_window(days, user_days, described),
        "lines": lines(data_quality),
    }


def summed(user_days: DataFrame) -> list[str]:
    """Name what is summed up over the days of a window: the counts of user_days, by level too."""
    paid = [f"paid_{name}" for name in _by_level(user_days)]
    return [*_counts(user_days), *paid, "active_days"]


def _counts(user_days: DataFrame) -> list[str]:
    return [field.name for field in user_days.schema if field.dataType == T.LongType()]


def _by_level(user_days: DataFrame) -> list[str]:
    counts = _counts(user_days)
    return [name for name in counts if f"free_{name}" in counts]


def recent_behaviour(
    snapshot: DataFrame, user_days: DataFrame, described: Mapping[str, Any]
) -> pd.DataFrame:
    """Sum up each customer's last days before the cutoff, beside the features as they are.

    One row per customer: at most `most_customers`, chosen by a hash of user and cutoff, so that
    another cutoff draws anew.
    """
    names = summed(user_days)
    days = add_countable_columns(user_days, _by_level(user_days))
    drawn = snapshot.orderBy(F.xxhash64(*KEYS), "user_id").limit(described["most_customers"])
    first_day = F.date_sub("cutoff", described["window_days"])
    is_recent = (F.col("day") >= first_day) & (F.col("day") < F.col("cutoff"))
    recent = (
        days.join(drawn.select(*KEYS), on="user_id", how="inner")
        .where(is_recent)
        .groupBy("user_id")
        .agg(*(F.sum(name).cast("double").alias(name) for name in names))
    )
    customers = drawn.drop(*names).join(recent, on="user_id", how="left")
    return to_sorted_pandas(customers.fillna(0.0, names), "user_id")


def _watched(
    inputs: InputParameters, reference: ReferenceParameters, comparable: list[str]
) -> dict[str, dict[str, Any]]:
    """Say what is watched: rates of the window, and inputs as they are, comparable or clocks."""
    rates = {
        name: {
            "kind": NUMBER,
            "count": rate.count,
            "per": rate.per,
            "least_per": rate.prior * reference.least_known,
        }
        for name, rate in {**inputs.every_rate, **reference.rates}.items()
    }
    plain = {
        name: {"kind": NUMBER if name in comparable else CLOCK, "count": name}
        for name in inputs.plain or {}
    }
    return {**rates, **plain}


def values_of(
    customers: pd.DataFrame, how: Mapping[str, Any], described: Mapping[str, Any]
) -> npt.NDArray[np.float64]:
    """Return one value per customer of whom enough is known: a rate of the window, or as it is.

    Args:
        customers: as `recent_behaviour` tells of them.
        how: what is watched; a rate has a `count` `per` something, and `least_per` of the latter
            is enough to know it.
        described: the window, in `window_days`; no more days were observed than it has.
    """
    count: npt.NDArray[np.float64] = customers[how["count"]].to_numpy(float)
    if "per" not in how:
        return count
    per = customers[how["per"]].to_numpy(float)
    if how["per"] == OBSERVED:
        per = per.clip(max=described["window_days"])
    is_known = per >= how["least_per"]
    return np.asarray(count[is_known] / per[is_known])


def spread(values: npt.NDArray[np.float64], how: Mapping[str, Any], bins: int) -> dict[str, Any]:
    """Learn bins from values, their quantiles, and count the values in them.

    Values of which there are two at most are a level, whatever else is not a clock a number.
    """
    # By whole numbers: a quantile of 60.00000000000001 % is another value.
    places = (np.arange(1, bins + 1) * len(values) - 1) // bins
    edges = np.unique(np.sort(values)[places]) if len(values) else np.empty(0)
    is_level = how["kind"] == NUMBER and len(np.unique(values)) <= 2
    kind = LEVEL if is_level else how["kind"]
    return {"kind": kind, "edges": edges.tolist(), **counted(values, edges)}


def counted(values: npt.NDArray[np.float64], edges: npt.ArrayLike) -> dict[str, Any]:
    """Count values between edges: up to the first, up to the next …, and beyond the last."""
    places = np.searchsorted(np.asarray(edges, float), values, side="left")
    counts = np.bincount(places, minlength=np.size(edges) + 1)
    mean = float(values.mean()) if len(values) else None
    return {"counts": counts.tolist(), "mean": mean}


def log_days(event_counts: DataFrame, data_quality: dict[str, Any]) -> pd.DataFrame:
    """Sum up the log's events: one row per `day` and `page`, with its `events`."""
    require_usable_log(data_quality)
    counts = event_counts.groupBy("day", "page").agg(F.sum("events").alias("events"))
    return to_sorted_pandas(counts, "day", "page")


def in_window(
    days: pd.DataFrame, user_days: DataFrame, described: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """List the window's days: `day`, `events` and `active` users.

    The window begins with the log where that is later. A day without events is there, with none.
    """
    cutoff, opened = pd.Timestamp(described["cutoff"]), pd.Timestamp(days["day"].min())
    first = max(cutoff - pd.Timedelta(days=described["window_days"]), opened)
    is_in = (F.col("day") >= first.date()) & (F.col("day") < cutoff.date())
    active = user_days.where(is_in).groupBy("day").agg(F.count("*").alias("active")).toPandas()
    counts = pd.DataFrame(
        {
            "events": days.groupby("day")["events"].sum(),
            "active": active.set_index("day")["active"],
        }
    ).reindex(pd.date_range(first, cutoff, inclusive="left").date, fill_value=0)
    return [
        {"day": str(day), "events": int(events), "active": int(users)}
        for day, events, users in counts.fillna(0).itertuples()
    ]


def lines(data_quality: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of the account of the log's records what tells a longer log from another one."""
    return {
        "lines": data_quality["lines"],
        "first_event": data_quality["first_event"],
        "rejections": {why: told["lines"] for why, told in data_quality["rejections"].items()},
    }
