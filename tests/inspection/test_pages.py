from collections import Counter
from pathlib import Path

import pytest
import yaml

from sparkify.inspection.pages import (
    COLUMNS,
    is_content,
    match_columns,
    name_column,
    rank_cancellations,
    split_words,
)
from sparkify.schemas.parameters import RESERVED, RESERVED_PATTERN

SETTINGS = Path(__file__).parents[2] / "conf/base/parameters/feature_engineering.yml"
PROJECT_PAGES = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["feature_engineering"]["pages"]


def test_columns_match_the_parameters() -> None:
    pages = {column: page for column, (page, _) in COLUMNS.items()}
    assert {**pages, "next_song": "NextSong"} == PROJECT_PAGES


def test_the_default_pages_match_their_columns() -> None:
    assert match_columns(Counter(PROJECT_PAGES.values()), []) == PROJECT_PAGES


@pytest.mark.parametrize(
    ("page", "column"),
    [
        *(("Song Liked", "thumbs_up"), ("like", "thumbs_up"), ("Dislike", "thumbs_down")),
        *(("Ad Shown", "roll_advert"), ("Commercial Break", "roll_advert")),
        *(("Add to Watchlist", "add_to_playlist"), ("Sign Out", "logout")),
        *(("Plan Viewed", "upgrade"), ("Subscription Started", "submit_upgrade")),
        *(("Cheaper Plans", "downgrade"), ("Switch to Cheaper Plan", "submit_downgrade")),
        *(("Viewed /home Page", "home"), ("song_played", "next_song"), ("api_error", "error")),
    ],
)
def test_pages_are_matched_by_words(page: str, column: str) -> None:
    assert match_columns(Counter({page: 1}), [])[column] == page


def test_content_is_the_top_unmatched_page() -> None:
    pages = Counter({"home": 9, "catalog": 5, "login": 7, "cart": 3})
    assert match_columns(pages, []) == {"home": "home", "next_song": "catalog"}
    assert not is_content("catalog")
    assert is_content("Video Started")


def test_completed_cancellations_come_first() -> None:
    pages = ["Cancel", "Play", "Cancellation Confirmation", "Subscription Cancelled"]
    assert rank_cancellations(pages) == [
        "Cancellation Confirmation",
        "Subscription Cancelled",
        "Cancel",
    ]


@pytest.mark.parametrize(
    "page",
    [
        *("churned", "unsubscribe", "account_closed", "AccountDeleted", "delete my account"),
        *("Membership Ended", "subscription_expired", "deactivated", "opt out"),
    ],
)
def test_ends_of_accounts_are_cancellations(page: str) -> None:
    assert rank_cancellations([page]) == [page]


@pytest.mark.parametrize(
    "page", ["Order Cancelled", "cancel_download", "Play", "removed from cart", "item deleted"]
)
def test_other_cancelled_things_are_not_cancellations(page: str) -> None:
    assert rank_cancellations([page]) == []


def test_words_are_split_at_capitals_and_punctuation() -> None:
    assert split_words("subscriptionStarted/web-Page_2") == "subscription started web page 2"


@pytest.mark.parametrize(
    "page", [*sorted(RESERVED), "free_play", "segment_1", "1st", "Ö", "x", "Cart Viewed"]
)
def test_column_names_are_unused_and_not_reserved(page: str) -> None:
    name = name_column(page, ["x"])
    assert name not in {*RESERVED, "x"}
    assert not RESERVED_PATTERN.fullmatch(name)
    assert name[0].isalpha()
