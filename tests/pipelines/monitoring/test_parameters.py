from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("false_alarms", 0, "is 0; allowed: a number above 0 and below 1."),
        ("fail_on_alarm", "maybe", 'is "maybe"; allowed: true or false.'),
        ("psi_bin", 10, "is not a parameter; did you mean monitoring.psi_bins?"),
    ],
)
def test_an_invalid_value_is_reported_in_one_sentence(
    refusals: Callable[..., list[str]], name: str, value: Any, message: str
) -> None:
    assert refusals(f"monitoring.{name}", value) == [f"monitoring.{name} {message}"]
