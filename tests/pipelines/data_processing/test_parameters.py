from collections.abc import Callable
from typing import Any

import pytest

from sparkify.pipelines.data_processing.parameters import DataProcessingParameters


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ts": "timestamp"}, "a key for each of ts, userId, sessionId"),
        ({"ts": "level"}, "level once"),
        ({"ts": "Level"}, "level once"),
        ({"ts": "corrupt"}, "corrupt once"),
    ],
)
def test_every_field_has_a_key_of_its_own(
    parameters: dict[str, Any], fields: dict[str, str], message: str
) -> None:
    usual = parameters["data_processing"].model_dump()
    all_fields = fields if "timestamp" in fields.values() else {**usual["fields"], **fields}
    with pytest.raises(ValueError, match=f"allowed: {message}"):
        DataProcessingParameters(**{**usual, "fields": all_fields})


@pytest.mark.parametrize(
    ("name", "value", "rest"),
    [
        ("fields.userid", "id", "is no parameter; did you mean data_processing.fields.userId?"),
        ("fields.ts", "at.ms", 'is "at.ms"; allowed: text that matches ^[A-Za-z_][A-Za-z0-9_]*$.'),
        ("levels.gold", ["Gold"], "is no name that is allowed; allowed: 'free' or 'paid'."),
        (
            "levels",
            {"free": ["Basic"], "paid": ["Basic"]},
            'is {"free": ["Basic"], "paid": ["Basic"]}; allowed: Basic once.',
        ),
        (
            "levels",
            {"free": [], "paid": []},
            'is {"free": [], "paid": []}; allowed: at least one name of a plan.',
        ),
        (
            "latest_event",
            "2200-01-01",
            'is "2200-01-01"; allowed: a date such as 2018-11-15 of at most 2109-01-01.',
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    refusals: Callable[..., list[str]], name: str, value: Any, rest: str
) -> None:
    place = rest if rest.startswith("[") else f" {rest}"
    assert refusals(f"data_processing.{name}", value) == [f"data_processing.{name}{place}"]
