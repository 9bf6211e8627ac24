"""Records of other services, from their JSON to typed rows."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sparkify.pipelines.data_processing.fields import MAX_ITEMS
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.schemas import CHECKED_EVENTS, MALFORMED_ROW
from tests.bad_logs import line

Change = Callable[..., DataProcessingParameters]
Parse = Callable[..., list[dict[str, Any]]]
MOMENT = datetime(2018, 10, 1, 0, 1, 57, tzinfo=UTC)
KEYS = {"ts": "watchedAt", "userId": "memberId", "page": "screen", "registration": "memberSince"}
PLAY = {
    "watchedAt": 1538352117000,
    "memberId": 30,
    "sessionId": 29,
    "screen": "Play",
    "level": "Premium",
    "itemInSession": 50,
    "memberSince": 1538173362000,
}
LEVELS = {"free": ["Trial", "Basic"], "paid": ["Premium"]}


def test_an_accepted_record_becomes_typed_columns(
    checks: DataProcessingParameters, parse: Parse
) -> None:
    (row,) = parse(checks, line())
    assert row == {
        "user_id": "30",
        "ts": MOMENT,
        "session_id": "29",
        "item_in_session": 50,
        "page": "NextSong",
        "level": "paid",
        "registration": datetime(2018, 9, 28, 22, 22, 42, tzinfo=UTC),
        "gender": "M",
        "length": 277.89016,
        "time_format": "ms",
        "record_hash": 0,
        "line": None,
        "unknown_columns": None,
        "problems": None,
        "rejection": None,
    }
    assert list(row) == CHECKED_EVENTS.columns


@pytest.mark.parametrize(
    "text",
    [
        line(userId=30),
        line(userId=30.0),
        line(userId="30.0"),
        line(userId=" 30 "),
        line(sessionId="29", itemInSession="50", length="277.9"),
        line(sessionId=29.0, itemInSession=50.0),
        line(ts="2018-10-01T00:01:57Z", registration="2018-09-28 22:22:42"),
        line(ts=1538352117, registration=1538173362),
        line(status="ok", artist={"name": "x"}),  # columns that nothing reads
        " " + line() + " ",
        line() + "\r",
    ],
)
def test_what_other_services_write_is_the_same_event(
    checks: DataProcessingParameters, parse: Parse, text: str
) -> None:
    (row,) = parse(checks, text)
    assert row["rejection"] is None
    assert (row["user_id"], row["session_id"], row["item_in_session"]) == ("30", "29", 50)
    assert row["ts"] == MOMENT
    assert row["registration"] == datetime(2018, 9, 28, 22, 22, 42, tzinfo=UTC)


@pytest.fixture
def own_names(changed: Change) -> DataProcessingParameters:
    return changed(KEYS, levels=LEVELS)


def test_fields_are_read_by_the_log_s_own_keys(
    own_names: DataProcessingParameters, parse: Parse
) -> None:
    (row,) = parse(own_names, json.dumps({**PLAY, "userId": "somebody", "page": "Home"}))
    assert (row["user_id"], row["page"], row["ts"]) == ("30", "Play", MOMENT)
    assert (row["rejection"], row["unknown_columns"]) == (None, ["page", "userId"])


@pytest.mark.parametrize(
    ("plan", "level"), [("Trial", "free"), ("Basic", "free"), ("Premium", "paid"), ("x", "x")]
)
def test_a_plan_is_read_as_its_level(
    own_names: DataProcessingParameters, parse: Parse, plan: str, level: str
) -> None:
    (row,) = parse(own_names, json.dumps({**PLAY, "level": plan}))
    assert row["level"] == level
    assert row["rejection"] == (None if level != "x" else "impossible level")


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"watchedAt": "yesterday"}, ["wrong type of ts"]),
        ({"screen": 5}, ["wrong type of page"]),
        ({"memberId": ["30"]}, ["wrong type of userId"]),
        ({"memberSince": None}, ["no user"]),
        ({"memberSince": 5, "screen": ""}, ["no page", "impossible registration"]),
        (
            {"watchedAt": None, "memberId": "", "level": "x", "itemInSession": -1},
            ["no ts", "no user", "impossible itemInSession", "impossible level"],
        ),
    ],
)
def test_all_problems_are_named_by_field_whatever_its_key_the_weightiest_first(
    own_names: DataProcessingParameters, parse: Parse, changes: dict[str, Any], problems: list[str]
) -> None:
    (row,) = parse(own_names, json.dumps({**PLAY, **changes}))
    assert row["problems"] == problems
    assert row["rejection"] == problems[0]


def test_of_a_malformed_record_nothing_else_is_said(
    checks: DataProcessingParameters, parse: Parse
) -> None:
    rows = parse(checks, line(), "{", line(itemInSession=51))
    assert [row["problems"] for row in rows] == [None, ["malformed JSON"], None]
    assert [row["item_in_session"] for row in rows] == [50, None, 51]


def test_fields_may_be_nested_and_share_a_key(changed: Change, parse: Parse) -> None:
    nested = changed(
        {
            "ts": "properties.time",
            "userId": r"user\.id",
            "sessionId": "properties.time",
            "page": "event",
            "level": "properties.plan.name",
            "itemInSession": None,
            "registration": None,
        },
        levels=LEVELS,
    )
    record = {
        "event": "Play",
        "user.id": "u1",
        "properties": {"time": 1538352117, "plan": {"name": "Basic"}, "ip": "1.2.3.4"},
    }
    (row,) = parse(nested, json.dumps(record))
    assert (row["page"], row["user_id"], row["level"]) == ("Play", "u1", "free")
    assert (row["ts"], row["session_id"], row["time_format"]) == (MOMENT, "1538352117", "s")
    assert (row["unknown_columns"], row["rejection"]) == (None, None)


def test_without_a_registration_the_customer_s_event_counts(changed: Change, parse: Parse) -> None:
    parameters = changed({"registration": None})
    rows = parse(parameters, line(registration=...), line(userId=None, registration=...))
    assert [row["registration"] for row in rows] == [MOMENT, MOMENT]
    assert [row["rejection"] for row in rows] == [None, "no user"]


def test_without_an_item_events_are_ordered_by_microsecond_and_hash(
    changed: Change, parse: Parse
) -> None:
    parameters = changed({"itemInSession": None})
    times = ["2018-10-01T00:01:57.000001Z", "2018-10-01T00:01:57.000999Z", "2018-10-01T00:01:57Z"]
    rows = parse(parameters, *[line(ts=text) for text in times], line(ts=times[2], tag=1))
    items = [row["item_in_session"] for row in rows]
    assert items == [2_048, 999 * 2_048 + 1, 2, 3]
    assert max(items) < MAX_ITEMS


def test_without_a_session_or_a_level_there_is_none_yet(changed: Change, parse: Parse) -> None:
    parameters = changed(
        {"sessionId": None, "level": None}, plan_pages={"paid": ["Submit Upgrade"], "free": []}
    )
    (row,) = parse(parameters, line())
    assert (row["session_id"], row["level"], row["rejection"]) == (None, None, None)


def test_constants_stand_in_for_keys(changed: Change, parse: Parse) -> None:
    parameters = changed(
        {"page": None}, constants={"page": "NextSong", "level": "Premium"}, levels=LEVELS
    )
    (row,) = parse(parameters, line(page="Home", level="x"))
    assert (row["page"], row["level"], row["rejection"]) == ("NextSong", "paid", None)
    assert row["unknown_columns"] == ["level", "page"]


def test_each_file_s_records_are_read_by_the_first_source_that_matches(
    changed: Change, parse: Parse
) -> None:
    parameters = changed(
        sources=[
            {"files": "listens/*", "fields": {"page": None}, "constants": {"page": "NextSong"}},
            {"files": "views/*", "fields": {"ts": "at"}},
            {"files": "auth/*", "fields": {"page": None}, "page_from": "file"},
        ]
    )
    view = line(ts=..., at=1538352117000, page="Home")
    texts = [line(page=...), line(page=...), view, line(page=...), line(), line(page=...)]
    files = ["listens/1", "listens/2", "views/1", "auth/Login-1.json", "other", "listens/1"]
    rows = parse(parameters, *texts, file=files)
    assert [row["page"] for row in rows] == [
        *["NextSong", "NextSong", "Home", "Login", None, "NextSong"]
    ]
    assert [row["rejection"] for row in rows] == [None] * 4 + ["no source", None]
    assert [row["record_hash"] for row in rows] == [*range(6)]
    assert "Colin" not in rows[4]["line"]


def test_a_row_that_its_reader_could_not_read_keeps_the_reader_s_reason(
    checks: DataProcessingParameters, parse: Parse
) -> None:
    rows = parse(
        checks, line(), "1,2,3", line(), "{", problem=[None, MALFORMED_ROW, MALFORMED_ROW, None]
    )
    assert [row["rejection"] for row in rows] == [
        *[None, "malformed row", "malformed row", "malformed JSON"]
    ]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "ms"),
        ({"registration": 1538173362000.0}, "ms"),
        ({"registration": 1538173362}, "ms and s"),
        ({"ts": "2018-10-01 00:01:57"}, "iso8601 without zone and ms"),
    ],
)
def test_how_times_are_written_is_kept(
    checks: DataProcessingParameters, parse: Parse, changes: dict[str, Any], name: str
) -> None:
    assert parse(checks, line(**changes))[0]["time_format"] == name


@pytest.mark.parametrize(
    ("ts", "rejection"),
    [
        (1538352117000, None),
        (1538352117, "ts in seconds"),
        (1538352117000000, "ts in microseconds"),
        ("2018-10-01T00:01:57Z", "wrong type of ts"),
    ],
)
def test_with_a_fixed_format_other_times_are_rejected(
    changed: Change, parse: Parse, ts: Any, rejection: str | None
) -> None:
    (row,) = parse(changed(time_format="ms"), line(ts=ts))
    assert row["rejection"] == rejection


def test_a_registration_in_another_unit_is_impossible_where_the_unit_is_fixed(
    changed: Change, parse: Parse
) -> None:
    (row,) = parse(changed(time_format="ms"), line(registration=1538173362))
    assert row["rejection"] == "impossible registration"


def test_a_zone_is_that_of_times_without_one(changed: Change, parse: Parse) -> None:
    (row,) = parse(changed(time_zone="America/New_York"), line(ts="2018-09-30 20:01:57"))
    assert row["ts"] == MOMENT


def test_keys_are_listed_where_they_are_looked_for(
    checks: DataProcessingParameters, parse: Parse
) -> None:
    rows = parse(checks, line(tag="b", country="US"), line(), "broken")
    assert [row["unknown_columns"] for row in rows] == [["country", "tag"], None, None]
