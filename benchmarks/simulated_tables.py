"""The tables of data_processing, from simulated sessions without a line of JSON."""

from pathlib import Path

import duckdb
import fsspec
import pandas as pd

from sparkify.datasets.atomic_write import atomic_write
from sparkify.pipelines.simulation.chain import State, list_states
from sparkify.pipelines.simulation.parameters import SimulationParameters
from sparkify.pipelines.simulation.songs import SongCatalogue

TABLES = {
    "checked_events": """
        WITH numbered AS (
            SELECT user_number, first_item, events, row_number() OVER (
                PARTITION BY cohort ORDER BY started_second, user_number) AS session_id
            FROM read_parquet('{raw}/simulated_sessions/*.parquet')
        ), events AS (
            SELECT user_number, session_id, unnest(events, recursive := true),
                first_item + generate_subscripts(events, 1) - 1 AS item_in_session
            FROM numbered
        )
        SELECT user_id, to_timestamp(second) AS ts, session_id::VARCHAR AS session_id,
            item_in_session, page, states.level, to_timestamp(registration_second) AS registration,
            gender, length, 'ms' AS time_format,
            (hash(user_number, session_id, item_in_session) >> 1)::BIGINT AS record_hash,
            NULL::VARCHAR AS line, NULL::VARCHAR[] AS unknown_columns, NULL::VARCHAR[] AS problems,
            NULL::VARCHAR AS rejection
        FROM events JOIN states USING (state) LEFT JOIN songs USING (song_number)
            JOIN read_parquet('{raw}/simulated_users/*.parquet') users USING (user_number)
        WHERE states.auth IN ('Logged In', 'Cancelled')
    """,
    "repeated_events": """
        SELECT * EXCLUDE (line, unknown_columns, problems, rejection), 0::BIGINT AS copies
        FROM read_parquet('{folder}/checked_events/*.parquet') WHERE false
    """,
    "event_counts": """
        SELECT (ts AT TIME ZONE 'UTC')::DATE AS day, page, level, time_format,
            count(*) AS events, min(ts) AS first_ts, max(ts) AS last_ts
        FROM read_parquet('{folder}/checked_events/*.parquet') GROUP BY ALL
    """,
}


def write_tables(raw: Path, folder: Path, simulation: SimulationParameters) -> int:
    """Write what data_processing makes of a simulated log, as it would from the lines.

    Args:
        raw: the folder of `simulated_users` and `simulated_sessions`.
        folder: where `checked_events`, `repeated_events` and `event_counts` go.
        simulation: how they were simulated.

    Returns:
        The number of events.
    """
    described = [(number, *state) for number, state in enumerate(list_states())]
    lengths = SongCatalogue(simulation).length_seconds
    counts = []
    with duckdb.connect() as con:
        con.register("states", pd.DataFrame(described, columns=["state", *State._fields]))
        con.register(
            "songs", pd.Series(lengths, name="length").rename_axis("song_number").reset_index()
        )
        for name, query in TABLES.items():
            table = str(folder / name)
            with atomic_write(fsspec.filesystem("file"), table) as aside:
                Path(aside).mkdir(parents=True)
                select = query.format(raw=raw, folder=folder)
                file = Path(aside) / "part-0.parquet"
                copied = con.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)")
                counts.append(int(copied.fetchall()[0][0]))
                (Path(aside) / "_SUCCESS").touch()
    return counts[0]
