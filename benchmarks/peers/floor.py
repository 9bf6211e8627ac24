"""The lower limit of run times: read the bytes of the log, and parse them without a result."""

from pathlib import Path

import duckdb

from benchmarks.peers.duckdb_peer import READ_COLUMNS
from benchmarks.peers.settings import COLUMNS, Phases, main, part_files

CHUNK_BYTES = 1 << 24


def run(log: Path, _folder: Path, phases: Phases) -> None:
    """Read all bytes; then parse all lines in DuckDB and keep none."""
    with phases.phase("read"):
        for part in part_files(log):
            with Path(part).open("rb", buffering=0) as file:
                while file.read(CHUNK_BYTES):
                    pass
    maxima = ", ".join(f"max({key})" for key in COLUMNS)
    with phases.phase("parse"):
        duckdb.execute(
            f"SELECT {maxima} FROM read_json(?, format = 'newline_delimited', "
            f"columns = {READ_COLUMNS})",
            [part_files(log)],
        ).fetchall()


if __name__ == "__main__":
    main(run)
