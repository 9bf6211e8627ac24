from typing import Any

import pytest

from sparkify.pipelines.monitoring.parameters import MonitoringParameters


@pytest.fixture(scope="session")
def monitoring(parameters: dict[str, Any]) -> MonitoringParameters:
    """Return the mini environment's limits."""
    return MonitoringParameters.model_validate(parameters["monitoring"])
