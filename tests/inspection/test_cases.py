"""Drafts for small logs of other services: their keys, and the records that they accept."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sparkify.inspection import draft_settings
from sparkify.inspection.profile import (
    READABLE_TIMES,
    find_time_format,
    format_value,
    profile_records,
)
from sparkify.inspection.sampling import LogFiles, sample_files

SHARED = Path(__file__).parents[3] / "shared" / "data"
FIELDS = ("ts", "userId", "sessionId", "itemInSession", "page", "level", "registration")
NO_KEYS = dict.fromkeys((*FIELDS, "gender", "length", "revenue"))
USUAL = NO_KEYS | {name: name for name in FIELDS}
SHOP = NO_KEYS | {
    "ts": "timestamp",
    "userId": "user_id",
    "sessionId": "session_id",
    "page": "event",
}
PAID = {"level": "paid"}
# By case: format, fields, constants, plans and cancellation page.
CASES: dict[str, tuple[str, dict[str, Any], dict[str, str], dict[str, list[str]], str | None]] = {
    "amplitude_export": (
        "json_lines",
        {
            "ts": "event_time",
            "userId": "user_id",
            "sessionId": "session_id",
            "itemInSession": "event_id",
            "page": "event_type",
            "level": "user_properties.plan",
            "registration": "user_creation_time",
            "gender": "user_properties.gender",
            "length": None,
            "revenue": None,
        },
        {},
        {"free": ["free"]},
        None,
    ),
    "array_on_one_line": ("json_array", USUAL, {}, {"free": ["free"]}, None),
    "clean_log_no_rejections": ("json_lines", USUAL, {}, {"free": ["free"]}, None),
    "csv_shop": ("csv", SHOP, PAID, {}, None),
    "iso_in_ts_and_registration": ("json_lines", USUAL, {}, {"free": ["free"]}, None),
    "iso_in_ts_only": ("json_lines", USUAL, {}, {"free": ["free"]}, None),
    "jsonl_shop_iso": ("json_lines", SHOP, PAID, {}, None),
    "kkbox_user_logs": (
        "csv",
        NO_KEYS | {"ts": "date", "userId": "msno", "length": "total_secs"},
        PAID,
        {},
        None,
    ),
    "levels_capitalised": ("json_lines", USUAL, {}, {"paid": ["Premium"]}, None),
    "mixpanel_raw_export": (
        "json_lines",
        {
            "ts": "properties.time",
            "userId": "properties.distinct_id",
            "sessionId": "properties.sid",
            "itemInSession": "properties.seq",
            "page": "event",
            "level": "properties.plan",
            "registration": "properties.signup",
            "gender": None,
            "length": None,
            "revenue": None,
        },
        {},
        {"free": ["free"], "paid": ["pro"]},
        "Subscription Cancelled",
    ),
    "numbers_in_quotes": ("json_lines", USUAL, {}, {"free": ["free"]}, None),
    "seconds_in_ts_and_registration": ("json_lines", USUAL, {}, {"free": ["free"]}, None),
    "segment_track": (
        "json_lines",
        NO_KEYS
        | {"ts": "timestamp", "userId": "userId", "sessionId": "context.sessionId"}
        | {"page": "event", "level": "properties.plan"},
        {},
        {"free": ["free"]},
        "Subscription Cancelled",
    ),
    "spotify_history_array": (
        "json_array",
        NO_KEYS | {"ts": "ts", "userId": "username"},
        PAID | {"page": "NextSong"},
        {},
        None,
    ),
    "text_session_ids": ("json_lines", USUAL, {}, {"free": ["free"]}, None),
}
# By genuine log: the cancellation page.
GENUINE = {
    "events_5_users.json": "Cancellation Confirmation",
    "events_user_87.json": "Cancellation Confirmation",
    "events_user_113.json": None,
    "events_other_service_2018_11.json": None,
}


def find_log(name: str) -> Path:
    if not SHARED.exists():
        pytest.skip("the cases are not here")
    if (SHARED / "real" / name).exists():
        return SHARED / "real" / name
    (log,) = [path for path in (SHARED / "cases" / name).iterdir() if path.name != "README"]
    return log


@functools.cache
def draft(log: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    globals_text, parameters = draft_settings(log).values()
    return yaml.safe_load(globals_text), yaml.safe_load(parameters), parameters


def share_accepted(log: Path, settings: dict[str, Any]) -> float:
    """Return the share of records with a customer that fit the settings."""
    (file,) = sample_files(LogFiles(str(log)))
    fields, constants = settings["fields"], settings.get("constants", {})
    plans = [plan for names in settings.get("levels", {}).values() for plan in names]

    def is_accepted(record: dict[str, Any]) -> bool:
        values = {name: record.get(key) for name, key in fields.items() if key} | constants
        times = [
            find_time_format(values.get(name)) for name in ("ts", "registration") if fields[name]
        ]
        required = ["page", *(name for name in ("sessionId", "itemInSession") if fields[name])]
        is_known = values["level"] in ("free", "paid") or format_value(values["level"]) in plans
        has_all = all(values.get(name) is not None for name in required)
        return (
            all(expected_format in READABLE_TIMES for expected_format in times)
            and has_all
            and is_known
        )

    records = profile_records(file.records).records
    with_user = [record for record in records if fields["userId"] in record]
    return sum(map(is_accepted, with_user)) / len(with_user)


def test_every_case_is_tested() -> None:
    find_log("csv_shop")
    assert {path.name for path in (SHARED / "cases").iterdir()} == {*CASES}


@pytest.mark.parametrize("name", CASES)
def test_the_draft_has_the_keys_of_a_case(name: str) -> None:
    expected_format, fields, constants, levels, cancellation = CASES[name]
    log = find_log(name)
    global_settings, parameters, _ = draft(log)
    data_processing = parameters["data_processing"]
    assert global_settings["raw_log"] == str(log)
    assert global_settings["raw_format"] == expected_format
    assert data_processing["fields"] == fields
    assert data_processing.get("constants", {}) == constants
    assert data_processing.get("levels", {}) == levels
    page = parameters.get("feature_engineering", {}).get("cancellation_page")
    assert page == cancellation


@pytest.mark.parametrize("name", [*CASES, *GENUINE])
def test_the_draft_accepts_the_records_or_names_the_problem(name: str) -> None:
    log = find_log(name)
    _, parameters, text = draft(log)
    accepted = share_accepted(log, parameters["data_processing"])
    assert accepted >= 0.95 or "# Problem: page: " in text
    assert (accepted < 0.95) == (name == "kkbox_user_logs")


@pytest.mark.parametrize("name", GENUINE)
def test_the_draft_for_a_genuine_log_keeps_the_usual_keys(name: str) -> None:
    _, parameters, text = draft(find_log(name))
    usual = USUAL | {"gender": "gender", "length": "length"}
    assert parameters["data_processing"]["fields"] == usual
    page = parameters.get("feature_engineering", {}).get("cancellation_page")
    assert page == GENUINE[name]
    first = json.loads(find_log(name).read_text(encoding="utf-8").partition("\n")[0])
    private = [first[key] for key in ("firstName", "lastName", "location", "userAgent")]
    assert [value for value in private if value in text] == []
