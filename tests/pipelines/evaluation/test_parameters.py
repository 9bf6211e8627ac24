from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "value", "rest"),
    [
        (
            "decision",
            None,
            "is null; allowed: a section with threshold, contact_cost, contact_success, "
            "kept_customer_value.",
        ),
        ("decision.contact_cost", float("inf"), "is Infinity; allowed: a number above 0."),
        (
            "baselines.Most",
            "next_song",
            "is not an allowed name; allowed: text that matches ^[a-z][a-z0-9_]*$.",
        ),
        ("calibration_bin", 5, "is not a parameter; did you mean evaluation.calibration_bins?"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(
    refusals: Callable[..., list[str]], name: str, value: Any, rest: str
) -> None:
    assert refusals(f"evaluation.{name}", value) == [f"evaluation.{name} {rest}"]
