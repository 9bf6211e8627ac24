"""The Markov chain of simulated sessions, as published by eventsim, and word lists."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import NamedTuple

import yaml

SONG, ADVERT = "NextSong", "Roll Advert"


class State(NamedTuple):
    """A state of a session: its page, whether the user is logged in, and the plan."""

    page: str
    auth: str
    level: str


@dataclass(frozen=True)
class Chain:
    """A cohort's chain: for every state, the next states and their cumulative shares.

    A state's number is its index in `list_states()`. The session ends if a uniform number exceeds
    the last cumulative share.
    """

    followers: list[list[int]]
    cumulative: list[list[float]]
    first: dict[tuple[str, str], tuple[list[int], list[float]]]


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file of this package."""
    with files(__package__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def read_words() -> dict[str, list[str]]:
    """Return the word lists of invented names."""
    text = files(__package__).joinpath("words.yml").read_text(encoding="utf-8")
    return {name: words.split() for name, words in yaml.safe_load(text).items()}


def list_cohorts() -> list[str]:
    """Return the cohorts of the tables."""
    return list(read_table("transitions")[0])[6:]


@cache
def list_requests() -> dict[str, tuple[str, int]]:
    """Return the HTTP method and status of every page."""
    return {row["page"]: (row["method"], int(row["status"])) for row in read_table("pages")}


@cache
def list_states() -> list[State]:
    """Return every state of the chain, sorted."""
    transitions, starts = read_table("transitions"), read_table("session_starts")
    states = [State(row["from_page"], row["from_auth"], row["from_level"]) for row in transitions]
    states += [State(row["to_page"], row["to_auth"], row["to_level"]) for row in transitions]
    states += [State(row["first_page"], row["auth"], row["level"]) for row in starts]
    return sorted(set(states))


@cache
def build_chain(cohort: str, adverts: float = 1.0) -> Chain:
    """Build the chain of one of `list_cohorts()`.

    `adverts` multiplies the share of adverts after a song, at the expense of the next song.
    """
    transitions, starts = read_table("transitions"), read_table("session_starts")
    number = {state: index for index, state in enumerate(list_states())}
    followers: list[list[int]] = [[] for _ in number]
    shares: list[list[float]] = [[] for _ in number]
    for row in transitions:
        source = number[State(row["from_page"], row["from_auth"], row["from_level"])]
        followers[source].append(number[State(row["to_page"], row["to_auth"], row["to_level"])])
        shares[source].append(float(row[cohort]))
    for song in (state for state in number if state.page == SONG):
        after, share = followers[number[song]], shares[number[song]]
        if (advert := number.get(song._replace(page=ADVERT))) in after:
            more = (adverts - 1) * share[after.index(advert)]
            share[after.index(advert)] += more
            share[after.index(number[song])] -= more
    first: dict[tuple[str, str], tuple[list[int], list[float]]] = {}
    for row in starts:
        key = (row["auth"], row["level"])
        pages, weights = first.setdefault(key, ([], []))
        pages.append(number[State(row["first_page"], *key)])
        weights.append(float(row[cohort]))
    return Chain(
        followers,
        [list(accumulate(share)) for share in shares],
        {
            key: (pages, list(accumulate(weight / sum(weights) for weight in weights)))
            for key, (pages, weights) in first.items()
        },
    )
