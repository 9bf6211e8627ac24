"""The Markov chain that simulated sessions walk, as published by eventsim."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import NamedTuple

import pandas as pd


class State(NamedTuple):
    """Where a session stands: the page shown, who is looking and on which plan."""

    page: str
    auth: str
    level: str


@dataclass(frozen=True)
class Chain:
    """One cohort's chain: for every state, the states after it and their cumulative shares.

    States are numbered by their place in `states()`. A uniform draw beyond the last
    cumulative share ends the session.
    """

    followers: list[list[int]]
    cumulative: list[list[float]]
    first: dict[tuple[str, str], tuple[list[int], list[float]]]


def _table(name: str) -> pd.DataFrame:
    with files(__package__).joinpath(f"{name}.csv").open() as file:
        return pd.read_csv(file)


@cache
def pages() -> pd.DataFrame:
    """Return one row per page: its HTTP `method` and `status`."""
    return _table("pages").set_index("page")


@cache
def states() -> list[State]:
    """List every state the chain can be in, in a fixed order."""
    transitions, starts = _table("transitions"), _table("session_starts")
    seen = [
        transitions[["from_page", "from_auth", "from_level"]],
        transitions[["to_page", "to_auth", "to_level"]],
        starts[["first_page", "auth", "level"]],
    ]
    return sorted({State(*row) for frame in seen for row in frame.itertuples(index=False)})


@cache
def chain(cohort: str) -> Chain:
    """Build the chain of one cohort.

    Args:
        cohort: accordion, tuba, zither or xylophone: a column of transitions.csv.

    Raises:
        ValueError: if the cohort is not one of the table's columns.
    """
    transitions, starts = _table("transitions"), _table("session_starts")
    if cohort not in transitions:
        known = ", ".join(transitions.columns[6:])
        raise ValueError(f"simulation.cohorts names '{cohort}'; known cohorts are {known}.")
    number = {state: index for index, state in enumerate(states())}
    followers: list[list[int]] = [[] for _ in number]
    shares: list[list[float]] = [[] for _ in number]
    for row in transitions.itertuples(index=False):
        source = number[State(row.from_page, row.from_auth, row.from_level)]
        followers[source].append(number[State(row.to_page, row.to_auth, row.to_level)])
        shares[source].append(getattr(row, cohort))
    first = {
        key: (
            [number[State(row.first_page, row.auth, row.level)] for row in group.itertuples()],
            list(accumulate(group[cohort] / group[cohort].sum())),
        )
        for key, group in starts.groupby(["auth", "level"])
    }
    return Chain(followers, [list(accumulate(share)) for share in shares], first)
