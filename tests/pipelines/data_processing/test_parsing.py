"""Records of other services, from their JSON to typed rows."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import Row, SparkSession

from sparkify.datasets import EventLogDataset
from sparkify.pipelines.data_processing import nodes
from sparkify.pipelines.data_processing.fields import MAX_ITEMS
from sparkify.pipelines.data_processing.parameters import DataProcessingParameters
from sparkify.schemas import CHECKED_RECORDS, MALFORMED_ROW
from tests import bad_logs
from tests.bad_logs import line

Change = Callable[..., DataProcessingParameters]
Parse = Callable[..., list[dict[str, Any]]]
MOMENT = datetime(2018, 10, 1, 0, 1, 57, tzinfo=UTC)
KEYS = {"ts": "watchedAt", "userId": "memberId", "page": "screen", "registration": "memberSince"}
PLAY = {
    "watchedAt": 1538352117000,
    "memberId": 30,
    "sessionId": 29,
    "screen": "Play",
    "level": "Premium",
    "itemInSession": 50,
    "memberSince": 1538173362000,
}
LEVELS = {"free": ["Trial", "Basic"], "paid": ["Premium"]}


def test_an_accepted_record_becomes_typed_columns(
    checks: DataProcessingParameters, parse: Parse
) -> None:
    (row,) = parse(checks, line())
    assert row == {
        "user_id": "30",
        "ts": MOMENT,
        "session_id": "29",
        "item_in_session": 50,
        "page": "NextSong",
        "level": "paid",
        "registration": datetime(2018, 9, 28, 22, 22, 42, tzinfo=UTC),
        "gender": "M",
        "length": 277.89016,
        "revenue": None,
        "time_format": "ms",
        "record_hash": 0,
        "line": None,
        "unknown_columns": None,
        "problems": None,
        "rejection": None,
    }
    assert list(row) == CHECKED_RECORDS.columns


@pytest.mark.parametrize(
    "text",
    [
        line(userId=30),
        line(userId=30.0),
        line(userId="30.0"),
        line(userId=" 30 "),
        line(sessionId="29", itemInSession="50", length="277.9"),
        line(sessionId=29.0, itemInSession=50.0),
        line(ts="2018-10-01T00:01:57Z", registration="2018-09-28 22:22:42"),
        line(ts=1538352117, registration=1538173362),
        line(status="ok", artist={"name": "x"}),  # unused columns
        " " + line() + " ",
        line() + "\r",
    ],
)
def test_equivalent_spellings_give_the_same_event(
    checks: DataProcessingParameters, parse: Parse, text: str
) -> None:
    (row,) = parse(checks, text)
    assert row["rejection"] is None
    assert (row["user_id"], row["session_id"], row["item_in_session"]) == ("30", "29", 50)
    assert row["ts"] == MOMENT
    assert row["registration"] == datetime(2018, 9, 28, 22, 22, 42, tzinfo=UTC)


@pytest.fixture
def renamed_keys(changed: Change) -> DataProcessingParameters:
    return changed(KEYS, levels=LEVELS)


def test_fields_are_read_by_configured_keys(
    renamed_keys: DataProcessingParameters, parse: Parse
) -> None:
    (row,) = parse(renamed_keys, json.dumps({**PLAY, "userId": "unused", "page": "Home"}))
    assert (row["user_id"], row["page"], row["ts"]) == ("30", "Play", MOMENT)
    assert (row["rejection"], row["unknown_columns"]) == (None, ["page", "userId"])


@pytest.mark.parametrize(
    ("plan", "level"), [("Trial", "free"), ("Basic", "free"), ("Premium", "paid"), ("x", "x")]
)
def test_a_plan_name_maps_to_its_level(
    renamed_keys: DataProcessingParameters, parse: Parse, plan: str, level: str
) -> None:
    (row,) = parse(renamed_keys, json.dumps({**PLAY, "level": plan}))
    assert row["level"] == level
    assert row["rejection"] == (None if level != "x" else "impossible level")


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"watchedAt": "yesterday"}, ["wrong type of ts"]),
        ({"screen": 5}, ["wrong type of page"]),
        ({"memberId": ["30"]}, ["wrong type of userId"]),
        ({"memberSince": None}, ["no user"]),
        ({"memberSince": 5, "screen": ""}, ["no page", "impossible registration"]),
        (
            {"watchedAt": None, "memberId": "", "level": "x", "itemInSession": -1},
            ["no ts", "no user", "impossible itemInSession", "impossible level"],
        ),
    ],
)
def test_problems_name_fields_not_keys_and_are_sorted_by_priority(
    renamed_keys: DataProcessingParameters,
    parse: Parse,
    changes: dict[str, Any],
    problems: list[str],
) -> None:
    (row,) = parse(renamed_keys, json.dumps({**PLAY, **changes}))
    assert row["problems"] == problems
    assert row["rejection"] == problems[0]


def test_a_malformed_record_has_no_other_problem(
    checks: DataProcessingParameters, parse: Parse
) -> None:
    rows = parse(checks, line(), "{", line(itemInSession=51))
    assert [row["problems"] for row in rows] == [None, ["malformed JSON"], None]
    assert [row["item_in_session"] for row in rows] == [50, None, 51]


def test_fields_may_be_nested_and_share_a_key(changed: Change, parse: Parse) -> None:
    nested = changed(
        {
            "ts": "properties.time",
            "userId": r"user\.id",
            "sessionId": "properties.time",
            "page": "event",
            "level": "properties.plan.name",
            "itemInSession": None,
            "registration": None,
        },
        levels=LEVELS,
    )
    record = {
        "event": "Play",
        "user.id": "u1",
        "properties": {"time": 1538352117, "plan": {"name": "Basic"}, "ip": "1.2.3.4"},
    }
    (row,) = parse(nested, json.dumps(record))
    assert (row["page"], row["user_id"], row["level"]) == ("Play", "u1", "free")
    assert (row["ts"], row["session_id"], row["time_format"]) == (MOMENT, "1538352117", "s")
    assert (row["unknown_columns"], row["rejection"]) == (None, None)


def test_without_a_registration_key_the_event_time_is_used(changed: Change, parse: Parse) -> None:
    parameters = changed({"registration": None})
    rows = parse(parameters, line(registration=...), line(userId=None, registration=...))
    assert [row["registration"] for row in rows] == [MOMENT, MOMENT]
    assert [row["rejection"] for row in rows] == [None, "no user"]


def test_without_an_item_events_are_ordered_by_microsecond_and_hash(
    changed: Change, parse: Parse
) -> None:
    parameters = changed({"itemInSession": None})
    times = ["2018-10-01T00:01:57.000001Z", "2018-10-01T00:01:57.000999Z", "2018-10-01T00:01:57Z"]
    rows = parse(parameters, *[line(ts=text) for text in times], line(ts=times[2], tag=1))
    items = [row["item_in_session"] for row in rows]
    assert items == [2_048, 999 * 2_048 + 1, 2, 3]
    assert max(items) < MAX_ITEMS


def test_sessions_and_levels_without_keys_are_null(changed: Change, parse: Parse) -> None:
    parameters = changed(
        {"sessionId": None, "level": None}, plan_pages={"paid": ["Submit Upgrade"], "free": []}
    )
    (row,) = parse(parameters, line())
    assert (row["session_id"], row["level"], row["rejection"]) == (None, None, None)


def test_constants_replace_keys(changed: Change, parse: Parse) -> None:
    parameters = changed(
        {"page": None}, constants={"page": "NextSong", "level": "Premium"}, levels=LEVELS
    )
    (row,) = parse(parameters, line(page="Home", level="x"))
    assert (row["page"], row["level"], row["rejection"]) == ("NextSong", "paid", None)
    assert row["unknown_columns"] == ["level", "page"]


def test_each_file_s_records_are_read_by_the_first_source_that_matches(
    changed: Change, parse: Parse
) -> None:
    parameters = changed(
        sources=[
            {"files": "listens/*", "fields": {"page": None}, "constants": {"page": "NextSong"}},
            {"files": "views/*", "fields": {"ts": "at"}},
            {"files": "auth/*", "fields": {"page": None}, "page_from": "file"},
        ]
    )
    view = line(ts=..., at=1538352117000, page="Home")
    texts = [line(page=...), line(page=...), view, line(page=...), line(), line(page=...)]
    files = ["listens/1", "listens/2", "views/1", "auth/Login-1.json", "other", "listens/1"]
    rows = parse(parameters, *texts, file=files)
    assert [row["page"] for row in rows] == [
        *["NextSong", "NextSong", "Home", "Login", None, "NextSong"]
    ]
    assert [row["rejection"] for row in rows] == [None] * 4 + ["no source", None]
    assert [row["record_hash"] for row in rows] == [*range(6)]
    assert "Colin" not in rows[4]["line"]


def test_the_problem_column_overrides_malformed_json(
    checks: DataProcessingParameters, parse: Parse
) -> None:
    rows = parse(
        checks, line(), "1,2,3", line(), "{", problem=[None, MALFORMED_ROW, MALFORMED_ROW, None]
    )
    assert [row["rejection"] for row in rows] == [
        *[None, "malformed row", "malformed row", "malformed JSON"]
    ]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "ms"),
        ({"registration": 1538173362000.0}, "ms"),
        ({"registration": 1538173362}, "ms and s"),
        ({"ts": "2018-10-01 00:01:57"}, "iso8601 without zone and ms"),
    ],
)
def test_the_time_formats_of_a_record_are_saved(
    checks: DataProcessingParameters, parse: Parse, changes: dict[str, Any], name: str
) -> None:
    assert parse(checks, line(**changes))[0]["time_format"] == name


@pytest.mark.parametrize(
    ("mrr", "revenue", "rejection"),
    [
        (9.99, 9.99, None),
        ("14", 14.0, None),
        (0, 0.0, None),
        (None, None, None),
        (..., None, None),
        (-5, -5.0, "impossible revenue"),
        (2_000_000, 2e6, "impossible revenue"),
        ("14 USD", None, "wrong type of revenue"),
    ],
)
def test_the_revenue_of_a_customer_is_a_number_of_dollars(
    checks: DataProcessingParameters,
    changed: Change,
    parse: Parse,
    mrr: Any,
    revenue: float | None,
    rejection: str | None,
) -> None:
    fields = {**checks.fields, "revenue": "mrr"}
    (row,) = parse(changed(fields=fields), line(mrr=mrr))
    assert (row["revenue"], row["rejection"]) == (revenue, rejection)


@pytest.mark.parametrize(
    ("ts", "rejection"),
    [
        (1538352117000, None),
        (1538352117, "ts in seconds"),
        (1538352117000000, "ts in microseconds"),
        ("2018-10-01T00:01:57Z", "wrong type of ts"),
    ],
)
def test_with_a_fixed_format_other_times_are_rejected(
    changed: Change, parse: Parse, ts: Any, rejection: str | None
) -> None:
    (row,) = parse(changed(time_format="ms"), line(ts=ts))
    assert row["rejection"] == rejection


def test_with_a_fixed_format_a_registration_in_another_unit_is_impossible(
    changed: Change, parse: Parse
) -> None:
    (row,) = parse(changed(time_format="ms"), line(registration=1538173362))
    assert row["rejection"] == "impossible registration"


def test_the_time_zone_applies_to_times_without_one(changed: Change, parse: Parse) -> None:
    (row,) = parse(changed(time_zone="America/New_York"), line(ts="2018-09-30 20:01:57"))
    assert row["ts"] == MOMENT


def test_unknown_keys_are_listed(checks: DataProcessingParameters, parse: Parse) -> None:
    rows = parse(checks, line(tag="b", country="US"), line(), "broken")
    assert [row["unknown_columns"] for row in rows] == [["country", "tag"], None, None]


# All reasons for JSON records if time_format is auto. They contain no text of the log.
REASONS = {
    "malformed JSON",
    *(f"wrong type of {key}" for key in [*bad_logs.REQUIRED, "gender", "length"]),
    *(f"no {key}" for key in ("ts", "sessionId", "page", "level", "itemInSession", "user")),
    *(f"impossible {key}" for key in ("ts", "registration", "itemInSession", "level", "length")),
}
CASE_NAME = re.compile(r"""["']gender["']: ?["']([^"]*?)["'](?:[,}]|$)""")


def find_case(row: Row) -> str:
    """Return the case that a checked line belongs to."""
    if row["rejection"] is None:
        return str(row["gender"])
    nameless = {text: name for name, text in bad_logs.NAMELESS.items()}
    match = CASE_NAME.search(row["line"])
    return match[1] if match else nameless[row["line"]]


@pytest.fixture(scope="module")
def rows(
    spark: SparkSession, checks: DataProcessingParameters, tmp_path_factory: pytest.TempPathFactory
) -> list[Row]:
    """Return all lines of all cases, checked at once."""
    log = tmp_path_factory.mktemp("lines") / "log.json"
    lines = [text for case in bad_logs.LINES.values() for text in case.lines]
    log.write_bytes(bad_logs.as_bytes(lines))
    return nodes.check_records(
        EventLogDataset(filepath=str(log)).load().read_all(), checks
    ).collect()


@pytest.fixture(scope="module")
def counts(rows: list[Row]) -> dict[str, Counter[str | None]]:
    """Return the number of lines per case and reason; None counts accepted lines."""
    counts: dict[str, Counter[str | None]] = defaultdict(Counter)
    hashes = set()
    for row in rows:
        is_copy = row["rejection"] is None and row["record_hash"] in hashes
        counts[find_case(row)]["duplicate" if is_copy else row["rejection"]] += 1
        hashes.add(row["record_hash"])
    return counts


@pytest.mark.parametrize("name", bad_logs.LINES)
def test_bad_lines_are_rejected_for_the_right_reason_and_others_accepted(
    counts: dict[str, Counter[str | None]], name: str
) -> None:
    lines, rejected = bad_logs.LINES[name]
    kept = len(lines) - sum(rejected.values())
    assert counts[name] == Counter({**rejected, **({None: kept} if kept else {})})


def test_every_line_gives_one_row(rows: list[Row]) -> None:
    assert len(rows) == sum(len(case.lines) for case in bad_logs.LINES.values())


def test_every_rejection_is_a_listed_reason(rows: list[Row]) -> None:
    reasons = {row["rejection"] for row in rows} - {None}
    assert reasons <= REASONS
    assert len(reasons) >= 20


def test_the_quote_of_a_rejected_line_is_short_and_without_personal_data(
    rows: list[Row], checks: DataProcessingParameters
) -> None:
    quoted = [row["line"] for row in rows if row["line"] is not None]
    assert max(map(len, quoted)) <= checks.max_line_characters
    for text in quoted:
        for word in ("Colin", "Freeman", "Bakersfield", "Mozilla", "Björk"):
            assert word not in text


def fits_schema(row: Row, checks: DataProcessingParameters) -> bool:
    """Return whether a row is a valid event, or rejected for a listed reason."""
    if row["rejection"] is not None:
        return row["rejection"] in REASONS and row["line"] is not None
    required = ("user_id", "ts", "session_id", "item_in_session", "page", "level", "registration")
    earliest, latest = checks.earliest_event, checks.latest_event
    return (
        all(row[name] is not None for name in required)
        and row["line"] is None
        and row["user_id"] != ""
        and earliest <= row["ts"].date() < latest
        and earliest <= row["registration"].date() < latest
        and row["level"] in ("free", "paid")
        and 0 <= row["item_in_session"] < MAX_ITEMS
        and (row["length"] is None or 0 <= row["length"] <= checks.max_song_seconds)
    )


def test_accepted_lines_fit_the_schema(rows: list[Row], checks: DataProcessingParameters) -> None:
    assert [row for row in rows if not fits_schema(row, checks)] == []


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([1538352117000, 1538352117, 0, -1, "free", "paid", "NextSong", "", "30"])
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=5), SCALARS)
LOG_KEYS = st.sampled_from(sorted(bad_logs.SONG)) | st.text(max_size=8)
EVENTS = st.dictionaries(LOG_KEYS, VALUES, max_size=3).map(
    lambda changes: json.dumps(bad_logs.SONG | changes)
)
CUTS = st.tuples(EVENTS, st.integers(0, 600)).map(lambda cut: cut[0][: cut[1]])
JOINED = st.tuples(EVENTS, st.text(max_size=3), EVENTS).map("".join)
ARBITRARY = st.one_of(EVENTS, EVENTS, EVENTS, CUTS, JOINED, st.text(), st.binary())


def replace_line_ends(text: str | bytes) -> bytes:
    content = text if isinstance(text, bytes) else text.encode(errors="replace")
    return content.replace(b"\n", b" ").replace(b"\r", b" ")


@settings(
    max_examples=3,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(ARBITRARY.map(replace_line_ends), min_size=100, max_size=200))
def test_random_lines_are_rejected_or_fit_the_schema(
    spark: SparkSession,
    checks: DataProcessingParameters,
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
) -> None:
    log: Path = tmp_path_factory.mktemp("arbitrary") / "log.json"
    # Begin with an event: the first line decides the format of the log.
    log.write_bytes(bad_logs.as_bytes([bad_logs.line(), *lines]))
    checked = nodes.check_records(EventLogDataset(filepath=str(log)).load().read_all(), checks)
    assert CHECKED_RECORDS.validate(checked) is checked
    rows = checked.collect()
    assert len(rows) == 1 + len(lines)
    assert [row for row in rows if not fits_schema(row, checks)] == []
