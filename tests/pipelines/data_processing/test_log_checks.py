from typing import Any

import pytest

from sparkify.pipelines.data_processing.log_checks import LogError, require_usable_log


def account(accepted: int, share: float, **rejections: Any) -> dict[str, Any]:
    """Return data_quality with so many lines of each reason, spelt with underscores."""
    found = {
        reason.replace("_", " "): {"lines": lines, "examples": ["{…}"]}
        for reason, lines in rejections.items()
    }
    rejected = sum(reason["lines"] for reason in found.values())
    return {
        "lines": accepted + rejected,
        "accepted": accepted,
        "rejected": rejected,
        "without_user": rejections.get("no_user", 0),
        "rejected_share": share,
        "max_rejected_share": 0.2,
        "rejections": found,
        "malformed_lines_look_like": None,
        "fields_without_values": [],
    }


def message(data_quality: dict[str, Any]) -> str:
    with pytest.raises(LogError) as raised:
        require_usable_log(data_quality)
    return str(raised.value)


def test_a_log_with_few_rejected_lines_is_usable() -> None:
    require_usable_log(account(80, 0.2, duplicate=20))
    require_usable_log(account(1, 0.0, no_user=999))


def test_a_log_with_many_rejected_lines_stops_with_reasons_example_and_remedy() -> None:
    assert message(account(50, 0.5, duplicate=10, wrong_type_of_ts=40, no_user=7)) == (
        "raw_events: 50 of 100 lines rejected (40 wrong type of ts, 10 duplicate; 7 more lines "
        "have no user and do not count). data_processing.max_rejected_share allows 20%. Write ts "
        "as a number. Example: {…}"
    )


def test_a_log_of_guests_alone_says_what_makes_a_customer() -> None:
    assert message(account(0, 0.0, no_user=5)) == (
        "raw_events: none of its 5 lines is an event of a customer (5 no user). An event of a "
        "customer has a userId and the time of the registration."
    )


def test_levels_that_no_parameter_names_are_listed() -> None:
    found = account(1, 0.9, impossible_level=9)
    found["rejections"]["impossible level"]["values"] = {"Paid": 7, "Free": 2}
    assert (
        'Values found: "Paid" (7 lines), "Free" (2 lines). Add them to data_processing.levels.'
        in message(found)
    )


def test_another_format_is_named_with_a_way_to_convert_it() -> None:
    found = account(0, 1.0, malformed_JSON=1) | {
        "malformed_lines_look_like": "a JSON array on one line"
    }
    assert (
        "The log is a JSON array on one line. Write one object per line: jq -c '.[]' FILE"
        in message(found)
    )


@pytest.mark.parametrize(
    ("missing", "columns"), [(["ts"], "column ts."), (["ts", "plan"], "columns ts, plan.")]
)
def test_essential_fields_without_values_are_named(missing: list[str], columns: str) -> None:
    found = account(0, 1.0, no_ts=3) | {"fields_without_values": missing}
    assert f"none of its 3 lines has a value in the essential {columns}" in message(found)
    assert "data_processing.fields" in message(found)
