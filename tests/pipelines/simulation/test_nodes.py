import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkify.log_formats.event_log import EventLogFiles
from sparkify.pipelines.simulation import nodes
from sparkify.pipelines.simulation.chain import State, list_states
from sparkify.pipelines.simulation.life import Process
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters
from sparkify.pipelines.simulation.songs import SongCatalogue
from sparkify.schemas import SIMULATED_SESSIONS, SIMULATED_USERS
from sparkify.spark.checksums import digest_log

OCTOBER_1 = 1_538_352_000  # 2018-10-01 00:00 UTC
# Six users and, at this rate, some newcomers; short pauses make a week long enough.
TINY = {
    "users": 6,
    "days": 7,
    "songs": 50,
    "artists": 5,
    "growth_per_year": 40,
    "session_gap_days": 0.5,
}
KEYS = [
    *["ts", "userId", "sessionId", "page", "auth", "method", "status", "level", "itemInSession"],
    *["location", "userAgent", "lastName", "firstName", "registration", "gender"],
    *["artist", "song", "length"],
]
PROFILE = {"location", "userAgent", "lastName", "firstName", "registration", "gender"}
SONG = {"artist", "song", "length"}


def simulation(parameters: dict[str, Any], **changes: Any) -> SimulationParameters:
    mini = SimulationParameters.model_validate(parameters["simulation"])
    return SimulationParameters(**{**mini.model_dump(), **TINY, **changes})


def write_log(spark: SparkSession, folder: Path, tiny: SimulationParameters) -> list[list[str]]:
    """Simulate and write a log; return the lines of each part file, sorted by file name."""
    users = nodes.draw_users(tiny)
    sessions = nodes.simulate_sessions(users, {}, tiny)
    nodes.format_raw_events(users, sessions, tiny).write.text(str(folder))
    return [part.read_text().splitlines() for part in sorted(folder.glob("part-*"))]


@pytest.fixture(scope="module")
def tiny(parameters: dict[str, Any]) -> SimulationParameters:
    return simulation(parameters)


@pytest.fixture(scope="module")
def lines(
    spark: SparkSession, tiny: SimulationParameters, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    (only_part,) = write_log(spark, tmp_path_factory.mktemp("log") / "log", tiny)
    return only_part


@pytest.fixture(scope="module")
def events(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def make_sessions(
    spark: SparkSession, tiny: SimulationParameters, *cohorts_and_events: tuple[str, list[Any]]
) -> tuple[DataFrame, DataFrame]:
    """Make a user with one session, which starts at item 3, per cohort and list of events.

    An event is (seconds since the log's start, state, song number).
    """
    users, sessions = [], []
    for number, (cohort, description) in enumerate(cohorts_and_events):
        traits = (cohort, 90.0, 600_000.0, "Logged In", "free", OCTOBER_1, OCTOBER_1 - 5)
        profile = ("Ada", "Young", "F", "Logan, UT-ID", '"Mozilla/5.0 (A, B)"')
        users.append((number, str(number + 1), *traits, *profile))
        events = [
            (OCTOBER_1 + second, list_states().index(State(*s)), song)
            for second, s, song in description
        ]
        sessions.append((number, 0, cohort, events[0][0], 3, events))
    return (
        spark.createDataFrame(users, SIMULATED_USERS.struct),
        spark.createDataFrame(sessions, SIMULATED_SESSIONS.struct),
    )


def test_every_user_is_a_row_with_its_traits(
    spark: SparkSession, tiny: SimulationParameters
) -> None:
    rows = nodes.draw_users(tiny).orderBy("user_number").collect()
    process = Process(tiny)
    assert SIMULATED_USERS.validate(nodes.draw_users(tiny)).columns == SIMULATED_USERS.columns
    assert [row["user_number"] for row in rows] == list(range(len(rows)))
    assert [row["user_id"] for row in rows] == [str(number + 1) for number in range(len(rows))]
    for row in rows:
        assert tuple(row)[2:9] == tuple(process.draw_traits(row["user_number"]))


def test_newcomers_are_added_to_the_initial_users(
    spark: SparkSession, parameters: dict[str, Any], tiny: SimulationParameters
) -> None:
    def count(**changes: Any) -> int:
        return nodes.draw_users(simulation(parameters, **changes)).count()

    # 40 times as many users arrive per year: 4.6 are expected in a week; the seed decides.
    assert count(growth_per_year=0) == 6
    assert 6 < count() < 16
    assert count() == count(files=4)


def test_sessions_are_those_of_every_simulated_user(
    spark: SparkSession, tiny: SimulationParameters
) -> None:
    users = nodes.draw_users(tiny)
    frame = SIMULATED_SESSIONS.validate(nodes.simulate_sessions(users, {}, tiny))
    sessions_by_user: dict[int, list[Any]] = defaultdict(list)
    for row in frame.orderBy("user_number", "session_order").collect():
        assert row["session_order"] == len(sessions_by_user[row["user_number"]])
        assert row["started_second"] == row["events"][0]["second"]
        columns = zip(*row["events"], strict=True)
        sessions_by_user[row["user_number"]].append(
            (row["first_item"], *(list(column) for column in columns))
        )
    process = Process(tiny)
    for number in range(users.count()):
        life = process.simulate_user(number, process.draw_traits(number))
        assert sessions_by_user[number] == [tuple(session) for session in life]


def test_customers_of_past_campaigns_are_contacted(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    changes = {"contact_success": 1.0, "days": 14, "contact_days": 14}
    always = simulation(parameters, users=20, **changes)
    users = nodes.draw_users(always)
    names = [str(number + 1) for number in range(20)]
    groups = ["contact", "control"] * 10
    listed = pd.DataFrame({"user_id": names, "group": groups, "cutoff": date(2018, 10, 1)})
    frame = nodes.simulate_sessions(users, {"2018-10-01": lambda: listed}, always)
    last = frame.select("user_number", F.element_at("events", -1)["state"].alias("state"))
    cancelled = {
        row["user_number"]
        for row in last.where("user_number < 20").collect()
        if list_states()[row["state"]].auth == "Cancelled"
    }
    assert cancelled
    assert all(number % 2 for number in cancelled)  # the control group alone


def test_users_without_any_session_make_an_empty_table(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    rare = simulation(parameters, users=1, days=1, session_gap_days=10_000, growth_per_year=0)
    users = nodes.draw_users(rare)
    sessions = nodes.simulate_sessions(users, {}, rare)
    assert sessions.collect() == []
    assert nodes.format_raw_events(users, sessions, rare).collect() == []


@pytest.mark.parametrize("files", [3, 8])
def test_part_files_together_are_the_same_log(
    spark: SparkSession,
    parameters: dict[str, Any],
    lines: list[str],
    tmp_path: Path,
    files: int,
) -> None:
    parts = write_log(spark, tmp_path / "log", simulation(parameters, files=files))
    assert len(parts) == files
    assert [line for part in parts for line in part] == lines


def test_adaptive_execution_does_not_change_the_log(
    spark: SparkSession, parameters: dict[str, Any], lines: list[str], tmp_path: Path
) -> None:
    spark.conf.set("spark.sql.adaptive.enabled", True)
    try:
        parts = write_log(spark, tmp_path / "log", simulation(parameters, files=3))
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", False)
    assert len(parts) == 3
    assert [line for part in parts for line in part] == lines


def test_a_part_file_holds_its_slice_of_time(
    spark: SparkSession, parameters: dict[str, Any], tmp_path: Path
) -> None:
    parts = write_log(spark, tmp_path / "log", simulation(parameters, files=7))
    days = [
        {(json.loads(line)["ts"] // 1000 - OCTOBER_1) // DAY_SECONDS for line in p} for p in parts
    ]
    assert days == [{0}, {1}, {2}, {3}, {4}, {5}, {6}]


def test_lines_are_sorted_by_time(events: list[dict[str, Any]]) -> None:
    assert len(events) > 1_000
    moments = [event["ts"] for event in events]
    assert moments == sorted(moments)
    assert {moment % 1000 for moment in moments} == {0}


def test_every_line_has_the_published_keys_in_the_published_order(
    events: list[dict[str, Any]],
) -> None:
    for event in events:
        absent = set()
        if event["auth"] in {"Guest", "Logged Out"}:
            absent |= PROFILE
        if event["page"] != "NextSong":
            absent |= SONG
        assert list(event) == [key for key in KEYS if key not in absent]


def test_a_row_has_a_user_only_when_logged_in_or_cancelled(events: list[dict[str, Any]]) -> None:
    userless = [event for event in events if event["auth"] in {"Guest", "Logged Out"}]
    with_user = [event for event in events if event["auth"] in {"Logged In", "Cancelled"}]
    assert len(userless) + len(with_user) == len(events)
    assert {event["userId"] for event in userless} == {""}
    assert all(event["userId"].isdigit() and event["registration"] for event in with_user)


def test_values_have_the_published_types(events: list[dict[str, Any]]) -> None:
    kinds = {key: {type(event[key]) for event in events if key in event} for key in KEYS}
    numbers = ["ts", "sessionId", "status", "itemInSession", "registration"]
    assert {key for key in KEYS if kinds[key] == {int}} == set(numbers)
    assert kinds["length"] == {float}
    assert all(kinds[key] == {str} for key in set(KEYS) - {*numbers, "length"})


def test_a_session_id_is_unique_only_within_a_user(
    events: list[dict[str, Any]],
) -> None:
    with_user = [event for event in events if "registration" in event]
    items: dict[tuple[str, int], list[int]] = defaultdict(list)
    for event in with_user:
        items[event["userId"], event["sessionId"]].append(event["itemInSession"])
    # Items rise by one, except after a time logged out.
    assert all(numbers == sorted(set(numbers)) for numbers in items.values())
    assert len({session for _, session in items}) < len(items)


def test_user_session_item_and_time_identify_an_event(events: list[dict[str, Any]]) -> None:
    with_user = [event for event in events if "registration" in event]
    names = {(e["userId"], e["sessionId"], e["itemInSession"], e["ts"]) for e in with_user}
    assert len(names) == len(with_user)


def test_lines_have_the_format_of_the_published_log(
    spark: SparkSession, parameters: dict[str, Any]
) -> None:
    tiny = simulation(parameters, userless_id="1261737")
    users, sessions = make_sessions(
        spark,
        tiny,
        (
            "tuba",
            [
                (10, ("NextSong", "Logged In", "free"), 7),
                (11, ("Logout", "Logged In", "free"), -1),
                (50, ("Home", "Logged Out", "free"), -1),
                (51, ("Login", "Logged Out", "free"), -1),
                (90, ("Cancel", "Logged In", "free"), -1),
                (99, ("Cancellation Confirmation", "Cancelled", "free"), -1),
            ],
        ),
    )
    song = SongCatalogue(tiny).build_table().iloc[7]
    who = (
        '"location":"Logan, UT-ID","userAgent":"\\"Mozilla/5.0 (A, B)\\"","lastName":"Young",'
        '"firstName":"Ada","registration":1538351995000,"gender":"F"'
    )
    assert [row["value"] for row in nodes.format_raw_events(users, sessions, tiny).collect()] == [
        '{"ts":1538352010000,"userId":"1","sessionId":1,"page":"NextSong","auth":"Logged In",'
        f'"method":"PUT","status":200,"level":"free","itemInSession":3,{who},'
        f'"artist":"{song["artist"]}","song":"{song["song"]}","length":{song["length"]}}}',
        '{"ts":1538352011000,"userId":"1","sessionId":1,"page":"Logout","auth":"Logged In",'
        f'"method":"PUT","status":307,"level":"free","itemInSession":4,{who}}}',
        '{"ts":1538352050000,"userId":"1261737","sessionId":1,"page":"Home",'
        '"auth":"Logged Out","method":"GET","status":200,"level":"free","itemInSession":5}',
        '{"ts":1538352051000,"userId":"1261737","sessionId":1,"page":"Login",'
        '"auth":"Logged Out","method":"PUT","status":307,"level":"free","itemInSession":6}',
        '{"ts":1538352090000,"userId":"1","sessionId":1,"page":"Cancel","auth":"Logged In",'
        f'"method":"PUT","status":307,"level":"free","itemInSession":7,{who}}}',
        '{"ts":1538352099000,"userId":"1","sessionId":1,"page":"Cancellation Confirmation",'
        '"auth":"Cancelled","method":"GET","status":200,"level":"free","itemInSession":8,'
        f"{who}}}",
    ]


def test_every_cohort_numbers_its_sessions_by_time(
    spark: SparkSession, tiny: SimulationParameters
) -> None:
    home = ("Home", "Logged In", "free")
    users, sessions = make_sessions(
        spark,
        tiny,
        ("tuba", [(30, home, -1)]),
        ("tuba", [(20, home, -1)]),
        ("zither", [(30, home, -1)]),
        ("tuba", [(30, home, -1)]),
    )
    events = [
        json.loads(row["value"]) for row in nodes.format_raw_events(users, sessions, tiny).collect()
    ]
    assert [(event["userId"], event["sessionId"]) for event in events] == [
        ("2", 1),
        ("1", 2),
        ("3", 1),
        ("4", 3),
    ]


def test_the_record_has_the_parameters_and_the_checksum_of_the_log(
    spark: SparkSession, tiny: SimulationParameters, lines: list[str], tmp_path: Path
) -> None:
    (tmp_path / "log.json").write_text("".join(f"{line}\n" for line in reversed(lines)))
    in_file = spark.read.text(str(tmp_path / "log.json"))
    simulated = spark.createDataFrame([(line,) for line in lines], "value string")
    log = EventLogFiles({}, "auto", lambda _: simulated)
    record = nodes.record_simulation(log, tiny)
    assert record["log"] == digest_log(in_file)
    assert record["log"]["lines"] == len(lines)
    assert record["start"] == "2018-10-01"
    assert record["seed"] == 455
    assert SimulationParameters(**{k: v for k, v in record.items() if k != "log"}) == tiny
    assert json.loads(json.dumps(record)) == record


def test_the_record_of_a_finished_run_matches_its_log(spark: SparkSession, finished: Any) -> None:
    catalog = finished.catalog()
    record = catalog.load("simulation_record")
    assert record["log"] == digest_log(catalog.load("raw_events").read_all())
    assert record["users"] == 90
