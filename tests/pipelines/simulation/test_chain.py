import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sparkify.pipelines.simulation.chain import (
    State,
    build_chain,
    list_cohorts,
    list_requests,
    list_states,
)

COHORTS = ["accordion", "tuba", "zither", "xylophone"]
COMPLETE_LOGS = ["events_5_users", "events_user_87", "events_user_113"]
CANCEL = State("Cancel", "Logged In", "paid")


def list_next_states(cohort: str, state: State, adverts: float = 1.0) -> dict[State, float]:
    """Return the next states and their shares, from the cumulative shares."""
    number, built = list_states().index(state), build_chain(cohort, adverts)
    ends = built.cumulative[number]
    shares = [round(end - start, 9) for start, end in zip([0, *ends[:-1]], ends, strict=False)]
    names = [list_states()[follower] for follower in built.followers[number]]
    return dict(zip(names, shares, strict=True)) if names else {}


def list_steps() -> set[tuple[State, State]]:
    built = build_chain("accordion")
    return {
        (list_states()[source], list_states()[target])
        for source, targets in enumerate(built.followers)
        for target in targets
    }


def list_genuine_steps(real: Path) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """List the pairs of genuine events that follow each other in a session.

    These logs have no rows without a user, so rows with a missing item between them are not
    consecutive.
    """
    lines = [line for name in COMPLETE_LOGS for line in (real / f"{name}.json").open()]
    events = [json.loads(line) for line in lines]
    events.sort(key=lambda event: (event["userId"], event["sessionId"], event["itemInSession"]))

    def find_position(event: dict[str, Any], ahead: int = 0) -> tuple[int, int, int]:
        return event["userId"], event["sessionId"], event["itemInSession"] + ahead

    return [
        (before, after)
        for before, after in pairwise(events)
        if find_position(before, 1) == find_position(after)
    ]


def get_state(event: dict[str, Any]) -> State:
    return State(event["page"], event["auth"], event["level"])


def test_the_published_chain_has_its_50_states_266_steps_and_22_pages() -> None:
    assert len(list_states()) == 50
    assert len(list_steps()) == 266
    assert len(list_requests()) == 22


def test_states_are_sorted_by_name() -> None:
    assert list_states() == sorted(list_states())
    assert list_states()[:3] == [
        State("About", "Guest", "free"),
        State("About", "Logged In", "free"),
        State("About", "Logged In", "paid"),
    ]


@pytest.mark.parametrize(
    ("page", "method", "status"),
    [
        ("NextSong", "PUT", 200),
        ("Thumbs Up", "PUT", 307),
        ("Error", "GET", 404),
        ("Cancel", "PUT", 307),
        ("Cancellation Confirmation", "GET", 200),
    ],
)
def test_a_page_has_one_method_and_one_status(page: str, method: str, status: int) -> None:
    assert list_requests()[page] == (method, status)


def test_every_page_of_the_chain_has_a_method_and_a_status() -> None:
    assert {state.page for state in list_states()} == set(list_requests())


@pytest.mark.parametrize("cohort", COHORTS)
def test_999_of_1000_cancellations_are_confirmed(cohort: str) -> None:
    assert list_next_states(cohort, CANCEL) == {
        State("Cancellation Confirmation", "Cancelled", "paid"): 0.999,
        State("Error", "Logged In", "paid"): 0.001,
    }


@pytest.mark.parametrize("cohort", COHORTS)
def test_a_confirmed_cancellation_has_no_next_state(cohort: str) -> None:
    assert list_next_states(cohort, State("Cancellation Confirmation", "Cancelled", "paid")) == {}
    assert list_next_states(cohort, State("Cancellation Confirmation", "Cancelled", "free")) == {}


def test_only_cancel_leads_to_a_confirmed_cancellation() -> None:
    before = {a.page for a, b in list_steps() if b.page == "Cancellation Confirmation"}
    assert before == {"Cancel"}


def test_cohorts_cancel_from_an_advert_at_their_published_rates() -> None:
    advert = State("Roll Advert", "Logged In", "free")
    cancel = State("Cancel", "Logged In", "free")
    rates = {cohort: list_next_states(cohort, advert)[cancel] for cohort in COHORTS}
    assert rates == {"accordion": 0.001, "tuba": 0.01, "zither": 0.005, "xylophone": 0.001}


@pytest.mark.parametrize("cohort", COHORTS)
def test_cumulative_shares_rise_and_never_exceed_1(cohort: str) -> None:
    for cumulative in build_chain(cohort).cumulative:
        assert cumulative == sorted(cumulative)
        assert all(0 < share <= 1 + 1e-9 for share in cumulative)


@pytest.mark.parametrize("cohort", COHORTS)
def test_first_pages_exist_for_every_auth_and_level_and_sum_to_1(cohort: str) -> None:
    first = build_chain(cohort).first
    assert set(first) == {
        ("Guest", "free"),
        ("Logged In", "free"),
        ("Logged In", "paid"),
        ("Logged Out", "free"),
        ("Logged Out", "paid"),
    }
    for (auth, level), (numbers, shares) in first.items():
        assert {list_states()[number][1:] for number in numbers} == {(auth, level)}
        assert shares[-1] == pytest.approx(1)


def test_the_tables_hold_four_cohorts() -> None:
    assert list_cohorts() == ["accordion", "tuba", "zither", "xylophone"]


def test_every_genuine_step_is_in_the_chain(real: Path) -> None:
    steps = list_genuine_steps(real)
    unknown = Counter(
        (get_state(before), get_state(after))
        for before, after in steps
        if (get_state(before), get_state(after)) not in list_steps()
    )
    assert len(steps) == 6192
    assert unknown == {}


def test_genuine_sessions_start_on_first_pages_of_the_chain(real: Path) -> None:
    built = build_chain("accordion")
    first = {list_states()[number] for numbers, _ in built.first.values() for number in numbers}
    lines = [line for name in COMPLETE_LOGS for line in (real / f"{name}.json").open()]
    started = [get_state(e) for e in map(json.loads, lines) if e["itemInSession"] == 0]
    assert len(started) == 76
    assert set(started) <= first


def test_a_genuine_redirect_comes_one_second_after_the_page_before_it(real: Path) -> None:
    gaps = Counter(
        (after["ts"] - before["ts"]) // 1000
        for before, after in list_genuine_steps(real)
        if after["status"] == 307
    )
    assert gaps == {1: 518}


def test_a_genuine_song_starts_when_the_current_song_ends(real: Path) -> None:
    waits = Counter(
        (after["ts"] - before["ts"]) // 1000 - int(before["length"])
        for before, after in list_genuine_steps(real)
        if before["page"] == after["page"] == "NextSong"
    )
    assert waits == {0: 4138}


def test_genuine_pages_have_the_chain_s_method_and_status(real: Path) -> None:
    for before, after in list_genuine_steps(real):
        for event in (before, after):
            assert list_requests()[event["page"]] == (event["method"], event["status"])


@pytest.mark.parametrize("cohort", COHORTS)
def test_more_adverts_reduce_the_share_of_the_next_song(cohort: str) -> None:
    song, advert = (State(page, "Logged In", "free") for page in ("NextSong", "Roll Advert"))
    published, more = list_next_states(cohort, song), list_next_states(cohort, song, adverts=1.5)
    assert more[advert] == pytest.approx(1.5 * published[advert])
    assert more[song] + more[advert] == pytest.approx(published[song] + published[advert])
    others = {state: share for state, share in published.items() if state not in (song, advert)}
    assert {state: more[state] for state in others} == pytest.approx(others)


def test_an_advert_factor_of_1_changes_nothing() -> None:
    assert build_chain("tuba", adverts=1.0) == build_chain("tuba")
