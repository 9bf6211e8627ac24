from typing import Any

import pytest

from sparkify.pipelines.data_processing.log_checks import LogError, require_usable_log


def account(accepted: int, share: float, **rejections: Any) -> dict[str, Any]:
    """Return data_quality with so many records of each reason, spelt with underscores."""
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
        "problems": {
            reason: {"lines": about["lines"], "value": None} for reason, about in found.items()
        },
        "malformed_lines_look_like": None,
        "fields_without_values": {},
        "unknown_columns": [],
    }


def message(data_quality: dict[str, Any]) -> str:
    with pytest.raises(LogError) as raised:
        require_usable_log(data_quality)
    return str(raised.value)


def test_a_log_with_few_rejected_records_is_usable() -> None:
    require_usable_log(account(80, 0.2, duplicate=20))
    require_usable_log(account(1, 0.0, no_user=999))


def test_a_log_with_many_rejected_records_stops_with_reasons_values_and_remedies() -> None:
    found = account(40, 0.6, wrong_type_of_length=36, ts_in_seconds=24, no_user=7)
    found["problems"]["wrong type of length"]["value"] = '"3:05"'
    found["problems"]["ts in seconds"]["value"] = "1541105830"
    assert message(found) == (
        "raw_events: 60 of 100 records rejected (36 wrong type of length, 24 ts in seconds; 7 more "
        "records have no user and do not count). data_processing.max_rejected_share allows 20%. "
        'wrong type of length (found "3:05"): Write length as a number. ts in seconds (found '
        "1541105830): Set data_processing.time_format: s, or auto. Example: {…}"
    )


def test_a_rare_problem_gets_its_remedy_if_there_is_no_frequent_one() -> None:
    found = account(70, 0.3, duplicate=10, impossible_length=10, impossible_ts=10)
    assert "Export the log anew: it holds the same records more than once." in message(found)


def test_a_log_of_guests_alone_says_what_makes_a_customer() -> None:
    assert message(account(0, 0.0, no_user=5)) == (
        "raw_events: none of its 5 records is an event of a customer (5 no user). no user: An "
        "event of a customer has a userId and the time of the registration."
    )


def test_levels_that_no_parameter_names_are_listed() -> None:
    found = account(1, 0.9, impossible_level=9)
    found["rejections"]["impossible level"]["values"] = {"Paid": 7, "Free": 2}
    assert (
        'Values found: "Paid" (7 records), "Free" (2 records). Add them to data_processing.levels.'
        in message(found)
    )


def test_another_format_is_named_with_how_to_read_it() -> None:
    found = account(0, 1.0, malformed_JSON=1) | {
        "malformed_lines_look_like": "a JSON array on one line"
    }
    assert (
        "The log is a JSON array on one line. Set raw_format: json_array in conf/<env>/globals.yml."
        in message(found)
    )


def test_essential_fields_without_values_are_named_with_their_keys_and_the_log_s() -> None:
    found = account(0, 1.0, no_ts=3) | {
        "fields_without_values": {"ts": "ts", "level": "plan"},
        "unknown_columns": ["time", "tier"],
    }
    found["problems"] = {
        "no ts": {"lines": 3, "value": None},
        "impossible length": {"lines": 3, "value": "-1"},
    }
    text = message(found)
    assert "No record has a value of ts (key ts), level (key plan)." in text
    assert (
        "`sparkify inspect LOG` drafts the settings. Keys that no field takes: time, tier." in text
    )
    assert "impossible length (found -1): length counts seconds" in text
    assert "Without it, set" not in text
