"""Simulate a listening log by the random process of the published log."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from sparkify.log_formats.event_log import EventLogFiles
from sparkify.pipelines.simulation.chain import list_requests, list_states
from sparkify.pipelines.simulation.life import Process, Session, Traits
from sparkify.pipelines.simulation.parameters import DAY_SECONDS, SimulationParameters
from sparkify.pipelines.simulation.profiles import draw_profile
from sparkify.pipelines.simulation.songs import SongCatalogue
from sparkify.schemas import SIMULATED_SESSIONS, SIMULATED_USERS
from sparkify.spark.checksums import digest_log

USERS_PER_BATCH = 50  # some 60,000 events: small enough for any worker's memory


def draw_users(simulation: SimulationParameters) -> DataFrame:
    """Return one row per user of the service, with profile and hidden traits.

    Newcomers arrive as a Poisson process on top of `simulation.users`.
    """
    years = simulation.days / 365.25
    newcomers = np.random.default_rng([simulation.seed, 1]).poisson(
        simulation.users * simulation.growth_per_year * years
    )

    def draw(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        process = Process(simulation)
        for batch in batches:
            yield pd.DataFrame(
                [
                    (
                        number,
                        str(number + 1),
                        *process.draw_traits(number),
                        *draw_profile(process.create_random("profile", number)),
                    )
                    for number in batch["id"].tolist()
                ],
                columns=SIMULATED_USERS.columns,
            )

    numbers = SparkSession.active().range(simulation.users + int(newcomers))
    return numbers.mapInPandas(draw, SIMULATED_USERS.struct)


def simulate_sessions(
    simulated_users: DataFrame,
    past_campaigns: Mapping[str, Callable[[], pd.DataFrame]],
    simulation: SimulationParameters,
) -> DataFrame:
    """Return one row per session of a user within the log's span, with its events.

    With a `contact_success` above 0, the customers listed by past campaigns are contacted at the
    list's cutoff, which prevents some cancellations.
    """
    contacts = _list_contacts(past_campaigns) if simulation.contact_success else {}
    traits = simulated_users.select("user_number", *Traits._fields)

    def simulate(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        process = Process(simulation)
        for batch in batches:
            for start in range(0, batch.num_rows, USERS_PER_BATCH):
                users = batch.slice(start, USERS_PER_BATCH).to_pylist()
                yield _simulate_batch(process, users, contacts)

    partitions = traits.repartition(simulation.files, "user_number")
    return partitions.mapInArrow(simulate, SIMULATED_SESSIONS.struct)


def _list_contacts(
    past_campaigns: Mapping[str, Callable[[], pd.DataFrame]],
) -> dict[int, list[int]]:
    """Return the epoch seconds of contacts by user number."""
    contacts: dict[int, list[int]] = {}
    for load in past_campaigns.values():
        listed = load()
        contacted = listed[listed["group"] == "contact"]
        days = pd.to_datetime(contacted["cutoff"]) - pd.Timestamp(0)
        seconds = (days.dt.days * DAY_SECONDS).tolist()
        for user_id, second in zip(contacted["user_id"].astype(int), seconds, strict=True):
            contacts.setdefault(user_id - 1, []).append(second)
    return contacts


def _simulate_batch(
    process: Process, users: list[dict[str, Any]], contacts: Mapping[int, list[int]]
) -> pa.RecordBatch:
    rows: list[tuple[object, ...]] = []
    sessions: list[Session] = []
    for user in users:
        number, *values = user.values()
        traits = Traits(*values)
        user_sessions = process.simulate_user(number, traits, contacts.get(number, ()))
        for order, session in enumerate(user_sessions):
            sessions.append(session)
            rows.append((number, order, traits.cohort, session.seconds[0], session.first_item))
    events = pa.StructArray.from_arrays(
        [
            pa.array([second for session in sessions for second in session.seconds], pa.int64()),
            pa.array([state for session in sessions for state in session.states], pa.int32()),
            pa.array([song for session in sessions for song in session.songs], pa.int32()),
        ],
        names=["second", "state", "song_number"],
    )
    ends = np.cumsum([0, *(len(session.seconds) for session in sessions)])
    columns = list(zip(*rows, strict=True)) or [()] * 5
    types = [pa.int64(), pa.int32(), pa.string(), pa.int64(), pa.int32()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    arrays.append(pa.ListArray.from_arrays(pa.array(ends, pa.int32()), events))
    return pa.RecordBatch.from_arrays(arrays, names=SIMULATED_SESSIONS.columns)


def format_raw_events(
    simulated_users: DataFrame, simulated_sessions: DataFrame, simulation: SimulationParameters
) -> DataFrame:
    """Return the raw log: one JSON object per event, sorted by time.

    As in the published logs, session numbers start at 1 in every cohort: a sessionId is unique only
    together with the user.
    """
    spark = simulated_users.sparkSession
    songs = SongCatalogue(simulation).build_table()
    by_time = Window.partitionBy("cohort").orderBy("started_second", "user_number")
    session_ids = simulated_sessions.select(
        "user_number", "session_order", F.row_number().over(by_time).alias("session_id")
    )
    states = [
        (number, *state, *list_requests()[state.page]) for number, state in enumerate(list_states())
    ]
    state_table = spark.createDataFrame(
        states, "state int, page string, auth string, level string, method string, status long"
    )
    span = simulation.end_second - simulation.start_second
    time_slice = F.expr(f"(second - {simulation.start_second}) * {simulation.files} div {span}")
    events = (
        simulated_sessions.join(session_ids, on=["user_number", "session_order"], how="inner")
        .select("user_number", "session_id", "first_item", F.posexplode("events"))
        .select("user_number", "session_id", F.expr("first_item + pos").alias("item"), "col.*")
        .repartitionById(simulation.files, time_slice.cast("int"))
    )
    with_details = (
        events.join(F.broadcast(state_table), on="state", how="inner")
        .join(F.broadcast(simulated_users.drop("auth", "level")), on="user_number", how="inner")
        .join(F.broadcast(spark.createDataFrame(songs)), on="song_number", how="left")
    )
    # Sort last: joins do not keep the order.
    sorted_events = with_details.sortWithinPartitions("second", "user_number", "item")
    return sorted_events.select(_format_json(simulation.userless_id))


def _format_json(userless_id: str) -> Column:
    """Return the column `value`: the event in JSON, with the published log's keys in order."""
    has_user = F.col("auth").isin("Logged In", "Cancelled")
    fields = {
        "ts": F.col("second") * 1000,
        "userId": F.when(has_user, F.col("user_id")).otherwise(userless_id),
        "sessionId": F.col("session_id"),
        "page": F.col("page"),
        "auth": F.col("auth"),
        "method": F.col("method"),
        "status": F.col("status"),
        "level": F.col("level"),
        "itemInSession": F.col("item"),
        "location": F.when(has_user, F.col("location")),
        "userAgent": F.when(has_user, F.col("user_agent")),
        "lastName": F.when(has_user, F.col("last_name")),
        "firstName": F.when(has_user, F.col("first_name")),
        "registration": F.when(has_user, F.col("registration_second") * 1000),
        "gender": F.when(has_user, F.col("gender")),
        "artist": F.col("artist"),
        "song": F.col("song"),
        "length": F.col("length"),
    }
    columns = [column.alias(name) for name, column in fields.items()]
    return F.to_json(F.struct(*columns)).alias("value")


def record_simulation(
    raw_events: EventLogFiles, simulation: SimulationParameters
) -> dict[str, object]:
    """Return the parameters of the simulation and the checksum of its log."""
    return {**simulation.model_dump(mode="json"), "log": digest_log(raw_events.read_all())}
