"""Genuine and simulated customers with the same columns: one row per customer at a cutoff."""

from pathlib import Path

import pandas as pd

from sparkify.schemas import KEYS

CUTOFF = pd.Timestamp("2018-11-20").date()
LOG_DAYS = 50  # from the log's first day, 2018-10-01, to the cutoff
# Our feature for each column of the table.
COUNTS = {
    "next_song": "page_nextsong",
    "thumbs_up": "page_thumbs_up",
    "thumbs_down": "page_thumbs_down",
    "roll_advert": "page_roll_advert",
    "upgrade": "page_upgrade",
    "downgrade": "page_downgrade",
    "sessions": "total_sessions",
}


def read_genuine(table: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row per customer with our features, and all numbers of the table."""
    raw = pd.read_parquet(table).sort_values("userId", ignore_index=True)
    rows = raw[list(COUNTS.values())].set_axis(list(COUNTS), axis="columns").astype(float)
    rows["is_paid"] = raw["is_paid"].astype(float)
    rows["account_age_days"] = raw["days_since_registration"].astype(float)
    # Songs are split by the share of events on the paid level.
    features = describe(rows, paid_share=raw["paid_ratio"])
    keys = {"user_id": raw["userId"].astype(str), "churned": raw["churned"].astype(bool)}
    numbers = raw.select_dtypes("number").drop(columns="churned")
    return features.assign(**keys, cutoff=CUTOFF), numbers


def read_simulated(folder: Path) -> pd.DataFrame:
    """Return the customers of a simulated log at its last cutoff, with the same columns."""
    keyed = pd.read_parquet(folder / "features").merge(
        pd.read_parquet(folder / "snapshots"), on=KEYS
    )
    last = keyed[keyed["cutoff"] == keyed["cutoff"].max()].sort_values("user_id", ignore_index=True)
    paid_share = last["paid_next_song"] / last["next_song"].clip(lower=1)
    rows = last[[*COUNTS, "is_paid", "account_age_days"]]
    return describe(rows, paid_share).assign(**last[[*KEYS, "churned"]])


def describe(rows: pd.DataFrame, paid_share: pd.Series) -> pd.DataFrame:
    """Add the observed days, and estimates of the counts by level.

    Adverts count as the free level's if there are songs on it: the paid level has one advert in
    a thousand songs.
    """
    free_songs = rows["next_song"] * (1 - paid_share)
    return rows.assign(
        observed_days=rows["account_age_days"].clip(upper=LOG_DAYS),
        free_next_song=free_songs,
        paid_next_song=rows["next_song"] - free_songs,
        free_roll_advert=rows["roll_advert"].where(free_songs >= 1, 0.0),
    )
