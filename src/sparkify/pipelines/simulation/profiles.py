"""Draw the profile of a simulated user; it predicts nothing."""

from random import Random
from typing import NamedTuple

from sparkify.pipelines.simulation.chain import read_table, read_words

FIRST_NAMES = {"F": read_words()["female_names"], "M": read_words()["male_names"]}
LAST_NAMES = read_words()["last_names"]
# United States metropolitan areas with their population in millions, roughly (Census, 2013).
LOCATIONS = {row["location"]: float(row["population_millions"]) for row in read_table("locations")}
# Browsers of 2014, after the published log; those with a comma are in quotes, as there.
USER_AGENTS = [row["user_agent"] for row in read_table("user_agents")]


class Profile(NamedTuple):
    """The profile of a user, as in the log."""

    first_name: str
    last_name: str
    gender: str
    location: str
    user_agent: str


def draw_profile(random: Random) -> Profile:
    """Draw a profile."""
    gender = random.choice("FM")
    return Profile(
        random.choice(FIRST_NAMES[gender]),
        random.choice(LAST_NAMES),
        gender,
        random.choices(list(LOCATIONS), list(LOCATIONS.values()))[0],
        random.choice(USER_AGENTS),
    )
