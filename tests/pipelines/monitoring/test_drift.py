from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sparkify.pipelines.modelling.training_reference import count_in_bins, learn_bins
from sparkify.pipelines.monitoring import drift
from sparkify.pipelines.monitoring.parameters import MonitoringParameters

Told = dict[str, Any]


def both(then: Any, now: Any, kind: str = "number") -> tuple[Told, Told]:
    """Return values as a reference tells of them, and later ones in the same bins."""
    told = learn_bins(np.asarray(then, float), {"kind": kind}, 100)
    return told, count_in_bins(np.asarray(now, float), told["edges"])


def counts(pair: tuple[Told, Told]) -> list[Any]:
    return [np.array(told["counts"]) for told in pair]


def test_the_index_is_the_published_sum_over_groups() -> None:
    then, now = np.array([50, 50, 0]), np.array([80, 20, 0])
    expected = 0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5)
    psi, by_chance = drift.population_stability_index(then, now, 2)
    assert psi == pytest.approx(expected)
    assert by_chance == pytest.approx(1 / 100 + 1 / 100)


def test_neighbouring_bins_are_grouped_until_each_has_its_part() -> None:
    then, now = np.array([1] * 20), np.array([2, 0] * 10)
    assert drift.population_stability_index(then, now, 10)[0] == pytest.approx(0)
    assert drift.population_stability_index(then, now, 20)[0] > 0.5


def test_by_chance_alone_the_index_is_what_the_docs_say() -> None:
    random = np.random.default_rng(5)
    pairs = [both(random.normal(size=200), random.normal(size=200)) for _ in range(200)]
    found = [drift.population_stability_index(*counts(pair), 10) for pair in pairs]
    psi, by_chance = np.mean(found, axis=0)
    assert by_chance == pytest.approx(0.09)
    assert psi == pytest.approx(0.09, abs=0.015)


def test_a_test_on_bins_comes_near_to_that_on_values_and_is_never_surer() -> None:
    random = np.random.default_rng(6)
    then, now = random.normal(size=500), random.normal(0.3, size=400)
    exact = stats.ks_2samp(then, now, method="asymp")
    statistic, p_value = drift.kolmogorov_smirnov(*counts(both(then, now)))
    assert exact.statistic - 0.01 <= statistic <= exact.statistic
    assert exact.pvalue <= p_value < 0.001


def test_levels_are_compared_by_chi_square() -> None:
    found = drift.chi_square(np.array([90, 10, 0]), np.array([60, 40, 0]))
    expected = stats.chi2_contingency([[90, 10], [60, 40]])
    assert found == (expected.statistic, expected.pvalue)
    assert drift.chi_square(np.array([9, 0]), np.array([5, 0])) == (0.0, 1.0)


def test_an_alarm_is_more_than_chance_and_large(monitoring: MonitoringParameters) -> None:
    random = np.random.default_rng(7)
    ones = random.normal(size=5_000)
    pairs = {
        "moved": both(ones, random.normal(1, size=5_000)),
        "sure_but_small": both(ones, random.normal(0.1, size=5_000)),
        "large_by_chance": both(ones[:30], random.normal(size=30)),
        "level_moved": both(ones > 0, ones > 1),
        "clock": both(ones, ones + 10, "clock"),
        "nobody_known": both(ones, []),
    }
    then, now = ({name: pair[side] for name, pair in pairs.items()} for side in (0, 1))
    found = drift.compared(then, now, monitoring).set_index("feature")
    assert found.index[found["alarm"]].tolist() == ["moved", "level_moved"]
    small, chance = found.loc["sure_but_small"], found.loc["large_by_chance"]
    assert small["p_adjusted"] < 0.01
    assert small["psi"] < 0.1
    assert chance["psi"] > 0.1
    assert chance["p_adjusted"] > 0.01
    assert found.loc["clock", "psi"] > 1
    assert pd.isna(found.loc["clock", "p_adjusted"])
    assert pd.isna(found.loc["nobody_known", "psi"])
    assert found["test"].to_dict()["level_moved"] == "chi-square"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"psi": 0.31, "alarm": True}, "alarm: above 0.1, and more than chance"),
        ({"psi": 0.25}, "above 0.1, but no more than chance"),
        ({"psi": 0.1}, "above 0.1, but no more than chance"),
        ({"psi": 0.0999}, "below 0.1"),
        ({"psi": None}, "nobody known"),
        ({"psi": 9.0, "kind": "clock"}, "a clock: never an alarm"),
    ],
)
def test_a_verdict_says_on_which_side_of_the_limit_and_whether_by_chance(
    row: Told, said: str
) -> None:
    assert drift.verdict({"kind": "number", "alarm": False} | row, 0.1) == said


def test_many_tests_are_corrected_for(monitoring: MonitoringParameters) -> None:
    random = np.random.default_rng(8)
    pairs = [both(random.normal(size=300), random.normal(size=300)) for _ in range(100)]
    then, now = ({str(place): pair[side] for place, pair in enumerate(pairs)} for side in (0, 1))
    found = drift.compared(then, now, monitoring)
    assert found["p_value"].min() < 0.05
    assert found["p_adjusted"].min() > 0.05


def test_the_farthest_moved_comes_first() -> None:
    table = pd.DataFrame(
        {"feature": ["a", "b", "c"], "psi": [0.2, 0.5, 0.9], "alarm": [True, True, False]}
    )
    assert [row["feature"] for row in drift.drifted(table)] == ["b", "a"]
