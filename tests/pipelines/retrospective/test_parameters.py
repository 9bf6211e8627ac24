from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "seed_project.publishd",
            [],
            "is not a parameter; did you mean retrospective.seed_project.published?",
        ),
        (
            "seed_project.published",
            {},
            "is {}; allowed: a list, each a section with project, model, auc, "
            "weighted_precision, weighted_recall, weighted_f1, accuracy, churn_precision, "
            "churn_recall, churn_f1.",
        ),
        (
            "inputs.moderator",
            "age",
            'is "age"; allowed: null, or one of next_song, thumbs_up, thumbs_down, '
            "add_to_playlist, add_friend, roll_advert, home, help, settings, save_settings, "
            "about, error, logout, upgrade, submit_upgrade, downgrade, submit_downgrade, "
            "sessions, active_days, listening_ms, is_paid.",
        ),
    ],
)
def test_an_invalid_value_is_reported_in_one_sentence(
    refusals: Callable[..., list[str]], name: str, value: Any, message: str
) -> None:
    place = message if message.startswith("[") else f" {message}"
    assert refusals(f"retrospective.{name}", value) == [f"retrospective.{name}{place}"]
