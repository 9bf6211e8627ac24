from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sparkify.ml.two_groups import Rates, compare
from sparkify.pipelines.campaigns.effects import (
    compare_groups,
    correct_for_looks,
    list_effects,
    list_programme_effects,
)

CONTACT_COST = 1  # dollar
CUTOFF = date(2018, 11, 1)


def customers(
    campaign: str = "2018-11-01", first: int = 0, **sizes: tuple[int, int]
) -> pd.DataFrame:
    """Return a campaign with (leavers, customers) of each group; every second one is paid."""
    rows = [
        {
            "user_id": f"u{number + first}",
            "group": group,
            "churned": number_in_group < leavers,
            "contacts": int(group == "contact"),
        }
        for number, (group, number_in_group, leavers) in enumerate(
            (group, place, leavers)
            for group, (leavers, size) in sizes.items()
            for place in range(size)
        )
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(
        campaign=campaign,
        cutoff=date.fromisoformat(campaign),
        probability=np.linspace(0.06, 0.3, len(frame)),
        level=np.where(np.arange(len(frame)) % 2, "paid", "free"),
        segment=None,
        kept_value=90.0,
        gone_on=None,
    )


def test_a_row_has_counts_rates_the_effect_and_money() -> None:
    rows = customers(contact=(30, 300), control=(20, 100))
    row = compare_groups(rows, CONTACT_COST, min_churned=50)
    assert (row["contacted"], row["control"]) == (300, 100)
    assert (row["churned_contacted"], row["churned_control"]) == (30, 20)
    assert row["kept"] == pytest.approx(0.1)
    assert row["success"] == pytest.approx(0.5)
    # A tenth of 300 customers stays, worth $90 each; 300 contacts cost $1 each.
    assert row["gain"] == pytest.approx(300 * 0.1 * 90 - 300)
    assert row["gain_low"] == pytest.approx(300 * row["kept_low"] * 90 - 300)
    assert "adjusted_kept" not in row


def test_the_forecast_adjusts_where_enough_churned() -> None:
    random = np.random.default_rng(4)
    rows = customers(contact=(0, 2000), control=(0, 2000))
    rows["probability"] = random.uniform(0, 0.9, len(rows))
    treated = rows["group"] == "contact"
    rows["churned"] = random.random(len(rows)) < rows["probability"] * np.where(treated, 0.7, 1)
    row = compare_groups(rows, CONTACT_COST, min_churned=5)
    width = row["kept_high"] - row["kept_low"]
    assert row["adjusted_kept_high"] - row["adjusted_kept_low"] < 0.92 * width
    assert row["adjusted_success_low"] < 0.3 < row["adjusted_success_high"]
    assert row["gain"] == pytest.approx(2000 * row["adjusted_kept"] * 90 - 2000)


def test_contacts_that_were_not_made_cost_nothing_and_count_in_the_effect() -> None:
    rows = customers(contact=(30, 300), control=(20, 100))
    rows["contacts"] = 0
    assert compare_groups(rows, CONTACT_COST, 50)["gain"] == pytest.approx(2700)


def test_a_kept_customer_is_worth_the_mean_weighted_by_the_probability_to_leave() -> None:
    rows = customers(contact=(30, 300), control=(20, 100))
    rows[["probability", "kept_value"]] = [0.1, 90.0]
    rows.loc[:149, ["probability", "kept_value"]] = [0.3, 10.0]
    # Three of four who leave are worth $10, the fourth $90.
    gain = compare_groups(rows, CONTACT_COST, 50)["gain"]
    assert gain == pytest.approx(300 * 0.1 * (0.75 * 10 + 0.25 * 90) - 300)


def test_effects_are_listed_by_campaign_group_and_overall() -> None:
    rows = pd.concat(
        [
            customers("2018-11-01", contact=(3, 30), control=(2, 10), lasting=(1, 4)),
            customers("2018-11-08", 100, contact=(3, 30), control=(4, 10)),
        ]
    )
    readings = pd.DataFrame(list_effects(rows, CONTACT_COST, min_churned=5))
    keys = ["campaign", "grouping", "value", "contacted", "control", "looks"]
    assert readings[keys].to_numpy().tolist() == [
        ["2018-11-01", "all", "all", 30, 10, 1],
        ["2018-11-01", "level", "free", 15, 5, 2],
        ["2018-11-01", "level", "paid", 15, 5, 2],
        ["2018-11-08", "all", "all", 30, 10, 1],
        ["2018-11-08", "level", "free", 15, 5, 2],
        ["2018-11-08", "level", "paid", 15, 5, 2],
        ["all", "all", "all", 60, 20, 1],
        ["all", "level", "free", 30, 10, 2],
        ["all", "level", "paid", 30, 10, 2],
    ]
    assert readings.loc[6, "kept"] == pytest.approx(0.3 - 0.1)


def test_a_group_without_a_control_in_the_same_campaign_is_not_compared() -> None:
    first, second = (
        customers("2018-11-01", contact=(1, 2)),
        customers("2018-11-08", 9, control=(1, 2)),
    )
    first["level"], second["level"] = "free", "free"
    both = customers("2018-11-15", 99, contact=(1, 4), control=(1, 4)).assign(level="paid")
    readings = pd.DataFrame(list_effects(pd.concat([first, second, both]), CONTACT_COST, 5))
    assert "free" not in set(readings["value"])
    assert readings.loc[readings["value"] == "paid", "looks"].tolist() == [1, 1]


def test_intervals_of_several_groups_are_wider() -> None:
    rows = customers(contact=(30, 300), control=(20, 100))
    one, four = (compare_groups(rows, CONTACT_COST, 50, looks) for looks in (1, 4))
    expected = compare(Rates(0.1, 0.2, 300, 100), level=1 - 0.05 / 4)
    assert four["kept_low"] == pytest.approx(expected.kept_low)
    assert four["kept_low"] < one["kept_low"]


def test_p_values_are_corrected_by_holm() -> None:
    rows: list[dict[str, Any]] = [
        {"p_value": 0.04},
        {"p_value": 0.01},
        {"p_value": 0.9, "adjusted_p_value": 0.02},
        {"p_value": np.nan},
    ]
    corrected = [row["corrected_p_value"] for row in correct_for_looks(rows)]
    assert corrected == pytest.approx([0.04, 0.03, 0.04, np.nan], nan_ok=True)


def test_the_programme_is_read_by_days_since_the_first_list() -> None:
    first = customers(contact=(0, 6), control=(0, 2), lasting=(0, 4))
    gone = {"u0": 5, "u8": 5, "u9": 20, "u10": 40}
    first["gone_on"] = [
        CUTOFF + timedelta(days=gone[user]) if user in gone else None for user in first["user_id"]
    ]
    again = first.assign(campaign="2018-11-08", cutoff=date(2018, 11, 8), group="contact")
    readings = list(
        list_programme_effects(pd.concat([again, first]), pd.Timestamp("2018-12-01"), (30, 10, 60))
    )
    keys = ["value", "contacted", "control", "churned_contacted", "churned_control", "looks"]
    assert [[row[key] for key in keys] for row in readings] == [
        ["10", 8, 4, 1, 1, 2],
        ["30", 8, 4, 1, 2, 2],
    ]
    assert readings[1]["kept"] == pytest.approx(2 / 4 - 1 / 8)


def test_without_a_lasting_control_group_there_is_no_programme() -> None:
    rows = customers(contact=(0, 6), control=(0, 2))
    assert list(list_programme_effects(rows, pd.Timestamp("2019-12-01"), (30,))) == []
