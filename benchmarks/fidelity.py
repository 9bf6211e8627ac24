"""Compare a simulated log with the published one.

`python -m benchmarks.fidelity LOG FIGURES` compares a log with the published counts and quantiles
in a YAML file. It prints for each figure the published and the simulated value, their ratio, and
`outside` if the goal is missed.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

from benchmarks.peers.settings import list_part_files

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
# Goals, as the largest distance of a ratio from 1, then as the largest difference of shares.
PAGE_RATE, QUANTILE, BYTES, CATALOGUE = 0.03, 0.08, 0.05, 0.05
SHARE, CHURN_DAY = 0.01, 0.005


@dataclass(frozen=True)
class Comparison:
    """A published and a simulated figure; `goal` is the largest ratio or difference allowed."""

    figure: str
    published: float
    simulated: float
    goal: float
    is_difference: bool = False
    is_count: bool = False

    @property
    def ratio(self) -> float:
        """Simulated over published; 1 if both are 0."""
        if self.published == 0:
            return 1.0 if self.simulated == 0 else float("inf")
        return self.simulated / self.published

    @property
    def is_within(self) -> bool:
        """Whether the goal is met; a user's count may always differ by 1."""
        difference = abs(self.simulated - self.published)
        if self.is_difference:
            return difference <= self.goal
        return abs(self.ratio - 1) <= self.goal or (self.is_count and difference <= 1)


class Log:
    """A log in DuckDB."""

    def __init__(self, path: Path) -> None:
        self._con = duckdb.connect()
        parts = list_part_files(path)
        self.bytes = sum(Path(part).stat().st_size for part in parts)
        self._con.execute(
            """
            CREATE TABLE log AS SELECT * FROM read_json(?, format = 'newline_delimited', columns = {
                ts: 'BIGINT', userId: 'VARCHAR', sessionId: 'BIGINT', page: 'VARCHAR',
                level: 'VARCHAR', registration: 'DOUBLE', artist: 'VARCHAR', song: 'VARCHAR'})
            """,
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
        """Return the number that a query selects."""
        (number,) = self._con.execute(sql).fetchone() or (None,)
        return float(number or 0)

    def pages(self) -> dict[str, int]:
        """Return the rows of every page."""
        return dict(self._con.execute("SELECT page, count(*) FROM log GROUP BY page").fetchall())


def compare_figures(log: Log, figures: dict[str, Any]) -> Iterator[Comparison]:
    """Compare a log with the published figures of the full log."""
    published, mini, pages = figures["full"], figures["mini"], log.pages()
    songs, published_songs = pages["NextSong"], published["page_rows"]["NextSong"]
    for page, rows in published["page_rows"].items():
        if page != "NextSong":
            rates = rows / published_songs, pages.get(page, 0) / songs
            yield Comparison(f"{page} per song", *rates, PAGE_RATE)
    users, events = log.value("SELECT count(*) FROM users"), sum(pages.values())
    churned = log.value("SELECT count(cancelled_ts) FROM users") / users
    published_share = published["churned_users"] / published["users"]
    yield Comparison("share churned", published_share, churned, SHARE, is_difference=True)
    yield Comparison("bytes per event", mini["bytes"] / mini["rows"], log.bytes / events, BYTES)
    yield Comparison("users", published["users"], users, CATALOGUE)
    yield Comparison("events", published["rows"], events, CATALOGUE)
    yield from _compare_users(log, published, users)


def _compare_users(log: Log, published: dict[str, Any], users: float) -> Iterator[Comparison]:
    for name in ("ever_paid", "ever_upgraded"):
        expected = published[f"share_{name}"]
        share = log.value(f"SELECT count(*) FILTER ({name}) FROM users") / users
        yield Comparison(f"share {name}", expected, share, SHARE, is_difference=True)
    for day, expected in published["cumulative_share_churned_by_day"].items():
        churned = log.value(
            f"SELECT count(*) FROM users WHERE cancelled_ts <= "
            f"(SELECT min(ts) FROM log) + {day} * 86400000::BIGINT"
        )
        share = churned / users
        yield Comparison(f"churned by day {day}", expected, share, CHURN_DAY, is_difference=True)
    for name in PER_USER:
        quantiles = published["per_user"][name]
        for label, quantile in QUANTILES.items():
            value = log.value(f"SELECT quantile_cont({name}, {quantile}) FROM users")
            figure, is_count = f"{name} per user {label}", not name.endswith("days")
            yield Comparison(figure, quantiles[label], value, QUANTILE, is_count=is_count)


def main(arguments: list[str] | None = None) -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("figures", type=Path)
    options = parser.parse_args(arguments)
    log = Log(options.log)
    figures = yaml.safe_load(options.figures.read_text(encoding="utf-8"))
    rows = list(compare_figures(log, figures))
    print(f"{'figure':34} {'published':>14} {'simulated':>14} {'ratio':>7}")
    for row in rows:
        values = f"{row.published:14,.5g} {row.simulated:14,.5g} {row.ratio:7.3f}"
        print(f"{row.figure:34} {values}{'' if row.is_within else '  outside'}")
    print(f"{sum(row.is_within for row in rows)} of {len(rows)} figures within their goals")


if __name__ == "__main__":
    main()
