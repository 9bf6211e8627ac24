"""The profile fields of a simulated user. They carry no information."""

from random import Random
from typing import NamedTuple

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
LOCATIONS = {
    "New York-Newark-Jersey City, NY-NJ-PA": 19.9,
    "Los Angeles-Long Beach-Anaheim, CA": 13.1,
    "Chicago-Naperville-Elgin, IL-IN-WI": 9.5,
    "Dallas-Fort Worth-Arlington, TX": 6.8,
    "Houston-The Woodlands-Sugar Land, TX": 6.3,
    "Philadelphia-Camden-Wilmington, PA-NJ-DE-MD": 6.0,
    "Washington-Arlington-Alexandria, DC-VA-MD-WV": 6.0,
    "Miami-Fort Lauderdale-West Palm Beach, FL": 5.8,
    "Atlanta-Sandy Springs-Roswell, GA": 5.5,
    "Boston-Cambridge-Newton, MA-NH": 4.7,
    "San Francisco-Oakland-Hayward, CA": 4.5,
    "Phoenix-Mesa-Scottsdale, AZ": 4.4,
    "Riverside-San Bernardino-Ontario, CA": 4.4,
    "Detroit-Warren-Dearborn, MI": 4.3,
    "Seattle-Tacoma-Bellevue, WA": 3.6,
    "Minneapolis-St. Paul-Bloomington, MN-WI": 3.5,
    "San Diego-Carlsbad, CA": 3.2,
    "Tampa-St. Petersburg-Clearwater, FL": 2.9,
    "St. Louis, MO-IL": 2.8,
    "Baltimore-Columbia-Towson, MD": 2.8,
    "Denver-Aurora-Lakewood, CO": 2.7,
    "Pittsburgh, PA": 2.4,
    "Charlotte-Concord-Gastonia, NC-SC": 2.3,
    "Portland-Vancouver-Hillsboro, OR-WA": 2.3,
    "San Antonio-New Braunfels, TX": 2.3,
    "Orlando-Kissimmee-Sanford, FL": 2.3,
    "Sacramento--Roseville--Arden-Arcade, CA": 2.2,
    "Cincinnati, OH-KY-IN": 2.1,
    "Cleveland-Elyria, OH": 2.1,
    "Kansas City, MO-KS": 2.1,
    "Las Vegas-Henderson-Paradise, NV": 2.0,
    "Columbus, OH": 2.0,
    "Indianapolis-Carmel-Anderson, IN": 2.0,
    "San Jose-Sunnyvale-Santa Clara, CA": 1.9,
    "Austin-Round Rock, TX": 1.9,
    "Nashville-Davidson--Murfreesboro--Franklin, TN": 1.8,
    "Virginia Beach-Norfolk-Newport News, VA-NC": 1.7,
    "Providence-Warwick, RI-MA": 1.6,
    "Milwaukee-Waukesha-West Allis, WI": 1.6,
    "Jacksonville, FL": 1.4,
    "Memphis, TN-MS-AR": 1.3,
    "Oklahoma City, OK": 1.3,
    "Louisville/Jefferson County, KY-IN": 1.3,
    "Richmond, VA": 1.2,
    "New Orleans-Metairie, LA": 1.2,
    "Hartford-West Hartford-East Hartford, CT": 1.2,
    "Raleigh, NC": 1.2,
    "Birmingham-Hoover, AL": 1.1,
    "Buffalo-Cheektowaga-Niagara Falls, NY": 1.1,
    "Salt Lake City, UT": 1.1,
    "Rochester, NY": 1.1,
    "Grand Rapids-Wyoming, MI": 1.0,
    "Tucson, AZ": 1.0,
    "Tulsa, OK": 1.0,
    "Fresno, CA": 1.0,
    "Bridgeport-Stamford-Norwalk, CT": 0.9,
    "Albuquerque, NM": 0.9,
    "Bakersfield, CA": 0.9,
    "Knoxville, TN": 0.9,
    "Omaha-Council Bluffs, NE-IA": 0.9,
    "Charleston-North Charleston, SC": 0.7,
    "Colorado Springs, CO": 0.7,
    "Spokane-Spokane Valley, WA": 0.5,
    "Santa Rosa, CA": 0.5,
    "Corpus Christi, TX": 0.4,
    "Anchorage, AK": 0.4,
    "Bozeman, MT": 0.1,
    "Quincy, IL-MO": 0.1,
    "Monroe, LA": 0.2,
    "Logan, UT-ID": 0.1,
}
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


def _user_agents() -> list[str]:
    """List user agents; those with a comma carry literal quotes, as in the published log."""

    def dotted(system: str) -> str:
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
        *(firefox.format(system=dotted(s), version=v) for s in SYSTEMS for v in FIREFOXES),
        *(chrome.format(system=s, version=v) for s in SYSTEMS for v in CHROMES),
        *(safari.format(system=s) for s in PHONES),
    ]


USER_AGENTS = _user_agents()


class Profile(NamedTuple):
    """The profile fields as the log writes them."""

    first_name: str
    last_name: str
    gender: str
    location: str
    user_agent: str


def profile(random: Random) -> Profile:
    """Draw a profile."""
    gender = random.choice("FM")
    return Profile(
        random.choice(FIRST_NAMES[gender]),
        random.choice(LAST_NAMES),
        gender,
        random.choices(list(LOCATIONS), list(LOCATIONS.values()))[0],
        random.choice(USER_AGENTS),
    )
