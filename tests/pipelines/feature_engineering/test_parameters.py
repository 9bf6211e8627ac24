from collections.abc import Callable
from typing import Any

import pytest

from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters


@pytest.mark.parametrize(
    ("name", "value", "rest"),
    [
        (
            "windows_days",
            [],
            "is []; allowed: a list with at least one item, each an integer above 0.",
        ),
        ("windows_days", [7, 7], "is [7, 7]; allowed: a list in which every item occurs once."),
        ("windows_days", [7, -7], "[1] is -7; allowed: an integer above 0."),
        (
            "windows_days",
            7,
            "is 7; allowed: a list with at least one item, each an integer above 0.",
        ),
        (
            "by_level",
            ["home", "home"],
            'is ["home", "home"]; allowed: a list in which every item occurs once.',
        ),
        ("by_level", ["next_sog"], 'is "next_sog"; allowed: a name of a page, such as next_song.'),
        ("by_level", ["sessions"], 'is "sessions"; allowed: a name of a page, such as settings.'),
        (
            "by_level",
            ["xyz"],
            'is "xyz"; allowed: a name of a page: next_song, thumbs_up, thumbs_down, '
            "add_to_playlist, add_friend, roll_advert, home, help, settings, save_settings, "
            "about, error, logout, upgrade, submit_upgrade, downgrade, submit_downgrade.",
        ),
        ("windowed", ["sesions"], 'is "sesions"; allowed: a name of a page, such as sessions.'),
        ("song_page", "NextSon", 'is "NextSon"; allowed: a page, such as NextSong.'),
        ("outcome", "churn", 'is "churn"; allowed: cancellation, downgrade, either, inactivity.'),
        ("pages.sessions", "Foo", "is already the name of a column; allowed: another name."),
        ("pages.free_trial", "Foo", "is already the name of a column; allowed: another name."),
        (
            "pages.next_song_7d",
            "Foo",
            "is already the name of a column; allowed: another name.",
        ),
        (
            "pages.Trailer",
            "Trailer",
            "is not an allowed name; allowed: text that matches ^[a-z][a-z0-9_]*$.",
        ),
        ("horizon_days", "ten", 'is "ten"; allowed: an integer above 0.'),
        ("active_within_days", 0, "is 0; allowed: an integer above 0."),
        ("active_within_days", 7.5, "is 7.5; allowed: an integer above 0."),
        ("active_within_days", None, "is null; allowed: an integer above 0."),
        ("log_end_tolerance_hours", 24, "is 24; allowed: a number of at least 0 and below 24."),
    ],
)
def test_an_invalid_value_gives_a_clear_error(
    refusals: Callable[..., list[str]], name: str, value: Any, rest: str
) -> None:
    suffix = rest if rest.startswith("[") else f" {rest}"
    assert refusals(f"feature_engineering.{name}", value) == [f"feature_engineering.{name}{suffix}"]


def test_inactivity_only_requires_the_song_page(parameters: dict[str, Any]) -> None:
    usual = parameters["feature_engineering"].model_dump()
    change = {"outcome": "inactivity", "downgrade_page": "None", "cancellation_page": "None"}
    changed = FeatureEngineeringParameters(**{**usual, **change})
    assert changed.outcome_columns == []


@pytest.mark.parametrize(
    ("outcome", "task"),
    [
        ("cancellation", {"outcome": "cancellation", "horizon_days": 10}),
        ("inactivity", {"outcome": "inactivity", "horizon_days": 10, "active_within_days": 30}),
    ],
)
def test_active_within_days_is_part_of_the_task_only_for_inactivity(
    parameters: dict[str, Any], outcome: str, task: dict[str, Any]
) -> None:
    changed = parameters["feature_engineering"].model_copy(update={"outcome": outcome})
    assert changed.prediction_task == task


def test_the_song_and_downgrade_pages_default_to_their_columns(
    parameters: dict[str, Any],
) -> None:
    usual = parameters["feature_engineering"].model_dump()
    pages = usual["pages"] | {"next_song": "Play", "submit_downgrade": "Downgraded"}
    unset = {"song_page": None, "downgrade_page": None, "outcome": "downgrade"}
    changed = FeatureEngineeringParameters(**{**usual, **unset, "pages": pages})
    assert (changed.song_page, changed.downgrade_page) == ("Play", "Downgraded")
    assert changed.outcome_columns == ["submit_downgrade"]
