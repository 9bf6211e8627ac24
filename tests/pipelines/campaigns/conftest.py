from typing import Any

import pytest

from sparkify.pipelines.campaigns.parameters import CampaignParameters
from sparkify.pipelines.feature_engineering.parameters import FeatureEngineeringParameters


@pytest.fixture(scope="session")
def settings(parameters: dict[str, Any]) -> FeatureEngineeringParameters:
    return parameters["feature_engineering"]


@pytest.fixture(scope="session")
def campaigns(parameters: dict[str, Any]) -> CampaignParameters:
    return parameters["campaigns"]
