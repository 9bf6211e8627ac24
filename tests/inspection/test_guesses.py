from typing import Any

import pytest

from sparkify.inspection.guesses import Guess, guess_fields
from sparkify.inspection.profile import profile_records

START = 1541105830


def event(number: int, **values: Any) -> dict[str, Any]:
    """Return an event of one of three customers."""
    pages = ["Play", "Home", "Play", "Search", "Help"]
    usual = {"time": START + 60 * number, "user": f"u{number % 3}", "event": pages[number % 5]}
    return {**usual, **values}


def guess(*records: dict[str, Any]) -> Guess:
    return guess_fields(profile_records(records))


def guess_with(**values: Any) -> Guess:
    """Return the guess for events that all have the same further values."""
    return guess(*(event(number, **values) for number in range(30)))


def test_a_video_service_is_understood() -> None:
    fields = guess(
        *(
            {
                "watchedAt": (START + number) * 1000,
                "memberId": number % 3,
                "visit": number // 6,
                "step": number // 3 % 2,
                "screen": ["Play", "Like"][number // 3 % 2],
                "plan": ["Trial", "Premium"][number // 3 % 2],
                "memberSince": (START - 9_999) * 1000,
                "seconds": 180.5,
                "sex": "F",
            }
            for number in range(30)
        )
    ).fields
    assert fields == {
        "ts": "watchedAt",
        "userId": "memberId",
        "sessionId": "visit",
        "itemInSession": "step",
        "page": "screen",
        "level": "plan",
        "registration": "memberSince",
        "gender": "sex",
        "length": "seconds",
    }


def test_without_names_that_fit_fields_have_no_key() -> None:
    found = guess_with()
    fields = found.fields
    assert [fields[name] for name in ("ts", "userId", "page")] == ["time", "user", "event"]
    assert {name for name, key in fields.items() if key is None} == {
        *("sessionId", "itemInSession", "level", "registration", "gender", "length")
    }
    assert found.constants == {"level": "paid"}
    assert found.problems == []


@pytest.mark.parametrize("other", ["receivedAt", "sentAt", "server_upload_time", "updated_at"])
def test_the_time_of_an_event_is_preferred(other: str) -> None:
    found = guess_with(**{other: START})
    assert (found.fields["ts"], found.considered["ts"]) == ("time", [other])


def test_a_time_that_all_records_have_is_preferred() -> None:
    records = [event(number, ts=START if number < 5 else None) for number in range(30)]
    assert guess(*records).fields["ts"] == "time"


def test_a_time_needs_no_name() -> None:
    records = [{"user": "a", "event": "Play", "c": START + number} for number in range(30)]
    assert guess(*records).fields["ts"] == "c"


@pytest.mark.parametrize("other", ["anonymousId", "device_id", "$user_id", "email"])
def test_customers_are_preferred_to_devices(other: str) -> None:
    records = [
        event(number, **{"user": None, "distinct_id": f"u{number % 3}", other: number % 3})
        for number in range(30)
    ]
    found = guess(*records)
    assert (found.fields["userId"], found.considered["userId"]) == ("distinct_id", [other])


@pytest.mark.parametrize(
    ("key", "value", "levels"),
    [
        ("plan", "Premium", {"paid": ["Premium"]}),
        ("tier", "basic-free", {"free": ["basic-free"]}),
        ("paying", True, {"paid": ["true"]}),
        ("is_premium", "false", {"free": ["false"]}),
        ("kind", "Free Trial", {"free": ["Free Trial"]}),
    ],
)
def test_plans_are_free_or_paid_by_their_names(key: str, value: Any, levels: Any) -> None:
    found = guess_with(**{key: value})
    assert (found.fields["level"], found.levels, found.constants) == (key, levels, {})


def test_a_plan_that_many_records_lack_is_only_considered() -> None:
    found = guess(*(event(number, plan="free" if number % 2 else None) for number in range(30)))
    assert (found.fields["level"], found.considered["level"]) == (None, ["plan (only in 50%)"])
    assert found.constants == {"level": "paid"}


def test_records_without_a_customer_need_no_other_fields() -> None:
    records = [event(number, plan="free") for number in range(30)]
    records += [event(number, user=None, plan=None) for number in range(30)]
    assert guess(*records).fields["level"] == "plan"


def test_an_order_that_falls_within_sessions_is_none() -> None:
    rising = guess(*(event(number, seq=number) for number in range(30)))
    falling = guess(*(event(number, seq=30 - number) for number in range(30)))
    assert (rising.fields["itemInSession"], falling.fields["itemInSession"]) == ("seq", None)


@pytest.mark.parametrize("value", ["Ann", "Bob"])
def test_names_of_people_are_no_pages(value: str) -> None:
    records = [event(n, event=None, name=f"{value}{n % 3}") for n in range(30)]
    assert guess(*records).fields["page"] is None


def test_names_of_events_are_pages() -> None:
    records = [event(n, event=None, name=["Play", "Like"][n % 2]) for n in range(30)]
    assert guess(*records).fields["page"] == "name"


def test_records_without_pages_are_content_and_candidates_are_listed() -> None:
    found = guess(*(event(n, event=None, kind=["a", "b"][n % 2]) for n in range(30)))
    assert found.constants == {"level": "paid", "page": "NextSong"}
    assert found.considered["page"] == ["kind"]


def test_milliseconds_are_no_length() -> None:
    found = guess_with(ms_played=180_000)
    assert found.fields["length"] is None
    assert found.notes["length"] == "ms_played counts milliseconds; length needs seconds"


def test_daily_sums_are_no_event_log() -> None:
    rows = [{"msno": "a", "date": 20170301 + n, "x": n, "y": 2, "z": 3.5} for n in range(9)]
    found = guess(*rows)
    assert found.is_daily
    assert "page" not in found.constants
    assert found.problems[0].startswith("page: no key names events. These are sums by day")
    assert found.problems[1] == "ts: date holds days as YYYYMMDD, which the project does not read."


def test_a_log_without_times_or_customers_has_gaps() -> None:
    problems = guess(*({"event": "Play", "x": number} for number in range(30))).problems
    assert [gap.partition(":")[0] for gap in problems] == ["ts", "userId"]


def test_times_with_the_name_of_a_zone_are_a_gap() -> None:
    records = [event(n, time=f"2019-10-01 00:00:{n:02} CET") for n in range(30)]
    assert guess(*records).problems == [
        "ts: time holds text with the name of a zone, which the project does not read."
    ]
