"""Draw the profile of a simulated user; it predicts nothing."""

from random import Random
from typing import NamedTuple

from sparkify.pipelines.simulation.chain import read_table

FIRST_NAMES = {
    "F": """
    Abigail Addison Alexis Alyssa Amelia Anna Aria Aubrey Audrey Autumn Ava Bella Brooklyn Camila
    Charlotte Chloe Claire Destiny Elizabeth Ella Emily Emma Evelyn Faith Gabriella Genesis Grace
    Hannah Harper Isabella Jasmine Jayden Julia Kayla Kaylee Kennedy Kylie Layla Leah Lillian Lily
    Lucy Madison Makayla Maya Mia Natalie Nevaeh Nora Olivia Penelope Riley Ruby Samantha Sarah
    Savannah Serenity Sofia Sophia Stella Taylor Trinity Victoria Violet Zoe
    """.split(),
    "M": """
    Aaron Adam Adrian Aiden Alexander Andrew Angel Anthony Austin Benjamin Blake Brandon Brayden
    Caleb Cameron Carson Charles Christian Christopher Cody Colin Connor Daniel David Dominic Dylan
    Elijah Eli Ethan Evan Gabriel Gavin Henry Hunter Ian Isaac Isaiah Jack Jackson Jacob James Jason
    Jayden John Jonathan Jordan Joseph Joshua Julian Justin Kevin Landon Levi Liam Logan Lucas Luke
    Mason Matthew Michael Nathan Nicholas Noah Oliver Owen Parker Robert Ryan Samuel Sean Thomas
    Tyler William Wyatt Xavier Zachary
    """.split(),
}
LAST_NAMES = """
Adams Allen Anderson Bailey Baker Barnes Bell Bennett Brooks Brown Bryant Butler Campbell Carter
Clark Coleman Collins Cook Cooper Cox Cruz Davis Diaz Edwards Evans Fisher Flores Ford Foster Garcia
Gibson Gomez Gonzalez Graham Gray Green Griffin Hall Hamilton Harris Harrison Hayes Henderson
Hernandez Hill Howard Hughes Hunt Jackson James Jenkins Johnson Jones Jordan Kelly Kennedy King Lee
Lewis Long Lopez Marshall Martin Martinez Mason Miller Mitchell Moore Morgan Morris Murphy Myers
Nelson Nguyen Ortiz Owens Parker Patterson Perez Perry Peterson Phillips Powell Price Ramirez Reed
Reyes Reynolds Richardson Rivera Roberts Robinson Rodriguez Rogers Ross Russell Sanchez Sanders
Scott Simmons Smith Stewart Sullivan Taylor Thomas Thompson Torres Turner Walker Wallace Ward
Washington Watson Webb West White Williams Wilson Wood Wright Young
""".split()
# United States metropolitan areas with their population in millions, roughly (Census, 2013).
LOCATIONS = {row["location"]: float(row["population_millions"]) for row in read_table("locations")}
# Systems and browsers of 2014, after the user agents in the published log.
SYSTEMS = [
    "Windows NT 6.1; WOW64",
    "Windows NT 6.1; Win64; x64",
    "Windows NT 6.3; WOW64",
    "Windows NT 5.1",
    "Macintosh; Intel Mac OS X 10_9_4",
    "Macintosh; Intel Mac OS X 10_8_5",
    "X11; Linux x86_64",
]
CHROMES = ["36.0.1985.125", "36.0.1985.143", "35.0.1916.153", "37.0.2062.94", "37.0.2062.103"]
FIREFOXES = ["31.0", "30.0", "29.0"]
PHONES = ["iPhone; CPU iPhone OS 7_1_2 like Mac OS X", "iPad; CPU OS 7_1_2 like Mac OS X"]


def _list_user_agents() -> list[str]:
    """Return user agents; those with a comma are in quotes, as in the published log."""

    def with_dots(system: str) -> str:
        return system.replace("_", ".", 2) if "Mac" in system else system

    firefox = "Mozilla/5.0 ({system}; rv:{version}) Gecko/20100101 Firefox/{version}"
    chrome = (
        '"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) '
        'Chrome/{version} Safari/537.36"'
    )
    safari = (
        '"Mozilla/5.0 ({system}) AppleWebKit/537.51.2 (KHTML, like Gecko) '
        'Version/7.0 Mobile/11D257 Safari/9537.53"'
    )
    return [
        *(firefox.format(system=with_dots(s), version=v) for s in SYSTEMS for v in FIREFOXES),
        *(chrome.format(system=s, version=v) for s in SYSTEMS for v in CHROMES),
        *(safari.format(system=s) for s in PHONES),
    ]


USER_AGENTS = _list_user_agents()


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
