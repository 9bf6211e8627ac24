import math
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from sparkify.pipelines.simulation.chain import State, build_chain, list_requests, list_states
from sparkify.pipelines.simulation.life import NO_SONG, Place, Process, Session, Traits
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters
from sparkify.pipelines.simulation.songs import SongCatalogue

OCTOBER_1 = 1_538_352_000  # 2018-10-01 00:00 UTC
# Short pauses between sessions: much happens in few days.
BUSY = {"users": 40, "days": 14, "songs": 50, "artists": 5, "session_gap_days": 0.5}


def simulation(parameters: dict[str, Any], **changes: Any) -> SimulationParameters:
    mini = SimulationParameters.model_validate(parameters["simulation"])
    return SimulationParameters(**{**mini.model_dump(), **BUSY, **changes})


def life(process: Process, number: int) -> list[Session]:
    return list(process.simulate_life(number, process.draw_traits(number)))


@pytest.fixture(scope="module")
def busy(parameters: dict[str, Any]) -> SimulationParameters:
    return simulation(parameters)


@pytest.fixture(scope="module")
def lives(busy: SimulationParameters) -> dict[int, list[Session]]:
    """Simulate 40 users who are there at the start and 20 newcomers."""
    process = Process(busy)
    return {number: life(process, number) for number in range(60)}


def sessions(lives: dict[int, list[Session]]) -> Iterator[Session]:
    for lived in lives.values():
        yield from lived


def visited(session: Session) -> list[State]:
    return [list_states()[number] for number in session.states]


def steps(lives: dict[int, list[Session]]) -> Iterator[tuple[int, State, int, State]]:
    """Yield each two events that follow each other: second and state, second and state."""
    for session in sessions(lives):
        for (second, state), (next_second, next_state) in pairwise(
            zip(session.seconds, visited(session), strict=True)
        ):
            yield second, state, next_second, next_state


def test_the_lives_tested_here_hold_what_is_to_be_tested(lives: dict[int, list[Session]]) -> None:
    shown = Counter(state.page for session in sessions(lives) for state in visited(session))
    assert shown.total() > 10_000
    assert shown["Cancellation Confirmation"] >= 10
    assert set(shown) == set(list_requests())


def test_a_life_depends_on_the_seed_and_the_user_s_number_alone(
    parameters: dict[str, Any], busy: SimulationParameters, lives: dict[int, list[Session]]
) -> None:
    alone = Process(simulation(parameters, users=4_000, files=8, growth_per_year=0.9))
    for number in (39, 7, 0):
        assert life(alone, number) == lives[number]
        assert alone.draw_traits(number) == Process(busy).draw_traits(number)


def test_another_seed_is_another_life(
    parameters: dict[str, Any], lives: dict[int, list[Session]]
) -> None:
    other = Process(simulation(parameters, seed=25))
    assert all(life(other, number) != lives[number] for number in range(5))


def test_events_lie_within_the_log_s_span(lives: dict[int, list[Session]]) -> None:
    seconds = [second for session in sessions(lives) for second in session.seconds]
    assert OCTOBER_1 <= min(seconds) < OCTOBER_1 + 3_600
    assert OCTOBER_1 + 14 * DAY_SECONDS - 3_600 < max(seconds) < OCTOBER_1 + 14 * DAY_SECONDS


def test_every_event_has_a_second_a_state_and_a_place_for_a_song(
    lives: dict[int, list[Session]],
) -> None:
    for session in sessions(lives):
        assert len(session.seconds) == len(session.states) == len(session.songs) > 0
        for state, song in zip(visited(session), session.songs, strict=True):
            assert song in range(50) if state.page == "NextSong" else song == NO_SONG


def test_time_never_runs_back_within_a_session_or_between_two(
    lives: dict[int, list[Session]],
) -> None:
    for lived in lives.values():
        seconds = [second for session in lived for second in session.seconds]
        assert seconds == sorted(seconds)


def test_a_redirected_page_comes_one_second_after_the_page_before_it(
    lives: dict[int, list[Session]],
) -> None:
    redirected = {page for page, (_, status) in list_requests().items() if status == 307}
    gaps = Counter(
        after - before for before, _, after, state in steps(lives) if state.page in redirected
    )
    assert list(gaps) == [1]
    assert gaps[1] > 1_000


def test_a_song_waits_for_the_end_of_the_one_that_plays(
    busy: SimulationParameters, lives: dict[int, list[Session]]
) -> None:
    lengths = SongCatalogue(busy).length_seconds
    waited = 0
    for session in sessions(lives):
        end, before = None, None
        events = zip(session.seconds, visited(session), session.songs, strict=True)
        for second, state, song in events:
            if state.page == "NextSong":
                if end is not None and before < end:
                    assert second == end
                    waited += 1
                end = second + int(lengths[song])
            before = second
    assert waited > 5_000


def test_other_pages_do_not_wait_for_the_song(lives: dict[int, list[Session]]) -> None:
    ordinary = {"Home", "Help", "Settings", "Add to Playlist", "Roll Advert"}
    gaps = [
        after - before
        for before, state, after, next_state in steps(lives)
        if state.page == "NextSong" and next_state.page in ordinary
    ]
    assert min(gaps) < 10


def test_an_ordinary_page_comes_after_the_user_s_own_pause(parameters: dict[str, Any]) -> None:
    process = Process(simulation(parameters, days=61))
    start = OCTOBER_1
    user = Traits("xylophone", 200.0, 20_000.0, "Logged In", "paid", start, start)
    lived = {number: list(process.simulate_life(number, user)) for number in range(20)}
    gaps = [
        after - before
        for before, _, after, state in steps(lived)
        if state.page in {"Home", "Help", "Settings", "Add to Playlist", "Roll Advert"}
    ]
    assert len(gaps) > 2_000
    assert sum(gaps) / len(gaps) == pytest.approx(200, rel=0.06)


def test_every_step_is_one_that_the_user_s_cohort_takes(
    busy: SimulationParameters, lives: dict[int, list[Session]]
) -> None:
    process = Process(busy)
    for number, lived in lives.items():
        followers = build_chain(process.draw_traits(number).cohort).followers
        for session in lived:
            assert all(after in followers[before] for before, after in pairwise(session.states))


def test_a_session_starts_on_a_page_that_sessions_start_on(
    busy: SimulationParameters, lives: dict[int, list[Session]]
) -> None:
    for number, lived in lives.items():
        first = build_chain(Process(busy).draw_traits(number).cohort).first
        for session in lived:
            if session.first_item == 0:
                _, auth, level = list_states()[session.states[0]]
                assert session.states[0] in first[(auth, level)][0]


def test_a_session_goes_on_with_the_auth_and_level_that_the_last_one_ended_with(
    lives: dict[int, list[Session]],
) -> None:
    changed = 0
    for lived in lives.values():
        for before, after in pairwise(lived):
            assert visited(before)[-1][1:] == visited(after)[0][1:]
            changed += visited(before)[0].level != visited(before)[-1].level
    assert changed > 0


def test_level_changes_on_the_page_after_the_upgrade(lives: dict[int, list[Session]]) -> None:
    after = {
        (state.level, next_state.page, next_state.level)
        for _, state, _, next_state in steps(lives)
        if state.page == "Submit Upgrade" and next_state.page == "Home"
    }
    assert after == {("free", "Home", "paid")}


def test_nothing_comes_after_a_confirmed_cancellation(lives: dict[int, list[Session]]) -> None:
    for lived in lives.values():
        shown = [state for session in lived for state in visited(session)]
        ends = [place for place, state in enumerate(shown) if state.auth == "Cancelled"]
        assert ends in ([], [len(shown) - 1])


def test_a_confirmed_cancellation_follows_cancel_in_the_same_session(
    lives: dict[int, list[Session]],
) -> None:
    confirmed = [
        (state.page, state.auth, next_state.auth, state.level == next_state.level)
        for _, state, _, next_state in steps(lives)
        if next_state.page == "Cancellation Confirmation"
    ]
    assert set(confirmed) == {("Cancel", "Logged In", "Cancelled", True)}


def test_a_session_that_runs_as_the_log_opens_starts_above_item_0(
    lives: dict[int, list[Session]],
) -> None:
    for number, lived in lives.items():
        assert all(session.first_item == 0 for session in lived[1:]), number
    running = [lived[0] for lived in lives.values() if lived and lived[0].first_item > 0]
    assert running
    assert all(session.seconds[0] - OCTOBER_1 < 1_800 for session in running)


def test_a_life_is_cut_not_changed_where_the_log_ends(parameters: dict[str, Any]) -> None:
    # The shorter log ends at the midnight before Thanksgiving.
    longer, shorter = (Process(simulation(parameters, days=days)) for days in (61, 52))
    end = OCTOBER_1 + 52 * DAY_SECONDS
    goes_on = 0
    for number in range(20):
        whole = [session.seconds for session in life(longer, number)]
        cut = [[second for second in seconds if second < end] for seconds in whole]
        assert [session.seconds for session in life(shorter, number)] == [s for s in cut if s]
        goes_on += cut != whole
    assert goes_on > 5


def test_an_event_in_the_second_at_which_the_log_ends_is_not_written(
    busy: SimulationParameters,
    lives: dict[int, list[Session]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = lives[0][0].seconds[10]
    monkeypatch.setattr(SimulationParameters, "end_second", property(lambda _: end))
    (cut,) = life(Process(busy), 0)
    assert cut.seconds == [second for second in lives[0][0].seconds if second < end]


def test_traits_follow_the_published_shares(parameters: dict[str, Any]) -> None:
    process = Process(simulation(parameters, users=8_000, session_gap_days=7))
    drawn = [process.draw_traits(number) for number in range(8_000)]
    cohorts = Counter(user.cohort for user in drawn)
    assert cohorts["accordion"] / 8_000 == pytest.approx(6 / 9, abs=0.02)
    for cohort in ("tuba", "zither", "xylophone"):
        assert cohorts[cohort] / 8_000 == pytest.approx(1 / 9, abs=0.015)
    logged_in = sum(user.auth == "Logged In" for user in drawn)
    paid = sum(user.level == "paid" for user in drawn)
    assert logged_in / 8_000 == pytest.approx(10 / 11, abs=0.015)
    assert paid / 8_000 == pytest.approx(2 / 12, abs=0.015)
    assert {user.auth for user in drawn} == {"Logged In", "Logged Out"}


def test_paces_have_the_mean_that_is_set_and_differ_between_users(
    parameters: dict[str, Any],
) -> None:
    process = Process(simulation(parameters, users=20_000, session_gap_days=7))
    drawn = [process.draw_traits(number) for number in range(20_000)]
    page_gaps = sorted(user.page_gap_seconds for user in drawn)
    session_gaps = sorted(user.session_gap_seconds for user in drawn)
    assert sum(page_gaps) / 20_000 == pytest.approx(90, rel=0.04)
    assert sum(session_gaps) / 20_000 == pytest.approx(7 * DAY_SECONDS, rel=0.04)
    # The median of exp(N(0, 1)) / sqrt(e) is exp(-1/2).
    assert page_gaps[10_000] == pytest.approx(90 * 0.6065, rel=0.03)


def test_members_registered_before_the_log_and_as_long_ago_as_is_set(
    parameters: dict[str, Any],
) -> None:
    process = Process(simulation(parameters, users=4_000))
    drawn = [process.draw_traits(number) for number in range(4_000)]
    member_days = [(OCTOBER_1 - user.registration_second) / DAY_SECONDS for user in drawn]
    assert min(member_days) >= 0
    assert sum(member_days) / 4_000 == pytest.approx(36.525, rel=0.05)
    assert {user.arrival_second for user in drawn} == {OCTOBER_1}


def test_newcomers_are_free_guests_who_arrive_during_the_log(busy: SimulationParameters) -> None:
    process = Process(busy)
    newcomers = [process.draw_traits(number) for number in range(40, 140)]
    assert {(user.auth, user.level) for user in newcomers} == {("Guest", "free")}
    arrivals = [user.arrival_second for user in newcomers]
    assert OCTOBER_1 <= min(arrivals) < max(arrivals) < OCTOBER_1 + 14 * DAY_SECONDS
    assert arrivals == [user.registration_second for user in newcomers]
    assert process.draw_traits(39).auth != "Guest"


def test_some_newcomers_register(lives: dict[int, list[Session]]) -> None:
    newcomers = [lives[number] for number in range(40, 60)]
    auths = {state.auth for lived in newcomers for session in lived for state in visited(session)}
    assert {"Guest", "Logged In"} <= auths


def standing(process: Process, lived: list[Session], now: int) -> Place | None:
    """Return where a life stands, if it has begun and is not over."""
    before = [session for session in lived if session.seconds[0] < now]
    place = process.find_place(before[-1], now) if before else None
    return None if place is None or list_states()[place.state].auth == "Cancelled" else place


def drawn_by(seed: int) -> Random:
    return Random(seed)  # noqa: S311


def number_of(page: str, auth: str = "Logged In", level: str = "free") -> int:
    return list_states().index(State(page, auth, level))


def test_a_place_is_the_last_event_before_now_and_the_end_of_its_song(
    busy: SimulationParameters,
) -> None:
    first, second = (int(SongCatalogue(busy).length_seconds[song]) for song in (3, 4))
    song, thumbs_up = number_of("NextSong"), number_of("Thumbs Up")
    session = Session(0, [100, 110, 500, 510], [song, thumbs_up, song, song], [3, NO_SONG, 4, 3])
    process = Process(busy)
    assert process.find_place(session, 101) == (100, song, 100 + first)
    assert process.find_place(session, 500) == (110, thumbs_up, 100 + first)
    assert process.find_place(session, 501) == (500, song, 500 + second)
    assert process.find_place(session, 9_000) == (510, song, 510 + first)


def test_silence_is_likely_way_by_way(busy: SimulationParameters) -> None:
    process, start = Process(busy), OCTOBER_1
    user = Traits("tuba", 100.0, 20_000.0, "Logged In", "free", start, start)
    cancel = Place(start, number_of("Cancel"), start)
    # Confirmation or an error come after an exponential pause; no session ends on Cancel.
    assert process.compute_silence_chances(user, cancel, start + 1) == pytest.approx(
        [0.98906, 0.00099, 0], abs=1e-5
    )
    assert process.compute_silence_chances(user, cancel, start + 100) == pytest.approx(
        [0.36751, 0.00037, 0], abs=1e-5
    )
    # A thumb comes a second after the song, the next song at its end.
    song = Place(start, number_of("NextSong"), start + 200)
    followers = build_chain("tuba").followers[song.state]
    steps = dict(
        zip(followers, pairwise([0.0, *build_chain("tuba").cumulative[song.state]]), strict=True)
    )
    for now, ways in {start + 1: "both", start + 200: "song", start + 201: "neither"}.items():
        *goes_on, ended = process.compute_silence_chances(user, song, now)
        chances = dict(zip(followers, goes_on, strict=True))
        for page, on in {"NextSong": ways != "neither", "Thumbs Up": ways == "both"}.items():
            before, share = steps[number_of(page)]
            assert chances[number_of(page)] == pytest.approx((share - before) * on)
        assert ended == pytest.approx(1 - build_chain("tuba").cumulative[song.state][-1])
    *_, ended_long_ago = process.compute_silence_chances(user, song, start + 1_800 + 20_000)
    assert ended_long_ago == pytest.approx(ended / math.e)


def test_a_future_begins_at_or_after_now(
    busy: SimulationParameters, lives: dict[int, list[Session]]
) -> None:
    process, now, random = Process(busy), OCTOBER_1 + 5 * DAY_SECONDS, drawn_by(1)
    events = 0
    for number, lived in lives.items():
        place = standing(process, lived, now)
        if place is None:
            continue
        for _ in range(5):
            future = list(process.simulate_future(random, process.draw_traits(number), place, now))
            seconds = [second for session in future for second in session.seconds]
            assert seconds == sorted(seconds)
            assert all(now <= second < busy.end_second for second in seconds)
            events += len(seconds)
    assert events > 10_000


def test_futures_of_an_early_place_cancel_as_often_as_lives_do(parameters: dict[str, Any]) -> None:
    process, now, random = (
        Process(simulation(parameters, users=300)),
        OCTOBER_1 + 2 * DAY_SECONDS,
        drawn_by(1),
    )
    cancelled, events, lives = Counter[str](), Counter[str](), 0
    for number in range(300):
        user, lived = process.draw_traits(number), life(process, number)
        place = standing(process, lived, now)
        if place is None:
            continue
        lives += 1
        futures = [list(process.simulate_future(random, user, place, now)) for _ in range(4)]
        for kind, seen in [("life", lived), *(("future", future) for future in futures)]:
            events[kind] += sum(second >= now for session in seen for second in session.seconds)
            cancelled[kind] += bool(seen) and visited(seen[-1])[-1].auth == "Cancelled"
    assert lives > 200
    assert cancelled["life"] > 40
    assert cancelled["future"] / 4 == pytest.approx(cancelled["life"], rel=0.12)
    assert events["future"] / 4 == pytest.approx(events["life"], rel=0.05)


def test_a_session_that_runs_goes_on_with_its_next_event(busy: SimulationParameters) -> None:
    process, random, start = Process(busy), drawn_by(1), OCTOBER_1 + DAY_SECONDS
    user = Traits("accordion", 100.0, 200_000.0, "Logged In", "free", start, start)
    song, now = number_of("NextSong"), start + 60
    place = Place(start, song, start + 200)
    firsts = Counter[int]()
    for _ in range(3_000):
        session = next(process.simulate_future(random, user, place, now), None)
        if session and session.seconds[0] < start + 1_800:
            firsts[session.states[0]] += 1
            assert session.states[0] in build_chain("accordion").followers[song]
            assert session.states[0] != song or session.seconds[0] == start + 200
    odds = process.compute_silence_chances(user, place, now)
    goes_on = sum(odds[:-1]) / sum(odds)
    assert firsts.total() / 3_000 == pytest.approx(goes_on, abs=0.015)
    next_song = odds[build_chain("accordion").followers[song].index(song)] / sum(odds)
    assert firsts[song] / 3_000 == pytest.approx(next_song, abs=0.015)


def test_no_future_follows_a_confirmed_cancellation(busy: SimulationParameters) -> None:
    process, start = Process(busy), OCTOBER_1
    user = Traits("tuba", 100.0, 20_000.0, "Logged In", "free", start, start)
    over = Place(start, number_of("Cancellation Confirmation", "Cancelled"), start)
    assert list(process.simulate_future(drawn_by(1), user, over, start + 60)) == []


def test_an_impossible_place_is_an_error(busy: SimulationParameters) -> None:
    process, start = Process(busy), OCTOBER_1
    user = Traits("tuba", 100.0, 20_000.0, "Logged In", "free", start, start)
    cancel, now = Place(start, number_of("Cancel"), start), start + 10 * DAY_SECONDS
    assert process.compute_silence_chances(user, cancel, now) == [0, 0, 0]
    with pytest.raises(
        ValueError, match=r"no life of Traits\(cohort='tuba'.* is silent from Place"
    ):
        list(process.simulate_future(drawn_by(1), user, cancel, now))


def test_tubas_cancel_more_often_than_xylophones(parameters: dict[str, Any]) -> None:
    def cancelled(cohort: str) -> int:
        process = Process(simulation(parameters, cohorts={cohort: 1}, days=28))
        lived = {number: life(process, number) for number in range(40)}
        return sum(visited(session)[-1].auth == "Cancelled" for session in sessions(lived))

    assert cancelled("tuba") > 2 * cancelled("xylophone")


def test_the_mini_log_comes_near_the_published_one(parameters: dict[str, Any]) -> None:
    mini = SimulationParameters.model_validate(parameters["simulation"])
    process = Process(mini)
    lived = [life(process, number) for number in range(mini.users + 4)]  # four newcomers come
    shown = Counter(list_states()[number].page for own in lived for s in own for number in s.states)
    assert shown.total() == pytest.approx(286_500, rel=0.02)
    assert shown["NextSong"] == pytest.approx(228_108, rel=0.02)
    assert shown["Cancellation Confirmation"] == pytest.approx(52, abs=1)


def test_the_span_is_counted_in_utc(busy: SimulationParameters) -> None:
    assert busy.start_second == OCTOBER_1
    assert busy.end_second == OCTOBER_1 + 14 * DAY_SECONDS


def has_cancelled(lived: list[Session]) -> bool:
    return bool(lived) and visited(lived[-1])[-1].auth == "Cancelled"


def test_a_log_that_goes_on_is_the_same_log_until_then(
    busy: SimulationParameters, lives: dict[int, list[Session]]
) -> None:
    longer = Process(busy.model_copy(update={"further_days": 5}))
    for number, lived in lives.items():
        continued = life(longer, number)
        events = [pair for one in lived for pair in zip(one.seconds, one.states, strict=True)]
        more = [pair for one in continued for pair in zip(one.seconds, one.states, strict=True)]
        assert more[: len(events)] == events
        assert all(second >= busy.end_second for second, _ in more[len(events) :])


def test_a_persuaded_customer_does_not_cancel_within_the_days_of_a_contact(
    busy: SimulationParameters, lives: dict[int, list[Session]]
) -> None:
    always = Process(busy.model_copy(update={"contact_success": 1.0, "contact_days": 14}))
    cancelled = [number for number, lived in lives.items() if has_cancelled(lived)]
    assert len(cancelled) > 5
    for number in cancelled:
        traits = always.draw_traits(number)
        contacted = list(always.simulate_life(number, traits, [OCTOBER_1]))
        ends = [s.seconds[-1] for s in contacted if visited(s)[-1].auth == "Cancelled"]
        assert ends == []
        # The same life until the session that would have ended with the cancellation.
        until = len(lives[number]) - 1
        assert contacted[:until] == lives[number][:until]
        last, kept = lives[number][until], contacted[until]
        assert (kept.seconds, kept.states) == (last.seconds[:-1], last.states[:-1])


def test_a_contact_works_for_its_days_alone(
    busy: SimulationParameters, lives: dict[int, list[Session]]
) -> None:
    always = Process(busy.model_copy(update={"contact_success": 1.0, "contact_days": 1}))
    for number, lived in lives.items():
        if has_cancelled(lived):
            traits, end = always.draw_traits(number), lived[-1].seconds[-1]
            before = [end - 3 * DAY_SECONDS, end + 1]
            assert list(always.simulate_life(number, traits, before)) == lived


def test_a_contact_succeeds_with_its_probability(busy: SimulationParameters) -> None:
    stays = []
    for seed in range(40):
        changes = {"seed": seed, "contact_success": 0.3, "contact_days": 14}
        process = Process(busy.model_copy(update=changes))
        for number in range(10):
            if has_cancelled(life(process, number)):
                traits = process.draw_traits(number)
                contacted = list(process.simulate_life(number, traits, [OCTOBER_1]))
                stays.append(not has_cancelled(contacted))
    assert len(stays) > 50
    assert abs(sum(stays) / len(stays) - 0.3) < 3 * (0.3 * 0.7 / len(stays)) ** 0.5
