import math
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from sparkify.pipelines.simulation.chain import State, build_chain, list_requests, list_states
from sparkify.pipelines.simulation.life import NO_SONG, LastEvent, Process, Session, Traits
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters
from sparkify.pipelines.simulation.songs import SongCatalogue

OCTOBER_1 = 1_538_352_000  # 2018-10-01 00:00 UTC
# Short pauses between sessions give many events in a few days.
BUSY = {"users": 40, "days": 14, "songs": 50, "artists": 5, "session_gap_days": 0.5}


def simulation(parameters: dict[str, Any], **changes: Any) -> SimulationParameters:
    mini = SimulationParameters.model_validate(parameters["simulation"])
    return SimulationParameters(**{**mini.model_dump(), **BUSY, **changes})


def simulate(process: Process, number: int) -> list[Session]:
    return list(process.simulate_user(number, process.draw_traits(number)))


@pytest.fixture(scope="module")
def busy(parameters: dict[str, Any]) -> SimulationParameters:
    return simulation(parameters)


@pytest.fixture(scope="module")
def histories(busy: SimulationParameters) -> dict[int, list[Session]]:
    """Simulate 40 initial users and 20 newcomers; return their sessions by user number."""
    process = Process(busy)
    return {number: simulate(process, number) for number in range(60)}


def list_sessions(histories: dict[int, list[Session]]) -> Iterator[Session]:
    for history in histories.values():
        yield from history


def get_states(session: Session) -> list[State]:
    return [list_states()[number] for number in session.states]


def list_steps(histories: dict[int, list[Session]]) -> Iterator[tuple[int, State, int, State]]:
    """Yield the second and state of each two consecutive events of a session."""
    for session in list_sessions(histories):
        for (second, state), (next_second, next_state) in pairwise(
            zip(session.seconds, get_states(session), strict=True)
        ):
            yield second, state, next_second, next_state


def test_the_simulated_users_visit_all_pages(histories: dict[int, list[Session]]) -> None:
    pages = Counter(
        state.page for session in list_sessions(histories) for state in get_states(session)
    )
    assert pages.total() > 10_000
    assert pages["Cancellation Confirmation"] >= 10
    assert set(pages) == set(list_requests())


def test_events_depend_only_on_the_seed_and_the_user_number(
    parameters: dict[str, Any], busy: SimulationParameters, histories: dict[int, list[Session]]
) -> None:
    alone = Process(simulation(parameters, users=4_000, files=8, growth_per_year=0.9))
    for number in (39, 7, 0):
        assert simulate(alone, number) == histories[number]
        assert alone.draw_traits(number) == Process(busy).draw_traits(number)


def test_another_seed_gives_other_events(
    parameters: dict[str, Any], histories: dict[int, list[Session]]
) -> None:
    other = Process(simulation(parameters, seed=25))
    assert all(simulate(other, number) != histories[number] for number in range(5))


def test_events_lie_within_the_log_s_span(histories: dict[int, list[Session]]) -> None:
    seconds = [second for session in list_sessions(histories) for second in session.seconds]
    assert OCTOBER_1 <= min(seconds) < OCTOBER_1 + 3_600
    assert OCTOBER_1 + 14 * DAY_SECONDS - 3_600 < max(seconds) < OCTOBER_1 + 14 * DAY_SECONDS


def test_every_event_has_a_second_a_state_and_maybe_a_song(
    histories: dict[int, list[Session]],
) -> None:
    for session in list_sessions(histories):
        assert len(session.seconds) == len(session.states) == len(session.songs) > 0
        for state, song in zip(get_states(session), session.songs, strict=True):
            assert song in range(50) if state.page == "NextSong" else song == NO_SONG


def test_a_user_s_events_are_sorted_by_time(
    histories: dict[int, list[Session]],
) -> None:
    for history in histories.values():
        seconds = [second for session in history for second in session.seconds]
        assert seconds == sorted(seconds)


def test_a_redirected_page_comes_one_second_after_the_page_before_it(
    histories: dict[int, list[Session]],
) -> None:
    redirected = {page for page, (_, status) in list_requests().items() if status == 307}
    gaps = Counter(
        after - before
        for before, _, after, state in list_steps(histories)
        if state.page in redirected
    )
    assert list(gaps) == [1]
    assert gaps[1] > 1_000


def test_a_song_starts_when_the_current_song_ends(
    busy: SimulationParameters, histories: dict[int, list[Session]]
) -> None:
    lengths = SongCatalogue(busy).length_seconds
    waited = 0
    for session in list_sessions(histories):
        end, before = None, None
        events = zip(session.seconds, get_states(session), session.songs, strict=True)
        for second, state, song in events:
            if state.page == "NextSong":
                if end is not None and before < end:
                    assert second == end
                    waited += 1
                end = second + int(lengths[song])
            before = second
    assert waited > 5_000


def test_other_pages_do_not_wait_for_the_song_to_end(histories: dict[int, list[Session]]) -> None:
    ordinary = {"Home", "Help", "Settings", "Add to Playlist", "Roll Advert"}
    gaps = [
        after - before
        for before, state, after, next_state in list_steps(histories)
        if state.page == "NextSong" and next_state.page in ordinary
    ]
    assert min(gaps) < 10


def test_pauses_before_ordinary_pages_have_the_user_s_mean(parameters: dict[str, Any]) -> None:
    process = Process(simulation(parameters, days=61))
    start = OCTOBER_1
    user = Traits("xylophone", 200.0, 20_000.0, "Logged In", "paid", start, start)
    history = {number: list(process.simulate_user(number, user)) for number in range(20)}
    gaps = [
        after - before
        for before, _, after, state in list_steps(history)
        if state.page in {"Home", "Help", "Settings", "Add to Playlist", "Roll Advert"}
    ]
    assert len(gaps) > 2_000
    assert sum(gaps) / len(gaps) == pytest.approx(200, rel=0.06)


def test_every_step_is_in_the_chain_of_the_cohort(
    busy: SimulationParameters, histories: dict[int, list[Session]]
) -> None:
    process = Process(busy)
    for number, history in histories.items():
        followers = build_chain(process.draw_traits(number).cohort).followers
        for session in history:
            assert all(after in followers[before] for before, after in pairwise(session.states))


def test_a_session_starts_on_a_first_page_of_the_chain(
    busy: SimulationParameters, histories: dict[int, list[Session]]
) -> None:
    for number, history in histories.items():
        first = build_chain(Process(busy).draw_traits(number).cohort).first
        for session in history:
            if session.first_item == 0:
                _, auth, level = list_states()[session.states[0]]
                assert session.states[0] in first[(auth, level)][0]


def test_a_session_starts_with_the_auth_and_level_of_the_previous_end(
    histories: dict[int, list[Session]],
) -> None:
    changed = 0
    for history in histories.values():
        for before, after in pairwise(history):
            assert get_states(before)[-1][1:] == get_states(after)[0][1:]
            changed += get_states(before)[0].level != get_states(before)[-1].level
    assert changed > 0


def test_level_changes_on_the_page_after_the_upgrade(histories: dict[int, list[Session]]) -> None:
    after = {
        (state.level, next_state.page, next_state.level)
        for _, state, _, next_state in list_steps(histories)
        if state.page == "Submit Upgrade" and next_state.page == "Home"
    }
    assert after == {("free", "Home", "paid")}


def test_a_confirmed_cancellation_is_the_last_event(histories: dict[int, list[Session]]) -> None:
    for history in histories.values():
        pages = [state for session in history for state in get_states(session)]
        ends = [last_event for last_event, state in enumerate(pages) if state.auth == "Cancelled"]
        assert ends in ([], [len(pages) - 1])


def test_a_confirmed_cancellation_follows_cancel_in_the_same_session(
    histories: dict[int, list[Session]],
) -> None:
    confirmed = [
        (state.page, state.auth, next_state.auth, state.level == next_state.level)
        for _, state, _, next_state in list_steps(histories)
        if next_state.page == "Cancellation Confirmation"
    ]
    assert set(confirmed) == {("Cancel", "Logged In", "Cancelled", True)}


def test_a_session_that_began_before_the_log_starts_above_item_0(
    histories: dict[int, list[Session]],
) -> None:
    for number, history in histories.items():
        assert all(session.first_item == 0 for session in history[1:]), number
    running = [
        history[0] for history in histories.values() if history and history[0].first_item > 0
    ]
    assert running
    assert all(session.seconds[0] - OCTOBER_1 < 1_800 for session in running)


def test_a_shorter_log_has_the_same_events_up_to_its_end(parameters: dict[str, Any]) -> None:
    # The shorter log ends at the midnight before Thanksgiving.
    longer, shorter = (Process(simulation(parameters, days=days)) for days in (61, 52))
    end = OCTOBER_1 + 52 * DAY_SECONDS
    continued = 0
    for number in range(20):
        whole = [session.seconds for session in simulate(longer, number)]
        cut = [[second for second in seconds if second < end] for seconds in whole]
        assert [session.seconds for session in simulate(shorter, number)] == [s for s in cut if s]
        continued += cut != whole
    assert continued > 5


def test_an_event_at_the_end_second_is_not_in_the_log(
    busy: SimulationParameters,
    histories: dict[int, list[Session]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = histories[0][0].seconds[10]
    monkeypatch.setattr(SimulationParameters, "end_second", property(lambda _: end))
    (cut,) = simulate(Process(busy), 0)
    assert cut.seconds == [second for second in histories[0][0].seconds if second < end]


def test_traits_follow_the_published_shares(parameters: dict[str, Any]) -> None:
    process = Process(simulation(parameters, users=8_000, session_gap_days=7))
    users = [process.draw_traits(number) for number in range(8_000)]
    cohorts = Counter(user.cohort for user in users)
    assert cohorts["accordion"] / 8_000 == pytest.approx(6 / 9, abs=0.02)
    for cohort in ("tuba", "zither", "xylophone"):
        assert cohorts[cohort] / 8_000 == pytest.approx(1 / 9, abs=0.015)
    logged_in = sum(user.auth == "Logged In" for user in users)
    paid = sum(user.level == "paid" for user in users)
    assert logged_in / 8_000 == pytest.approx(10 / 11, abs=0.015)
    assert paid / 8_000 == pytest.approx(2 / 12, abs=0.015)
    assert {user.auth for user in users} == {"Logged In", "Logged Out"}


def test_mean_pauses_follow_the_parameters_and_differ_between_users(
    parameters: dict[str, Any],
) -> None:
    process = Process(simulation(parameters, users=20_000, session_gap_days=7))
    users = [process.draw_traits(number) for number in range(20_000)]
    page_gaps = sorted(user.page_gap_seconds for user in users)
    session_gaps = sorted(user.session_gap_seconds for user in users)
    assert sum(page_gaps) / 20_000 == pytest.approx(90, rel=0.04)
    assert sum(session_gaps) / 20_000 == pytest.approx(7 * DAY_SECONDS, rel=0.04)
    # The median of exp(N(0, 1)) / sqrt(e) is exp(-1/2).
    assert page_gaps[10_000] == pytest.approx(90 * 0.6065, rel=0.03)


def test_initial_users_registered_before_the_log_by_the_mean_that_is_set(
    parameters: dict[str, Any],
) -> None:
    process = Process(simulation(parameters, users=4_000))
    users = [process.draw_traits(number) for number in range(4_000)]
    member_days = [(OCTOBER_1 - user.registration_second) / DAY_SECONDS for user in users]
    assert min(member_days) >= 0
    assert sum(member_days) / 4_000 == pytest.approx(36.525, rel=0.05)
    assert {user.arrival_second for user in users} == {OCTOBER_1}


def test_newcomers_are_free_guests_who_arrive_during_the_log(busy: SimulationParameters) -> None:
    process = Process(busy)
    newcomers = [process.draw_traits(number) for number in range(40, 140)]
    assert {(user.auth, user.level) for user in newcomers} == {("Guest", "free")}
    arrivals = [user.arrival_second for user in newcomers]
    assert OCTOBER_1 <= min(arrivals) < max(arrivals) < OCTOBER_1 + 14 * DAY_SECONDS
    assert arrivals == [user.registration_second for user in newcomers]
    assert process.draw_traits(39).auth != "Guest"


def test_some_newcomers_register(histories: dict[int, list[Session]]) -> None:
    newcomers = [histories[number] for number in range(40, 60)]
    auths = {
        state.auth for history in newcomers for session in history for state in get_states(session)
    }
    assert {"Guest", "Logged In"} <= auths


def find_current_event(process: Process, history: list[Session], now: int) -> LastEvent | None:
    """Return the last event before `now`, or None before the first or after a cancellation."""
    before = [session for session in history if session.seconds[0] < now]
    last_event = process.find_last_event(before[-1], now) if before else None
    return (
        None
        if last_event is None or list_states()[last_event.state].auth == "Cancelled"
        else last_event
    )


def create_random(seed: int) -> Random:
    return Random(seed)  # noqa: S311


def find_state_number(page: str, auth: str = "Logged In", level: str = "free") -> int:
    return list_states().index(State(page, auth, level))


def test_the_last_event_has_the_end_of_the_current_song(
    busy: SimulationParameters,
) -> None:
    first, second = (int(SongCatalogue(busy).length_seconds[song]) for song in (3, 4))
    song, thumbs_up = find_state_number("NextSong"), find_state_number("Thumbs Up")
    session = Session(0, [100, 110, 500, 510], [song, thumbs_up, song, song], [3, NO_SONG, 4, 3])
    process = Process(busy)
    assert process.find_last_event(session, 101) == (100, song, 100 + first)
    assert process.find_last_event(session, 500) == (110, thumbs_up, 100 + first)
    assert process.find_last_event(session, 501) == (500, song, 500 + second)
    assert process.find_last_event(session, 9_000) == (510, song, 510 + first)


def test_silence_probabilities_for_each_next_state(busy: SimulationParameters) -> None:
    process, start = Process(busy), OCTOBER_1
    user = Traits("tuba", 100.0, 20_000.0, "Logged In", "free", start, start)
    cancel = LastEvent(start, find_state_number("Cancel"), start)
    # Confirmation or an error come after an exponential pause; no session ends on Cancel.
    assert process.compute_silence_probabilities(user, cancel, start + 1) == pytest.approx(
        [0.98906, 0.00099, 0], abs=1e-5
    )
    assert process.compute_silence_probabilities(user, cancel, start + 100) == pytest.approx(
        [0.36751, 0.00037, 0], abs=1e-5
    )
    # Thumbs Up follows the song after a second, the next song at its end.
    song = LastEvent(start, find_state_number("NextSong"), start + 200)
    followers = build_chain("tuba").followers[song.state]
    list_steps = dict(
        zip(followers, pairwise([0.0, *build_chain("tuba").cumulative[song.state]]), strict=True)
    )
    for now, silent in {start + 1: "both", start + 200: "song", start + 201: "neither"}.items():
        *continued, ended = process.compute_silence_probabilities(user, song, now)
        chances = dict(zip(followers, continued, strict=True))
        for page, on in {"NextSong": silent != "neither", "Thumbs Up": silent == "both"}.items():
            before, share = list_steps[find_state_number(page)]
            assert chances[find_state_number(page)] == pytest.approx((share - before) * on)
        assert ended == pytest.approx(1 - build_chain("tuba").cumulative[song.state][-1])
    *_, ended_long_ago = process.compute_silence_probabilities(user, song, start + 1_800 + 20_000)
    assert ended_long_ago == pytest.approx(ended / math.e)


def test_future_events_are_at_or_after_now(
    busy: SimulationParameters, histories: dict[int, list[Session]]
) -> None:
    process, now, random = Process(busy), OCTOBER_1 + 5 * DAY_SECONDS, create_random(1)
    events = 0
    for number, history in histories.items():
        last_event = find_current_event(process, history, now)
        if last_event is None:
            continue
        for _ in range(5):
            future = list(
                process.simulate_future(random, process.draw_traits(number), last_event, now)
            )
            seconds = [second for session in future for second in session.seconds]
            assert seconds == sorted(seconds)
            assert all(now <= second < busy.end_second for second in seconds)
            events += len(seconds)
    assert events > 10_000


def test_simulated_futures_cancel_as_often_as_the_users(parameters: dict[str, Any]) -> None:
    process, now, random = (
        Process(simulation(parameters, users=300)),
        OCTOBER_1 + 2 * DAY_SECONDS,
        create_random(1),
    )
    cancelled, events, users = Counter[str](), Counter[str](), 0
    for number in range(300):
        user, history = process.draw_traits(number), simulate(process, number)
        last_event = find_current_event(process, history, now)
        if last_event is None:
            continue
        users += 1
        futures = [list(process.simulate_future(random, user, last_event, now)) for _ in range(4)]
        for kind, sessions in [
            ("life", history),
            *(("future", future) for future in futures),
        ]:
            events[kind] += sum(second >= now for session in sessions for second in session.seconds)
            cancelled[kind] += bool(sessions) and get_states(sessions[-1])[-1].auth == "Cancelled"
    assert users > 200
    assert cancelled["life"] > 40
    assert cancelled["future"] / 4 == pytest.approx(cancelled["life"], rel=0.12)
    assert events["future"] / 4 == pytest.approx(events["life"], rel=0.05)


def test_a_continued_session_begins_with_its_next_event(busy: SimulationParameters) -> None:
    process, random, start = Process(busy), create_random(1), OCTOBER_1 + DAY_SECONDS
    user = Traits("accordion", 100.0, 200_000.0, "Logged In", "free", start, start)
    song, now = find_state_number("NextSong"), start + 60
    last_event = LastEvent(start, song, start + 200)
    firsts = Counter[int]()
    for _ in range(3_000):
        session = next(process.simulate_future(random, user, last_event, now), None)
        if session and session.seconds[0] < start + 1_800:
            firsts[session.states[0]] += 1
            assert session.states[0] in build_chain("accordion").followers[song]
            assert session.states[0] != song or session.seconds[0] == start + 200
    probabilities = process.compute_silence_probabilities(user, last_event, now)
    continued = sum(probabilities[:-1]) / sum(probabilities)
    assert firsts.total() / 3_000 == pytest.approx(continued, abs=0.015)
    next_song = probabilities[build_chain("accordion").followers[song].index(song)] / sum(
        probabilities
    )
    assert firsts[song] / 3_000 == pytest.approx(next_song, abs=0.015)


def test_a_cancelled_user_has_no_future_events(busy: SimulationParameters) -> None:
    process, start = Process(busy), OCTOBER_1
    user = Traits("tuba", 100.0, 20_000.0, "Logged In", "free", start, start)
    over = LastEvent(start, find_state_number("Cancellation Confirmation", "Cancelled"), start)
    assert list(process.simulate_future(create_random(1), user, over, start + 60)) == []


def test_an_impossible_silence_is_an_error(busy: SimulationParameters) -> None:
    process, start = Process(busy), OCTOBER_1
    user = Traits("tuba", 100.0, 20_000.0, "Logged In", "free", start, start)
    cancel, now = LastEvent(start, find_state_number("Cancel"), start), start + 10 * DAY_SECONDS
    assert process.compute_silence_probabilities(user, cancel, now) == [0, 0, 0]
    with pytest.raises(
        ValueError, match=r"Traits\(cohort='tuba'.* cannot have no event from LastEvent"
    ):
        list(process.simulate_future(create_random(1), user, cancel, now))


def test_tubas_cancel_more_often_than_xylophones(parameters: dict[str, Any]) -> None:
    def cancelled(cohort: str) -> int:
        process = Process(simulation(parameters, cohorts={cohort: 1}, days=28))
        history = {number: simulate(process, number) for number in range(40)}
        return sum(
            get_states(session)[-1].auth == "Cancelled" for session in list_sessions(history)
        )

    assert cancelled("tuba") > 2 * cancelled("xylophone")


def test_the_mini_log_is_close_to_the_published_one(parameters: dict[str, Any]) -> None:
    mini = SimulationParameters.model_validate(parameters["simulation"])
    process = Process(mini)
    history = [simulate(process, number) for number in range(mini.users + 4)]  # and four newcomers
    pages = Counter(
        list_states()[number].page for user in history for s in user for number in s.states
    )
    assert pages.total() == pytest.approx(286_500, rel=0.02)
    assert pages["NextSong"] == pytest.approx(228_108, rel=0.02)
    assert pages["Cancellation Confirmation"] == pytest.approx(52, abs=1)


def test_the_span_is_in_utc(busy: SimulationParameters) -> None:
    assert busy.start_second == OCTOBER_1
    assert busy.end_second == OCTOBER_1 + 14 * DAY_SECONDS


def has_cancelled(history: list[Session]) -> bool:
    return bool(history) and get_states(history[-1])[-1].auth == "Cancelled"


def test_further_days_do_not_change_earlier_events(
    busy: SimulationParameters, histories: dict[int, list[Session]]
) -> None:
    longer = Process(busy.model_copy(update={"further_days": 5}))
    for number, history in histories.items():
        continued = simulate(longer, number)
        events = [pair for s in history for pair in zip(s.seconds, s.states, strict=True)]
        more = [pair for s in continued for pair in zip(s.seconds, s.states, strict=True)]
        assert more[: len(events)] == events
        assert all(second >= busy.end_second for second, _ in more[len(events) :])


def test_a_successful_contact_prevents_cancellations_within_contact_days(
    busy: SimulationParameters, histories: dict[int, list[Session]]
) -> None:
    always = Process(busy.model_copy(update={"contact_success": 1.0, "contact_days": 14}))
    cancelled = [number for number, history in histories.items() if has_cancelled(history)]
    assert len(cancelled) > 5
    for number in cancelled:
        traits = always.draw_traits(number)
        contacted = list(always.simulate_user(number, traits, [OCTOBER_1]))
        ends = [s.seconds[-1] for s in contacted if get_states(s)[-1].auth == "Cancelled"]
        assert ends == []
        # The same events up to the session that would have ended with the cancellation.
        until = len(histories[number]) - 1
        assert contacted[:until] == histories[number][:until]
        last, kept = histories[number][until], contacted[until]
        assert (kept.seconds, kept.states) == (last.seconds[:-1], last.states[:-1])


def test_a_contact_has_no_effect_outside_contact_days(
    busy: SimulationParameters, histories: dict[int, list[Session]]
) -> None:
    always = Process(busy.model_copy(update={"contact_success": 1.0, "contact_days": 1}))
    for number, history in histories.items():
        if has_cancelled(history):
            traits, end = always.draw_traits(number), history[-1].seconds[-1]
            before = [end - 3 * DAY_SECONDS, end + 1]
            assert list(always.simulate_user(number, traits, before)) == history


def test_a_contact_succeeds_with_its_probability(busy: SimulationParameters) -> None:
    stays = []
    for seed in range(40):
        changes = {"seed": seed, "contact_success": 0.3, "contact_days": 14}
        process = Process(busy.model_copy(update=changes))
        for number in range(10):
            if has_cancelled(simulate(process, number)):
                traits = process.draw_traits(number)
                contacted = list(process.simulate_user(number, traits, [OCTOBER_1]))
                stays.append(not has_cancelled(contacted))
    assert len(stays) > 50
    assert abs(sum(stays) / len(stays) - 0.3) < 3 * (0.3 * 0.7 / len(stays)) ** 0.5
