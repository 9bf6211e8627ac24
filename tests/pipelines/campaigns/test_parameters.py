from collections.abc import Callable
from typing import Any

import pytest

from sparkify.pipelines.campaigns.parameters import CampaignParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters


@pytest.mark.parametrize(
    ("name", "value", "rest"),
    [
        ("max_campaigns", 0, "is 0; allowed: an integer above 0."),
        ("programme_days", [], "is []; allowed:"),
        ("silent_days", 30, "is not a parameter; did you mean campaigns.silent_after_days?"),
    ],
)
def test_an_invalid_value_is_one_sentence(
    refusals: Callable[..., list[str]], name: str, value: Any, rest: str
) -> None:
    (sentence,) = refusals(f"campaigns.{name}", value)
    assert sentence.startswith(f"campaigns.{name} {rest}")


def test_a_customer_is_quiet_when_inactivity_says_so(
    campaigns: CampaignParameters, settings: FeatureEngineeringParameters
) -> None:
    assert campaigns.silent_after_days == settings.active_within_days
