import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import Row, SparkSession

from sparkify.datasets import EventLogDataset
from sparkify.pipelines.data_processing import nodes
from sparkify.pipelines.data_processing.fields import MAX_ITEMS
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.schemas import CHECKED_EVENTS
from tests import bad_logs

# All that records of JSON can meet with while times are recognised; no word of a log is in them.
REASONS = {
    "malformed JSON",
    *(f"wrong type of {key}" for key in [*bad_logs.ESSENTIAL, "gender", "length"]),
    *(f"no {key}" for key in ("ts", "sessionId", "page", "level", "itemInSession", "user")),
    *(f"impossible {key}" for key in ("ts", "registration", "itemInSession", "level", "length")),
}
NAMED = re.compile(r"""["']gender["']: ?["']([^"]*?)["'](?:[,}]|$)""")


def case_of(row: Row) -> str:
    """Find the case that a checked line belongs to."""
    if row["rejection"] is None:
        return str(row["gender"])
    nameless = {text: name for name, text in bad_logs.NAMELESS.items()}
    named = NAMED.search(row["line"])
    return named[1] if named else nameless[row["line"]]


@pytest.fixture(scope="module")
def rows(
    spark: SparkSession, checks: DataProcessingParameters, tmp_path_factory: pytest.TempPathFactory
) -> list[Row]:
    """Return all lines of all cases, checked at once."""
    log = tmp_path_factory.mktemp("lines") / "log.json"
    lines = [text for case in bad_logs.LINES.values() for text in case.lines]
    log.write_bytes(bad_logs.as_bytes(lines))
    return nodes.check_events(EventLogDataset(filepath=str(log)).load(), checks).collect()


@pytest.fixture(scope="module")
def outcomes(rows: list[Row]) -> dict[str, Counter[str | None]]:
    """Return how many lines of each case met with which reason; equal ones are found later."""
    found: dict[str, Counter[str | None]] = defaultdict(Counter)
    hashes = set()
    for row in rows:
        is_copy = row["rejection"] is None and row["record_hash"] in hashes
        found[case_of(row)]["duplicate" if is_copy else row["rejection"]] += 1
        hashes.add(row["record_hash"])
    return found


@pytest.mark.parametrize("name", bad_logs.LINES)
def test_a_bad_line_is_rejected_with_its_reason_and_the_others_count(
    outcomes: dict[str, Counter[str | None]], name: str
) -> None:
    lines, rejected = bad_logs.LINES[name]
    kept = len(lines) - sum(rejected.values())
    assert outcomes[name] == Counter({**rejected, **({None: kept} if kept else {})})


def test_no_line_is_lost_and_none_is_made_up(rows: list[Row]) -> None:
    assert len(rows) == sum(len(case.lines) for case in bad_logs.LINES.values())


def test_reasons_come_from_a_closed_list(rows: list[Row]) -> None:
    found = {row["rejection"] for row in rows} - {None}
    assert found <= REASONS
    assert len(found) >= 20


def test_what_is_kept_of_a_rejected_line_is_short_and_names_nobody(
    rows: list[Row], checks: DataProcessingParameters
) -> None:
    quoted = [row["line"] for row in rows if row["line"] is not None]
    assert max(map(len, quoted)) <= checks.characters_per_line
    for text in quoted:
        for word in ("Colin", "Freeman", "Bakersfield", "Mozilla", "Björk"):
            assert word not in text


def keeps_the_schema(row: Row, checks: DataProcessingParameters) -> bool:
    """Return whether a row says what the schema promises of an event, or why it is none."""
    if row["rejection"] is not None:
        return row["rejection"] in REASONS and row["line"] is not None
    essential = ("user_id", "ts", "session_id", "item_in_session", "page", "level", "registration")
    earliest, latest = checks.earliest_event, checks.latest_event
    return (
        all(row[name] is not None for name in essential)
        and row["line"] is None
        and row["user_id"] != ""
        and earliest <= row["ts"].date() < latest
        and earliest <= row["registration"].date() < latest
        and row["level"] in ("free", "paid")
        and 0 <= row["item_in_session"] < MAX_ITEMS
        and (row["length"] is None or 0 <= row["length"] <= checks.longest_song_seconds)
    )


def test_no_accepted_line_breaks_the_schema(
    rows: list[Row], checks: DataProcessingParameters
) -> None:
    assert [row for row in rows if not keeps_the_schema(row, checks)] == []


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([1538352117000, 1538352117, 0, -1, "free", "paid", "NextSong", "", "30"])
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=5), SCALARS)
KEYS = st.sampled_from(sorted(bad_logs.SONG)) | st.text(max_size=8)
EVENTS = st.dictionaries(KEYS, VALUES, max_size=3).map(lambda odd: json.dumps(bad_logs.SONG | odd))
CUTS = st.tuples(EVENTS, st.integers(0, 600)).map(lambda cut: cut[0][: cut[1]])
JOINED = st.tuples(EVENTS, st.text(max_size=3), EVENTS).map("".join)
ARBITRARY = st.one_of(EVENTS, EVENTS, EVENTS, CUTS, JOINED, st.text(), st.binary())


def without_line_ends(text: str | bytes) -> bytes:
    found = text if isinstance(text, bytes) else text.encode(errors="replace")
    return found.replace(b"\n", b" ").replace(b"\r", b" ")


@settings(
    max_examples=3,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(ARBITRARY.map(without_line_ends), min_size=100, max_size=200))
def test_whatever_the_lines_each_is_accepted_or_rejected_and_no_event_breaks_the_schema(
    spark: SparkSession,
    checks: DataProcessingParameters,
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
) -> None:
    log: Path = tmp_path_factory.mktemp("arbitrary") / "log.json"
    # An event comes first: a log that begins like another format is refused as a whole.
    log.write_bytes(bad_logs.as_bytes([bad_logs.line(), *lines]))
    checked = nodes.check_events(EventLogDataset(filepath=str(log)).load(), checks)
    assert CHECKED_EVENTS.validate(checked) is checked
    rows = checked.collect()
    assert len(rows) == 1 + len(lines)
    assert [row for row in rows if not keeps_the_schema(row, checks)] == []
