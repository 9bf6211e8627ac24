from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "value", "rest"),
    [
        (
            "learning_curve_users",
            [],
            "is []; allowed: a list with at least one item, each an integer above 0.",
        ),
        ("leakage.folds", 1, "is 1; allowed: an integer of at least 2."),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    refusals: Callable[..., list[str]], name: str, value: Any, rest: str
) -> None:
    place = rest if rest.startswith("[") else f" {rest}"
    assert refusals(f"validation.{name}", value) == [f"validation.{name}{place}"]
