"""Features and a model from the log, in DuckDB and scikit-learn."""

from pathlib import Path

import duckdb

from benchmarks.peers import settings
from benchmarks.peers.model import evaluate_tables
from benchmarks.peers.settings import Phases, main, part_files

SQL_TYPES = {"double": "DOUBLE", "text": "VARCHAR", "whole": "BIGINT"}
READ_COLUMNS = str({key: SQL_TYPES[kind] for key, (_, kind) in settings.COLUMNS.items()})


def accepted_events(con: duckdb.DuckDBPyConnection, log: Path, folder: Path) -> None:
    """Write the valid events of users, without duplicates."""
    con.execute("SET VARIABLE parts = ?", [part_files(log)])
    (repeated,) = con.execute(
        """
        SELECT count(*) FROM (
            SELECT hash(json) AS line_hash
            FROM read_json_objects(getvariable('parts'), format = 'newline_delimited')
            WHERE contains(json, '"registration":') AND NOT contains(json, '"registration":null')
            GROUP BY line_hash HAVING count(*) > 1
        )
        """
    ).fetchone()
    names = ", ".join(
        f"make_timestamp_ms({key}::BIGINT) AS {name}"
        if key in ("ts", "registration")
        else f"{key} AS {name}"
        for key, (name, _) in settings.COLUMNS.items()
    )
    con.execute(
        f"""
        COPY (
            SELECT {"DISTINCT" if repeated else ""} {names}
            FROM read_json(
                getvariable('parts'), format = 'newline_delimited', columns = {READ_COLUMNS},
                ignore_errors = true
            )
            WHERE registration BETWEEN {settings.EARLIEST_MS} AND {settings.LATEST_MS - 1}
              AND ts BETWEEN {settings.EARLIEST_MS} AND {settings.LATEST_MS - 1}
              AND userId <> '' AND page IS NOT NULL AND sessionId IS NOT NULL
              AND itemInSession IS NOT NULL AND level IS NOT NULL
        ) TO '{folder}/events.parquet' (COMPRESSION snappy)
        """
    )


def tables(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write user_days, snapshots and features."""
    con.execute(_user_days(f"{folder}/events.parquet"))
    tolerance = settings.FEATURES["log_end_tolerance_hours"] * 3_600
    first_day, log_end = con.execute(
        f"SELECT min(day), (max(last_ts) + INTERVAL {tolerance} SECOND)::DATE FROM user_days"
    ).fetchone()
    con.execute("SET VARIABLE cutoffs = ?", [settings.list_cutoffs(first_day, log_end)])
    con.execute(
        f"""
        CREATE TABLE snapshots AS
        SELECT user_id, cutoff,
            coalesce(cancelled_on < cutoff + {settings.HORIZON}, false) AS churned
        FROM (
            SELECT user_id, min(day) AS first_day,
                   min(day) FILTER (cancellations > 0) AS cancelled_on
            FROM user_days GROUP BY user_id
        ), (SELECT unnest(getvariable('cutoffs'))::DATE AS cutoff)
        WHERE first_day < cutoff AND (cancelled_on IS NULL OR cancelled_on >= cutoff)
        """
    )
    con.execute(f"COPY snapshots TO '{folder}/snapshots.parquet'")
    con.execute(f"COPY ({_features()}) TO '{folder}/features.parquet'")


def _user_days(events: str) -> str:
    pages = ", ".join(
        f"count(*) FILTER (page = '{page}') AS {c}" for c, page in settings.PAGES.items()
    )
    counted = ", ".join(f"'{page}'" for page in [*settings.PAGES.values(), settings.CANCELLATION])
    free = ", ".join(
        f"count(*) FILTER (page = '{settings.PAGES[c]}' AND level = 'free') AS free_{c}"
        for c in settings.BY_LEVEL
    )
    paid = ", ".join(f"{c} - free_{c} AS paid_{c}" for c in settings.BY_LEVEL)
    return f"""
        CREATE TABLE user_days AS
        WITH e AS (SELECT *, ts::DATE AS day FROM '{events}'),
        starts AS (SELECT user_id, session_id, min(day) AS day FROM e GROUP BY ALL),
        sessions AS (SELECT user_id, day, count(*) AS sessions FROM starts GROUP BY ALL),
        days AS (
            SELECT user_id, day, {pages}, {free},
                count(*) FILTER (page NOT IN ({counted})) AS other_pages,
                count(*) FILTER (page = '{settings.CANCELLATION}') AS cancellations,
                coalesce(sum(round(length * 1000)::BIGINT)
                    FILTER (page = '{settings.SONG}'), 0)::BIGINT AS listening_ms,
                arg_max(level, (ts, item_in_session, session_id)) AS level,
                max(ts) AS last_ts, min(registration) AS registration
            FROM e GROUP BY user_id, day
        )
        SELECT days.*, {paid}, coalesce(sessions, 0) AS sessions, 1 AS active_days
        FROM days LEFT JOIN sessions USING (user_id, day)
    """


def _features() -> str:
    sums = [f"sum({name})::DOUBLE AS {name}" for name in settings.SUMMED]
    sums += [
        f"coalesce(sum({name}) FILTER (day >= cutoff - {days}), 0)::DOUBLE AS {column}"
        for column, (name, days) in settings.RECENT.items()
    ]

    def days_since(moment: str) -> str:
        return f"date_diff('microsecond', {moment}, cutoff::TIMESTAMP) / 86400e6"

    return f"""
        WITH history AS (
            SELECT user_id, cutoff, {", ".join(sums)}, arg_max(level, last_ts) AS level,
                min(day)::TIMESTAMP AS first_day, max(last_ts) AS last_ts,
                min(registration) AS registration,
                (SELECT min(day)::TIMESTAMP FROM user_days) AS log_opened
            FROM user_days JOIN snapshots USING (user_id)
            WHERE day < cutoff GROUP BY user_id, cutoff
        )
        SELECT user_id, cutoff, {", ".join([*settings.SUMMED, *settings.RECENT])},
            (level = 'paid')::INT::DOUBLE AS is_paid,
            greatest({days_since("registration")}, 0) AS account_age_days,
            {days_since("least(first_day, greatest(log_opened, registration))")} AS observed_days,
            {days_since("last_ts")} AS days_since_last_seen
        FROM history
    """


def run(log: Path, folder: Path, phases: Phases) -> None:
    """Make features and a model from the log."""
    con = duckdb.connect()
    with phases.phase("events"):
        accepted_events(con, log, folder)
    with phases.phase("features"):
        tables(con, folder)
    with phases.phase("model"):
        print(evaluate_tables(folder))


if __name__ == "__main__":
    main(run)
