from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cutoff", "2018-13-45", 'is "2018-13-45"; allowed: a date such as 2018-11-15, or null.'),
        ("cutoff", 20181115, "is 20181115; allowed: a date such as 2018-11-15, or null."),
        (
            "control_share",
            0.0004,
            "is 0.0004; allowed: 0, or a number of at least 0.001 and at most 0.999.",
        ),
        ("control_share", 1, "is 1; allowed: 0, or a number of at least 0.001 and at most 0.999."),
        ("control_seed", -1, "is -1; allowed: an integer of at least 0 and at most 4,294,967,295."),
        ("reasons", 0, "is 0; allowed: an integer above 0."),
    ],
)
def test_an_invalid_value_is_reported_in_one_sentence(
    refusals: Callable[..., list[str]], name: str, value: Any, message: str
) -> None:
    assert refusals(f"scoring.{name}", value) == [f"scoring.{name} {message}"]
