"""The same work with other tools: `python -m benchmarks.peers.duckdb_peer LOG FOLDER`."""
