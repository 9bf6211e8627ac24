from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "value", "rest"),
    [
        ("seed", -1, "is -1; allowed: an integer of at least 0 and at most 4,294,967,295."),
        ("users", 0, "is 0; allowed: an integer above 0."),
        ("days", 0, "is 0; allowed: an integer above 0."),
        ("files", 0, "is 0; allowed: an integer above 0."),
        ("userz", 3, "is not a parameter; did you mean simulation.users?"),
        ("start", "in autumn", 'is "in autumn"; allowed: a date such as 2018-11-15.'),
        ("off_day_rejection", 1, "is 1; allowed: a number of at least 0 and below 1."),
        ("growth_per_year", float("inf"), "is Infinity; allowed: a number of at least 0."),
        ("cohorts.tubas", 1, "is not a parameter; did you mean simulation.cohorts.tuba?"),
        ("cohorts.tuba", -1, "is -1; allowed: a number of at least 0."),
        ("cohorts", {"tuba": 0}, 'is {"tuba": 0.0}; allowed: at least one weight above 0.'),
        (
            "cohorts",
            {},
            "is {}; allowed: a section with at least one name, each with a number of at least 0.",
        ),
    ],
)
def test_an_invalid_value_gives_a_clear_error(
    refusals: Callable[..., list[str]], name: str, value: Any, rest: str
) -> None:
    suffix = rest if rest.startswith("[") else f" {rest}"
    assert refusals(f"simulation.{name}", value) == [f"simulation.{name}{suffix}"]
