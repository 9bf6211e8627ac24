from collections import Counter
from random import Random

import pytest

from sparkify.pipelines.simulation.profiles import (
    FIRST_NAMES,
    LAST_NAMES,
    LOCATIONS,
    USER_AGENTS,
    Profile,
    draw_profile,
)


@pytest.fixture(scope="module")
def profiles() -> list[Profile]:
    random = Random(3)  # noqa: S311
    return [draw_profile(random) for _ in range(5_000)]


def test_a_generator_in_the_same_state_draws_the_same_profile() -> None:
    assert draw_profile(Random("24/profile/0")) == draw_profile(Random("24/profile/0"))  # noqa: S311
    assert draw_profile(Random("24/profile/0")) != draw_profile(Random("24/profile/1"))  # noqa: S311


def test_a_profile_has_values_of_the_lists(profiles: list[Profile]) -> None:
    for profile in profiles:
        assert profile.gender in {"F", "M"}
        assert profile.first_name in FIRST_NAMES[profile.gender]
        assert profile.last_name in LAST_NAMES
        assert profile.location in LOCATIONS
        assert profile.user_agent in USER_AGENTS


def test_lists_have_no_duplicates() -> None:
    for names in (FIRST_NAMES["F"], FIRST_NAMES["M"], LAST_NAMES, USER_AGENTS):
        assert Counter(names).most_common(1)[0][1] == 1


def test_genders_are_equally_frequent(profiles: list[Profile]) -> None:
    women = sum(profile.gender == "F" for profile in profiles)
    assert women / len(profiles) == pytest.approx(0.5, abs=0.03)


def test_big_cities_have_more_users(profiles: list[Profile]) -> None:
    locations = Counter(profile.location for profile in profiles)
    assert locations.most_common(1)[0][0] == "New York-Newark-Jersey City, NY-NJ-PA"
    assert locations["New York-Newark-Jersey City, NY-NJ-PA"] > 10 * locations["Fresno, CA"]


def test_a_location_ends_in_its_states() -> None:
    for location in LOCATIONS:
        area, _, state = location.rpartition(", ")
        assert area
        assert all(len(code) == 2 and code.isupper() for code in state.split("-"))


def test_only_user_agents_with_a_comma_are_in_quotes() -> None:
    for user_agent in USER_AGENTS:
        quoted = user_agent.startswith('"') and user_agent.endswith('"')
        assert quoted == ("," in user_agent)


def test_user_agents_look_like_genuine_ones() -> None:
    assert (
        '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_4) AppleWebKit/537.36 (KHTML, like Gecko) '
        'Chrome/36.0.1985.143 Safari/537.36"'
    ) in USER_AGENTS
