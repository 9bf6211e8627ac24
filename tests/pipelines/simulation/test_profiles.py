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


def test_a_profile_is_put_together_from_the_lists(profiles: list[Profile]) -> None:
    for drawn in profiles:
        assert drawn.gender in {"F", "M"}
        assert drawn.first_name in FIRST_NAMES[drawn.gender]
        assert drawn.last_name in LAST_NAMES
        assert drawn.location in LOCATIONS
        assert drawn.user_agent in USER_AGENTS


def test_no_name_stands_twice_in_its_list() -> None:
    for names in (FIRST_NAMES["F"], FIRST_NAMES["M"], LAST_NAMES, USER_AGENTS):
        assert Counter(names).most_common(1)[0][1] == 1


def test_both_genders_are_as_frequent(profiles: list[Profile]) -> None:
    women = sum(drawn.gender == "F" for drawn in profiles)
    assert women / len(profiles) == pytest.approx(0.5, abs=0.03)


def test_big_cities_have_more_users(profiles: list[Profile]) -> None:
    lived_in = Counter(drawn.location for drawn in profiles)
    assert lived_in.most_common(1)[0][0] == "New York-Newark-Jersey City, NY-NJ-PA"
    assert lived_in["New York-Newark-Jersey City, NY-NJ-PA"] > 10 * lived_in["Fresno, CA"]


def test_a_location_ends_in_its_states() -> None:
    for location in LOCATIONS:
        area, _, state = location.rpartition(", ")
        assert area
        assert all(len(code) == 2 and code.isupper() for code in state.split("-"))


def test_a_user_agent_with_a_comma_carries_quotes_and_another_does_not() -> None:
    for user_agent in USER_AGENTS:
        quoted = user_agent.startswith('"') and user_agent.endswith('"')
        assert quoted == ("," in user_agent)


def test_user_agents_are_as_genuine_ones_are_written() -> None:
    assert (
        '"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_4) AppleWebKit/537.36 (KHTML, like Gecko) '
        'Chrome/36.0.1985.143 Safari/537.36"'
    ) in USER_AGENTS
