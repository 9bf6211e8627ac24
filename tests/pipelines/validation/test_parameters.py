from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "learning_curve_users",
            [],
            "is []; allowed: a list with at least one item, each an integer above 0.",
        ),
        ("leakage.folds", 1, "is 1; allowed: an integer of at least 2."),
    ],
)
def test_an_invalid_value_is_reported_in_one_sentence(
    refusals: Callable[..., list[str]], name: str, value: Any, message: str
) -> None:
    place = message if message.startswith("[") else f" {message}"
    assert refusals(f"validation.{name}", value) == [f"validation.{name}{place}"]
