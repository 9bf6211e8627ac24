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
    """Return the guess for events with the same additional values."""
    return guess(*(event(number, **values) for number in range(30)))


def test_all_fields_of_a_video_service_are_guessed() -> None:
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
                "monthlyPrice": 14.99,
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
        "revenue": "monthlyPrice",
    }


def test_fields_without_a_fitting_name_have_no_key() -> None:
    guessed = guess_with()
    fields = guessed.fields
    assert [fields[name] for name in ("ts", "userId", "page")] == ["time", "user", "event"]
    assert {name for name, key in fields.items() if key is None} == {
        *("sessionId", "itemInSession", "level", "registration", "gender", "length"),
        "revenue",
    }
    assert guessed.constants == {"level": "paid"}
    assert guessed.problems == []


@pytest.mark.parametrize("other", ["receivedAt", "sentAt", "server_upload_time", "updated_at"])
def test_the_time_of_an_event_is_preferred(other: str) -> None:
    guessed = guess_with(**{other: START})
    assert (guessed.fields["ts"], guessed.considered["ts"]) == ("time", [other])


def test_a_time_that_all_records_have_is_preferred() -> None:
    records = [event(number, ts=START if number < 5 else None) for number in range(30)]
    assert guess(*records).fields["ts"] == "time"


def test_a_time_can_have_any_name() -> None:
    records = [{"user": "a", "event": "Play", "c": START + number} for number in range(30)]
    assert guess(*records).fields["ts"] == "c"


@pytest.mark.parametrize("other", ["anonymousId", "device_id", "$user_id", "email"])
def test_customers_are_preferred_to_devices(other: str) -> None:
    records = [
        event(number, **{"user": None, "distinct_id": f"u{number % 3}", other: number % 3})
        for number in range(30)
    ]
    guessed = guess(*records)
    assert (guessed.fields["userId"], guessed.considered["userId"]) == ("distinct_id", [other])


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
def test_plan_names_map_to_free_or_paid(key: str, value: Any, levels: Any) -> None:
    guessed = guess_with(**{key: value})
    assert (guessed.fields["level"], guessed.levels, guessed.constants) == (key, levels, {})


def test_a_plan_in_too_few_records_is_only_an_alternative() -> None:
    guessed = guess(*(event(number, plan="free" if number % 2 else None) for number in range(30)))
    assert (guessed.fields["level"], guessed.considered["level"]) == (None, ["plan (only in 50%)"])
    assert guessed.constants == {"level": "paid"}


def test_records_without_a_customer_may_lack_other_fields() -> None:
    records = [event(number, plan="free") for number in range(30)]
    records += [event(number, user=None, plan=None) for number in range(30)]
    assert guess(*records).fields["level"] == "plan"


def test_item_numbers_must_rise_within_sessions() -> None:
    rising = guess(*(event(number, seq=number) for number in range(30)))
    falling = guess(*(event(number, seq=30 - number) for number in range(30)))
    assert (rising.fields["itemInSession"], falling.fields["itemInSession"]) == ("seq", None)


@pytest.mark.parametrize("value", ["Ann", "Bob"])
def test_personal_names_are_not_pages(value: str) -> None:
    records = [event(n, event=None, name=f"{value}{n % 3}") for n in range(30)]
    assert guess(*records).fields["page"] is None


def test_event_names_are_pages() -> None:
    records = [event(n, event=None, name=["Play", "Like"][n % 2]) for n in range(30)]
    assert guess(*records).fields["page"] == "name"


def test_records_without_pages_count_as_content_with_alternatives() -> None:
    guessed = guess(*(event(n, event=None, kind=["a", "b"][n % 2]) for n in range(30)))
    assert guessed.constants == {"level": "paid", "page": "NextSong"}
    assert guessed.considered["page"] == ["kind"]


def test_milliseconds_are_not_a_length() -> None:
    guessed = guess_with(ms_played=180_000)
    assert guessed.fields["length"] is None
    assert guessed.notes["length"] == "ms_played counts milliseconds; length needs seconds"


def test_daily_sums_are_not_an_event_log() -> None:
    rows = [{"msno": "a", "date": 20170301 + n, "x": n, "y": 2, "z": 3.5} for n in range(9)]
    guessed = guess(*rows)
    assert "page" not in guessed.constants
    assert guessed.problems[0].startswith("page: no key names events. These are sums by day")
    assert guessed.problems[1] == "ts: date has days as YYYYMMDD, which the project does not read."


def test_missing_times_and_customers_are_problems() -> None:
    problems = guess(*({"event": "Play", "x": number} for number in range(30))).problems
    assert [problem.partition(":")[0] for problem in problems] == ["ts", "userId"]


def test_times_with_a_zone_name_are_a_problem() -> None:
    records = [event(n, time=f"2019-10-01 00:00:{n:02} CET") for n in range(30)]
    assert guess(*records).problems == [
        "ts: time has text with the name of a zone, which the project does not read."
    ]
