"""How far what customers do has moved, and whether chance alone moves it so far."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from sparkify.pipelines.modelling.training_reference import CLOCK, LEVEL
from sparkify.pipelines.monitoring.parameters import MonitoringParameters

Counts = npt.NDArray[np.int64]
HALF = 0.5  # a customer, in a group that has none: its share is not known to be 0


def compared(
    reference: Mapping[str, Mapping[str, Any]],
    newest: Mapping[str, Mapping[str, Any]],
    monitoring: MonitoringParameters,
) -> pd.DataFrame:
    """Compare what is watched between training and now: one row per feature.

    `psi` is the population stability index, `psi_by_chance` its mean where nothing has changed,
    `test` a two-sample test of whether both come from one distribution, with its `statistic` and
    `p_value`. `p_adjusted` is the latter for all tests at once (Benjamini and Yekutieli 2001, for
    tests that depend on each other): where nothing has changed, any of them is below
    `monitoring.false_alarms` in no more than that share of runs.
    An alarm is below it and has at least the PSI of `monitoring.psi`. A clock is never tested for
    an alarm, since it runs by itself.
    """
    table = pd.DataFrame(
        [_row(name, told, newest[name], monitoring.psi_bins) for name, told in reference.items()]
    )
    is_tested = (table["kind"] != CLOCK) & table["p_value"].notna()
    table["p_adjusted"] = np.nan
    if is_tested.any():
        p_values = table.loc[is_tested, "p_value"]
        table.loc[is_tested, "p_adjusted"] = stats.false_discovery_control(p_values, method="by")
    is_sure = table["p_adjusted"] < monitoring.false_alarms
    table["alarm"] = is_sure & (table["psi"] >= monitoring.psi)
    return table


def _row(
    name: str, then: Mapping[str, Any], now: Mapping[str, Any], psi_bins: int
) -> dict[str, Any]:
    counts = np.array(then["counts"]), np.array(now["counts"])
    is_level = then["kind"] == LEVEL
    psi = by_chance = statistic = p_value = np.nan
    if all(of_one.sum() for of_one in counts):
        psi, by_chance = population_stability_index(*counts, psi_bins)
        statistic, p_value = chi_square(*counts) if is_level else kolmogorov_smirnov(*counts)
    return {
        "feature": name,
        "kind": then["kind"],
        "reference_customers": int(counts[0].sum()),
        "newest_customers": int(counts[1].sum()),
        "reference_mean": then["mean"],
        "newest_mean": now["mean"],
        "psi": psi,
        "psi_by_chance": by_chance,
        "test": "chi-square" if is_level else "Kolmogorov-Smirnov",
        "statistic": statistic,
        "p_value": p_value,
    }


def population_stability_index(then: Counts, now: Counts, groups: int) -> tuple[float, float]:
    """Return how far shares have moved, and how far chance alone moves them in the mean.

    The former is the sum over groups of (p - q) ln(p / q), with p and q their shares now and then;
    neighbouring bins are put together until each group has its part of the reference. The latter
    is (groups - 1) (1/n + 1/m) between samples of n and m from one distribution (Yurdakul and
    Naranjo 2020): 0.09 with 200 customers each.
    """
    ends = np.searchsorted(then.cumsum() * groups, then.sum() * np.arange(1, groups))
    starts = np.unique([0, *(ends + 1)])
    starts = starts[starts < len(then)]
    grouped = np.array([np.add.reduceat(counts, starts) for counts in (now, then)])
    seen = grouped[:, grouped.sum(axis=0) > 0]
    p, q = np.maximum(seen, HALF) / seen.sum(axis=1, keepdims=True)
    by_chance = (seen.shape[1] - 1) * (1 / now.sum() + 1 / then.sum())
    return float(((p - q) * np.log(p / q)).sum()), float(by_chance)


def kolmogorov_smirnov(then: Counts, now: Counts) -> tuple[float, float]:
    """Test counts in the same ordered bins: the largest gap between both distributions, and p.

    Within a bin all values count as equal. So the gap is at most a bin's share too small, and p
    too large: in doubt there is no alarm.
    """
    places = (np.repeat(np.arange(len(counts)), counts) for counts in (then, now))
    found = stats.ks_2samp(*places, method="asymp")
    return float(found.statistic), float(found.pvalue)


def chi_square(then: Counts, now: Counts) -> tuple[float, float]:
    """Test whether two rows of counts have the same shares: chi-square, and p."""
    both = np.array([then, now])
    seen = both[:, both.sum(axis=0) > 0]
    if seen.shape[1] < 2:
        return 0.0, 1.0
    found = stats.chi2_contingency(seen)
    return float(found.statistic), float(found.pvalue)


def drifted(drift: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """List the features with an alarm, the farthest moved first."""
    rows = drift[drift["alarm"]].sort_values("psi", ascending=False, kind="stable")
    return rows.to_dict("records")


def verdict(row: Mapping[Any, Any], limit: float) -> str:
    """Say in words what the PSI of a feature means, beside the limit for an alarm."""
    if row["alarm"]:
        return f"alarm: above {limit:g}, and more than chance"
    if row["kind"] == CLOCK:
        return "a clock: never an alarm"
    if pd.isna(row["psi"]):
        return "nobody known"
    return above_by_chance(limit) if row["psi"] >= limit else f"below {limit:g}"


def above_by_chance(limit: float) -> str:
    """Say of a PSI beyond the limit that it is no alarm, and why."""
    return f"above {limit:g}, but no more than chance"
