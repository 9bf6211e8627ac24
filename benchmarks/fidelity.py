"""How near a simulated log comes to the published one.

`python -m benchmarks.fidelity LOG FIGURES` compares a log with the published counts and quantiles
(`published_log_figures.yaml`) and prints figure, published, simulated, ratio, and whether the
figure is within its goal. `--against mini` takes the published mini log's figures instead.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

from benchmarks.peers.settings import part_files

QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
PER_USER = {
    "events": "count(*)",
    "sessions": "count(DISTINCT sessionId)",
    "next_song": "count(*) FILTER (page = 'NextSong')",
    "thumbs_up": "count(*) FILTER (page = 'Thumbs Up')",
    "thumbs_down": "count(*) FILTER (page = 'Thumbs Down')",
    "roll_advert": "count(*) FILTER (page = 'Roll Advert')",
    "first_to_last_event_days": "(max(ts) - min(ts)) / 86400000.0",
}
# Goals: a ratio's distance from 1, or a difference.
PAGE_RATE, QUANTILE, BYTES, CATALOGUE = 0.03, 0.08, 0.05, 0.05
SHARE, CHURN_DAY = 0.01, 0.005


@dataclass(frozen=True)
class Comparison:
    """A figure, as published and as simulated; `goal` is how far apart they may be."""

    figure: str
    published: float
    simulated: float
    goal: float
    is_difference: bool = False
    is_count: bool = False

    @property
    def ratio(self) -> float:
        """Simulated over published; 1 where both are 0."""
        if self.published == 0:
            return 1.0 if self.simulated == 0 else float("inf")
        return self.simulated / self.published

    @property
    def is_within(self) -> bool:
        """Whether the goal is met; of a user's few events one more or less is allowed."""
        apart = abs(self.simulated - self.published)
        if self.is_difference:
            return apart <= self.goal
        return abs(self.ratio - 1) <= self.goal or (self.is_count and apart <= 1)


class Log:
    """A log in DuckDB, parsed once."""

    def __init__(self, path: Path) -> None:
        self._con = duckdb.connect()
        columns = (
            "{ts: 'BIGINT', userId: 'VARCHAR', sessionId: 'BIGINT', page: 'VARCHAR', "
            "level: 'VARCHAR', registration: 'DOUBLE', artist: 'VARCHAR', song: 'VARCHAR'}"
        )
        parts = part_files(path)
        self.bytes = sum(Path(part).stat().st_size for part in parts)
        self._con.execute(
            f"CREATE TABLE log AS SELECT * FROM read_json(?, format = 'newline_delimited', "
            f"columns = {columns})",
            [parts],
        )
        per_user = ", ".join(f"{sql} AS {name}" for name, sql in PER_USER.items())
        self._con.execute(
            f"""
            CREATE TABLE users AS
            SELECT userId, {per_user},
                min(ts) FILTER (page = 'Cancellation Confirmation') AS cancelled_ts,
                bool_or(level = 'paid') AS ever_paid,
                bool_or(page = 'Submit Upgrade') AS ever_upgraded
            FROM log WHERE registration IS NOT NULL GROUP BY userId
            """
        )

    def value(self, sql: str) -> float:
        """Return the one number that a query gives."""
        (found,) = self._con.execute(sql).fetchone() or (None,)
        return float(found or 0)

    def pages(self) -> dict[str, int]:
        """Return the rows of every page."""
        return dict(self._con.execute("SELECT page, count(*) FROM log GROUP BY page").fetchall())

    def concentration(self, songs: int) -> float:
        """Return the share of plays that the most played songs have, over as many plays."""
        return self.value(
            f"""
            WITH plays AS (
                SELECT count(*) AS n FROM log WHERE page = 'NextSong' GROUP BY artist, song
            ), top AS (SELECT n FROM plays ORDER BY n DESC LIMIT {songs})
            SELECT (SELECT sum(n) FROM top) / (SELECT sum(n) FROM plays)
            """
        )


def comparisons(log: Log, figures: dict[str, Any], against: str) -> Iterator[Comparison]:
    """Compare a log with the published `full` or `mini` figures."""
    published = figures[against]
    pages, wanted = log.pages(), published["page_rows"]
    songs, wanted_songs = pages["NextSong"], wanted["NextSong"]
    for page, rows in wanted.items():
        if page != "NextSong":
            yield Comparison(
                f"{page} per song", rows / wanted_songs, pages.get(page, 0) / songs, PAGE_RATE
            )
    users = log.value("SELECT count(*) FROM users")
    yield Comparison(
        "share churned",
        published["churned_users"] / published["users"],
        log.value("SELECT count(cancelled_ts) FROM users") / users,
        SHARE,
        is_difference=True,
    )
    bytes_per_event = (published if against == "mini" else figures["mini"])["bytes"]
    yield Comparison(
        "bytes per event",
        bytes_per_event / figures["mini"]["rows"],
        log.bytes / sum(pages.values()),
        BYTES,
    )
    yield Comparison("users", published["users"], users, CATALOGUE)
    yield Comparison("events", published["rows"], sum(pages.values()), CATALOGUE)
    yield from _of_users(log, published, users)
    yield from _of_songs(log, published, against)


def _of_users(log: Log, published: dict[str, Any], users: float) -> Iterator[Comparison]:
    for name in ("ever_paid", "ever_upgraded"):
        if f"share_{name}" in published:
            share = log.value(f"SELECT count(*) FILTER ({name}) FROM users") / users
            yield Comparison(
                f"share {name}", published[f"share_{name}"], share, SHARE, is_difference=True
            )
    for day, share in published.get("cumulative_share_churned_by_day", {}).items():
        by_then = log.value(
            f"SELECT count(*) FROM users WHERE cancelled_ts <= "
            f"(SELECT min(ts) FROM log) + {day} * 86400000::BIGINT"
        )
        yield Comparison(
            f"churned by day {day}", share, by_then / users, CHURN_DAY, is_difference=True
        )
    for name in PER_USER:
        for label, quantile in QUANTILES.items():
            if name in published.get("per_user", {}):
                found = log.value(f"SELECT quantile_cont({name}, {quantile}) FROM users")
                told = published["per_user"][name][label]
                is_count = not name.endswith("days")
                yield Comparison(
                    f"{name} per user {label}", told, found, QUANTILE, is_count=is_count
                )


def _of_songs(log: Log, published: dict[str, Any], against: str) -> Iterator[Comparison]:
    """Compare what was heard, where it is published: in as many plays as the mini log has."""
    if against != "mini":
        return
    plays = published["page_rows"]["NextSong"]
    first = f"(SELECT * FROM log WHERE page = 'NextSong' ORDER BY ts LIMIT {plays})"
    for name, column in {"artists": "artist", "songs": "(artist, song)"}.items():
        found = log.value(f"SELECT count(DISTINCT {column}) FROM {first}")
        yield Comparison(f"{name} heard in {plays:,} plays", published[name], found, CATALOGUE)


def main(arguments: list[str] | None = None) -> None:
    """Print the comparison; the figures outside their goal are marked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("figures", type=Path)
    parser.add_argument("--against", choices=["full", "mini"], default="full")
    options = parser.parse_args(arguments)
    log = Log(options.log)
    found = list(
        comparisons(
            log, yaml.safe_load(options.figures.read_text(encoding="utf-8")), options.against
        )
    )
    out = sys.stdout
    out.write(f"{'figure':34} {'published':>14} {'simulated':>14} {'ratio':>7}\n")
    for row in found:
        mark = "" if row.is_within else "  outside"
        out.write(
            f"{row.figure:34} {row.published:14,.5g} {row.simulated:14,.5g} "
            f"{row.ratio:7.3f}{mark}\n"
        )
    within = sum(row.is_within for row in found)
    out.write(f"{within} of {len(found)} figures within their goals\n")
    for songs in (1, 10, 100, 1_000):
        share = log.concentration(songs)
        out.write(f"the {songs:,} most played songs have {share:.2%} of the plays\n")


if __name__ == "__main__":
    main()
