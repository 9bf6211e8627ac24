from datetime import date
from typing import Any

import pytest

from sparkify.pipelines.feature_engineering.customers import LogTooShortError, cutoffs
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters


@pytest.fixture(scope="module")
def settings(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return parameters["feature_engineering"]


def test_cutoffs_run_weekly_backwards_from_the_last_full_horizon(
    settings: FeatureEngineeringParameters,
) -> None:
    found = cutoffs(date(2018, 10, 30), date(2018, 12, 1), settings)
    assert found == [date(2018, 11, 21), date(2018, 11, 14), date(2018, 11, 7)]


def test_a_log_too_short_for_one_cutoff_is_an_error(
    settings: FeatureEngineeringParameters,
) -> None:
    with pytest.raises(LogTooShortError, match="10 days"):
        cutoffs(date(2018, 11, 20), date(2018, 12, 1), settings)
