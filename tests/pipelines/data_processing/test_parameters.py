from typing import Any

import pytest

from sparkify.pipelines.data_processing.parameters import DataProcessingParameters


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fields": {"ts": "timestamp"}}, "fields has to name ts, userId, sessionId"),
        ({"fields": {"user": "memberId"}}, "fields has to name ts, userId, sessionId"),
        ({"ts": "level"}, "level is taken twice"),
        ({"ts": "Level"}, "level is taken twice"),
        ({"ts": "corrupt"}, "corrupt is taken twice"),
        ({"ts": "at.ms"}, "should match pattern"),
        ({"ts": "ts` string, `x"}, "should match pattern"),
        ({"levels": {"free": ["Basic"], "paid": ["Basic"]}}, "Basic is taken twice"),
        ({"levels": {"gold": ["Gold"]}}, "should be 'free' or 'paid'"),
    ],
)
def test_names_that_cannot_be_meant_are_an_error(
    parameters: dict[str, Any], changed: dict[str, Any], message: str
) -> None:
    usual = parameters["data_processing"].model_dump()
    if "ts" in changed:
        changed = {"fields": {**usual["fields"], **changed}}
    with pytest.raises(ValueError, match=message):
        DataProcessingParameters(**{**usual, **changed})
